"""A change of a text as a unified diff."""

from collections.abc import Iterable, Iterator

_AROUND = 3
_MOST_COMPARED = 3000
"""Lines between the first and the last that differ; beyond, all of them are shown as replaced."""
_LONGEST = 400_000


def unified(name: str, before: str | None, after: str | None) -> str:
    """`None` stands for a file that is not there. Empty when nothing differs. Cut where it is longer than anyone reads.

    Line ends are shown as they are: a line that only changes those is a line that differs.
    """
    if before == after:
        return ""
    old, new = _lines(before or ""), _lines(after or "")
    head = (
        f"--- {'/dev/null' if before is None else 'a/' + name}\n+++ {'/dev/null' if after is None else 'b/' + name}\n"
    )
    diff = head + "".join(map(_shown, _hunks(old, new)))
    if len(diff) > _LONGEST:
        return diff[:_LONGEST] + f"\n… and {len(diff) - _LONGEST:,} characters more\n"
    return diff


def _lines(text: str) -> list[str]:
    """Cut at `\\n` alone, as everything that reads diffs does."""
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _hunks(old: list[str], new: list[str]) -> Iterator[str]:
    # What is the same at both ends need not be compared.
    same = _same(old, new)
    rest = _same(old[same:][::-1], new[same:][::-1])
    start, end = max(0, same - _AROUND), max(0, rest - _AROUND)
    old, new = old[start : len(old) - end], new[start : len(new) - end]
    for group in _groups(old, new, same - start, rest - end):
        first, last = group[0], group[-1]
        yield f"@@ -{_range(start + first[1], start + last[2])} +{_range(start + first[3], start + last[4])} @@\n"
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (" " + line for line in old[i1:i2])
            else:
                yield from ("-" + line for line in old[i1:i2])
                yield from ("+" + line for line in new[j1:j2])


def _groups(old: list[str], new: list[str], same: int, rest: int) -> Iterable[list[tuple[str, int, int, int, int]]]:
    """What to show, as `difflib` says it. `same` and `rest`: how many lines are alike at the start and at the end."""
    if max(len(old), len(new)) <= _MOST_COMPARED:
        import difflib

        return difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_AROUND)
    old_end, new_end = len(old) - rest, len(new) - rest
    head = ("equal", 0, same, 0, same)
    changed = ("replace", same, old_end, same, new_end)
    return [[head, changed, ("equal", old_end, len(old), new_end, len(new))]]


def _same(old: list[str], new: list[str]) -> int:
    """How many lines are the same from the start."""
    count = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        count += 1
    return count


def _range(start: int, end: int) -> str:
    length = end - start
    return f"{start + 1 if length else start},{length}"


def _shown(line: str) -> str:
    return line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"
