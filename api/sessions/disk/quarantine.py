"""Which files of the sessions folder are sessions, and which of them cannot be shown, with the reason."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from api.domain.ids import is_safe_id
from api.sessions.disk.trash import deleted_ids, gone_path

Stamp = tuple[int, int, int]
"""A file's mtime in nanoseconds, size in bytes and inode: when none of them moved, neither did the content."""

LARGEST_INDEXED = 256 * 1024 * 1024
"""Bytes. A larger document opens on request but is not read for lists and searches."""


class Quarantined(msgspec.Struct, frozen=True):
    """A file that is left untouched because it cannot be shown without guessing. `reason` is a sentence."""

    name: str
    reason: str
    is_file: bool = True


class Found(msgspec.Struct, frozen=True):
    """A session's document as the folder lists it, unread."""

    session_id: str
    path: Path
    stamp: Stamp


def stamp_of(status: os.stat_result) -> Stamp:
    return status.st_mtime_ns, status.st_size, status.st_ino


def scan(folder: Path, index_file: Path) -> tuple[list[Found], list[Quarantined]]:
    """Look through `folder` without opening a file: documents, and what has a document's name but is none.

    Names led by `_` or `.`, the index and what editors and sync programs leave behind are neither.
    """
    found, odd = [], []
    deleted = deleted_ids(folder)
    for entry in _entries(folder):
        name = entry.name.removesuffix(".json")
        if name == entry.name or name[:1] in "_." or Path(entry.path) == index_file:
            continue
        if not is_safe_id(name):
            if not _is_leftover(name):
                odd.append(Quarantined(entry.name, "Its name cannot be the id of a session."))
            continue
        if not entry.is_file(follow_symlinks=False):
            odd.append(Quarantined(entry.name, f"It is {_kind(entry)}, not a file; it is not opened.", False))
            continue
        if name in deleted:
            odd.append(Quarantined(entry.name, _REMOVED if gone_path(folder, name).exists() else _IN_TRASH))
            continue
        try:
            found.append(Found(name, folder / entry.name, stamp_of(entry.stat(follow_symlinks=False))))
        except FileNotFoundError:
            continue
    return found, odd


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except (FileNotFoundError, NotADirectoryError):
        return


_IN_TRASH = "This session was deleted. Restore it to see it again."
_REMOVED = "This session was removed for good. Import the file to have it again, as a new session."
_LEFTOVER = re.compile(r".*( \(\d+\)|\.sync-conflict.*|conflicted copy.*|~)", re.DOTALL | re.IGNORECASE)


def _is_leftover(name: str) -> bool:
    return bool(_LEFTOVER.fullmatch(name))


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "a link"
    return "a folder" if entry.is_dir(follow_symlinks=False) else "a pipe, socket or device"
