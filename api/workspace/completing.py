"""The files of a folder that some typed letters stand for. Looks for a moment only, however large the folder is."""

import heapq
import time
from collections import deque
from collections.abc import Iterator

from api.domain.errors import AppError
from api.workspace.folder import Folder
from api.workspace.searcher import SKIPPED

MOST_ENTRIES = 30_000
WITHIN_S = 0.5


def fitting(folder: Folder, letters: str, most: int) -> list[str]:
    """The names of files that `letters` fit, best first: in order, though not side by side; upper and lower are one.

    What lies deeper is looked at last, and in a large folder perhaps not at all.
    """
    wanted = letters.strip().lower().removeprefix("./")
    ranked = ((rank, name) for name in _names(folder) if (rank := _rank(name, wanted)) is not None)
    return [name for _, name in heapq.nsmallest(most, ranked)]


def _names(folder: Folder) -> Iterator[str]:
    ends_at, left = time.monotonic() + WITHIN_S, MOST_ENTRIES
    waiting = deque([""])
    while waiting:
        try:
            for name, kind in folder.glance(waiting.popleft()):
                left -= 1
                if not left or time.monotonic() > ends_at:
                    return
                if kind == "folder" and name.rpartition("/")[2] not in SKIPPED:
                    waiting.append(name)
                elif kind == "file" and _is_writable(name):
                    yield name
        except AppError:
            if not waiting and left == MOST_ENTRIES:
                raise  # the folder itself; one below it that cannot be listed is as if it were empty


def _is_writable(name: str) -> bool:
    """Names may be of bytes that are no text, which JSON has no way to say."""
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


def _rank(name: str, wanted: str) -> tuple[int, int, int, int] | None:
    """The lower, the better; None where the letters do not fit."""
    path = name.lower()
    base = path.rpartition("/")[2]
    size = (path.count("/"), len(path))
    if wanted in base:
        return (0 if base.startswith(wanted) else 1, 0, *size)
    if wanted in path:
        return (2, 0, *size)
    at = first = path.find(wanted[0])
    for letter in wanted[1:]:
        at = path.find(letter, at + 1) if at >= 0 else -1
    return (3, at - first, *size) if at >= 0 else None
