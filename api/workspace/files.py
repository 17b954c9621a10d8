"""Reading and changing the text files of a workspace. A change is worked out first, then made, so it can be shown."""

import msgspec

from api.domain.errors import Conflict, NotFound, TooLarge, UnsupportedMedia
from api.workspace.diffs import unified
from api.workspace.folder import Folder, version_of
from api.workspace.texts import Text, decoded, edited, encoded, lines_of, rewritten

MOST_BYTES = 10_000_000
"""The largest file that is read or changed."""


class Reading(msgspec.Struct, frozen=True):
    """Some lines of a file, with `\\n` at their ends. `first` counts from 1; `lines` is how many the whole file has."""

    text: str
    first: int
    lines: int
    version: str
    encoding: str

    @property
    def last(self) -> int:
        return self.first - 1 + len(lines_of(self.text))


class Change(msgspec.Struct, frozen=True):
    """What is to become of a file. `before` and `after` are its bytes, None where it is not there."""

    name: str
    before: bytes | None
    after: bytes | None
    diff: str
    times: int = 1


def read(folder: Folder, name: str, *, first: int = 1, most_lines: int = 2000, most_chars: int = 200_000) -> Reading:
    """The lines of a text file from `first` on.

    Raises:
        AppError: it is not there, no text, too large, outside the workspace.
    """
    contents = folder.read(name, MOST_BYTES)
    text = decoded(contents.data, name)
    lines = lines_of(text.plain)
    taken: list[str] = []
    room = most_chars
    for line in lines[first - 1 : first - 1 + most_lines]:
        room -= len(line)
        if room < 0 and taken:
            break
        taken.append(line)
    return Reading("".join(taken), first, len(lines), contents.version, text.encoding)


def plan_write(folder: Folder, name: str, content: str, *, known: str | None) -> Change:
    """The file as `content`, in the encoding and with the line ends that it has.

    `known`: the version that whoever writes has seen, None when it has seen none.

    Raises:
        Conflict: it is there, and not as it was seen.
    """
    try:
        before = folder.read(name, MOST_BYTES).data
    except NotFound:
        return _change(name, None, Text(content))
    old = decoded(before, name)
    _check_known(name, before, known, is_needed=True)
    return _change(name, before, rewritten(old, content))


def plan_edit(folder: Folder, name: str, old: str, new: str, *, replaces_all: bool, known: str | None) -> Change:
    """The file with `old` replaced by `new`; all else keeps its bytes.

    Raises:
        Conflict: it is not as it was seen; `old` is not there, or more than once and `replaces_all` was not asked for.
    """
    before = folder.read(name, MOST_BYTES).data
    _check_known(name, before, known, is_needed=False)
    after, times = edited(decoded(before, name), old, new, name, replaces_all=replaces_all)
    return _change(name, before, after, times)


def _check_known(name: str, data: bytes, known: str | None, *, is_needed: bool) -> None:
    if known is None and is_needed:
        raise Conflict(f"There is a {name!r} already, which has not been read; nothing was written. Read it first.")
    if known is not None and known != version_of(data):
        raise Conflict(f"{name!r} has changed since it was read; nothing was written. Read it again.")


def _change(name: str, before: bytes | None, after: Text, times: int = 1) -> Change:
    data = encoded(after, name)
    if len(data) > MOST_BYTES:
        raise TooLarge(f"{len(data):,} bytes are more than the {MOST_BYTES:,} that are written at once.")
    return Change(name, before, data, diff_of(name, before, data), times)


def diff_of(name: str, before: bytes | None, after: bytes | None) -> str:
    """Also for what is no text, of which only that is said."""
    try:
        old, new = (None if data is None else decoded(data, name).text for data in (before, after))
    except UnsupportedMedia:
        return "" if before == after else f"Binary files a/{name} and b/{name} differ\n"
    return unified(name, old, new)


def make(folder: Folder, change: Change) -> str:
    """Make a change that was worked out; returns the version that the file has then.

    Raises:
        Conflict: the file has changed since; nothing was written.
    """
    assert change.after is not None
    expected = None if change.before is None else version_of(change.before)
    folder.write(change.name, change.after, expected=expected)
    return version_of(change.after)
