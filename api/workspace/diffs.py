"""A change of a text as a unified diff."""

import difflib
from collections.abc import Iterator
from typing import Literal

from api.workspace.texts import lines_of

Step = tuple[Literal["replace", "delete", "insert", "equal"], int, int, int, int]

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
    old, new = lines_of(before or ""), lines_of(after or "")
    head = (
        f"--- {'/dev/null' if before is None else 'a/' + name}\n+++ {'/dev/null' if after is None else 'b/' + name}\n"
    )
    diff = head + "".join(map(_shown, _hunks(old, new)))
    if len(diff) > _LONGEST:
        return diff[:_LONGEST] + f"\n… and {len(diff) - _LONGEST:,} characters more\n"
    return diff


def _hunks(old: list[str], new: list[str]) -> Iterator[str]:
    for group in _Known(list(_steps(old, new))).get_grouped_opcodes(_AROUND):
        first, last = group[0], group[-1]
        yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@\n"
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (" " + line for line in old[i1:i2])
            else:
                yield from ("-" + line for line in old[i1:i2])
                yield from ("+" + line for line in new[j1:j2])


class _Known(difflib.SequenceMatcher[str]):
    """Steps that are known already, for what else can be done with them."""

    def __init__(self, steps: list[Step]) -> None:
        super().__init__()
        self._steps = steps

    def get_opcodes(self) -> list[Step]:
        return self._steps


def _steps(old: list[str], new: list[str]) -> Iterator[Step]:
    """How to make one of the other, as `difflib` says it. What is the same at both ends is not compared."""
    same = _same(old, new)
    rest = _same(old[same:][::-1], new[same:][::-1])
    old_end, new_end = len(old) - rest, len(new) - rest
    if same:
        yield "equal", 0, same, 0, same
    if max(old_end, new_end) - same > _MOST_COMPARED:
        yield "replace", same, old_end, same, new_end
    else:
        for tag, *places in difflib.SequenceMatcher(None, old[same:old_end], new[same:new_end], False).get_opcodes():
            i1, i2, j1, j2 = (same + place for place in places)
            yield tag, i1, i2, j1, j2
    if rest:
        yield "equal", old_end, len(old), new_end, len(new)


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
