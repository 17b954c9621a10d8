"""What an edit changes, as a unified diff for a person to read. Bounded in time and size, whatever the texts are."""

import difflib

_MOST_LINES = 1000
"""Above so many changed lines, what goes and what comes are shown whole: comparing takes the square of it."""
_MOST_CHARACTERS = 100_000


def unified(path: str, old: str | None, new: str) -> str:
    """The change of the file `path` from `old` (None: it is new) to `new`."""
    before, after = (old or "").splitlines(), new.splitlines()
    heading = [f"--- {path if old is not None else '/dev/null'}", f"+++ {path}"]
    same_at_start = _same(before, after)
    same_at_end = _same(before[same_at_start:][::-1], after[same_at_start:][::-1])
    changed = len(before) + len(after) - 2 * (same_at_start + same_at_end)
    if changed <= _MOST_LINES:
        lines = list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]
    else:
        gone = before[same_at_start : len(before) - same_at_end]
        come = after[same_at_start : len(after) - same_at_end]
        lines = [f"@@ -{same_at_start + 1},{len(gone)} +{same_at_start + 1},{len(come)} @@"]
        lines += [f"-{line}" for line in gone] + [f"+{line}" for line in come]
    text = "\n".join([*heading, *lines]) + "\n"
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}\n(cut: the change is longer)\n"


def _same(one: list[str], other: list[str]) -> int:
    """How many lines at the start of both are the same."""
    pairs = zip(one, other, strict=False)
    return next((number for number, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
