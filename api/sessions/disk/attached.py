"""Attachments on disk: the bytes of each, and a sidecar that says what they are. Without a sidecar there is none.

They lie in `attachments/<session_id>/`, beside the folder of the sessions, under ids of our own: the bytes first, then
`<attachment_id>.json`. Neither is changed afterwards, so a copy of a session may have the same files.
"""

import codecs
import contextlib
import hashlib
import os
from pathlib import Path
from typing import BinaryIO

import msgspec

from api.domain.attachments import Attachment, MediaType, is_text_so_far, lead_of
from api.domain.ids import is_safe_id
from api.domain.pictures import Picture
from api.sessions.disk.files import (
    NewFile,
    link_file,
    make_subfolder,
    open_regular,
    remove_file,
    remove_files,
    replace_file,
    sweep_temps,
    sync_folder,
)

FOLDER = "attachments"
_SIDECAR = ".json"
_WINDOW = 1 << 16


class Stored(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a sidecar says. `size` in bytes, `width` and `height` in pixels, `created_at` in seconds since 1970."""

    name: str
    media_type: MediaType
    size: int
    sha256: str
    width: int | None = None
    height: int | None = None
    created_at: float = 0.0

    def attachment(self, attachment_id: str) -> Attachment:
        return Attachment(attachment_id, self.name, self.media_type, self.size, self.width, self.height)


def root_of(sessions: Path) -> Path:
    """Where the attachments of all sessions of a folder are."""
    return sessions.parent / FOLDER


def place_of(sessions: Path, session_id: str) -> Path:
    """Where those of one session are. The folder is there when there are any."""
    return root_of(sessions) / session_id


def find(sessions: Path, session_id: str, attachment_id: str) -> Stored | None:
    """What is known of an attachment; None when there is none, or its bytes are gone."""
    if not (is_safe_id(session_id) and is_safe_id(attachment_id)):
        return None
    path = place_of(sessions, session_id) / attachment_id
    try:
        with open_regular(_sidecar(path)) as file:
            stored = msgspec.json.decode(file.read(_WINDOW), type=Stored)
        return stored if path.lstat().st_size == stored.size else None
    except (OSError, ValueError):
        return None


def open_bytes(sessions: Path, session_id: str, attachment_id: str) -> BinaryIO:
    """Raises OSError."""
    return open_regular(place_of(sessions, session_id) / attachment_id)


def ids_in(sessions: Path, session_id: str) -> list[str]:
    """The ids of all there are of a session, and of bytes that never got their sidecar."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        names = {path.name.removesuffix(_SIDECAR) for path in place_of(sessions, session_id).iterdir()}
        return sorted(filter(is_safe_id, names))
    return []


def bytes_in(sessions: Path, session_id: str) -> int:
    """How much those of a session take, in bytes."""
    with contextlib.suppress(FileNotFoundError), os.scandir(place_of(sessions, session_id)) as entries:
        return sum(entry.stat(follow_symlinks=False).st_size for entry in entries)
    return 0


def session_ids(sessions: Path) -> list[str]:
    """The sessions that have a place for attachments."""
    with contextlib.suppress(FileNotFoundError), os.scandir(root_of(sessions)) as entries:
        return sorted(one.name for one in entries if is_safe_id(one.name) and one.is_dir(follow_symlinks=False))
    return []


def remove(sessions: Path, session_id: str, attachment_id: str) -> None:
    """Remove one. What is gone already is fine."""
    place = place_of(sessions, session_id)
    for path in (_sidecar(place / attachment_id), place / attachment_id):
        remove_file(path)
    with contextlib.suppress(OSError):  # there are others
        place.rmdir()


def remove_all(sessions: Path, session_id: str) -> None:
    """Its session is gone for good. The sidecars go first: what is left of a removal does not count."""
    remove_files(place_of(sessions, session_id))


def sweep(sessions: Path) -> None:
    """Remove what killed processes left half-written."""
    for folder in (root_of(sessions), *(place_of(sessions, one) for one in session_ids(sessions))):
        if folder.is_dir():
            sweep_temps(folder)


def copy(sessions: Path, session_id: str, to: str, document: bytes) -> None:
    """Give the session `to` the attachments of another one that its `document` names.

    Raises:
        OSError: not all are there.
    """
    known = ids_in(sessions, session_id) if is_safe_id(session_id) else []
    named = [one for one in known if one.encode() in document]
    if not named:
        return
    source, target = place_of(sessions, session_id), place_of(sessions, to)
    make_subfolder(target)
    for path in (source / one for one in named):
        with contextlib.suppress(FileNotFoundError):  # it was not whole, or is being removed
            link_file(path, target / path.name)
            link_file(_sidecar(path), _sidecar(target / path.name))
    sync_folder(target)


class Arriving:
    """A file that is being given, looked at as it comes. Every call blocks; `discard` must be called in any case."""

    def __init__(self, sessions: Path) -> None:
        """Raises OSError."""
        self._sessions = sessions
        root = root_of(sessions)
        make_subfolder(root)
        self._new = NewFile(root / "arriving")
        self._digest = hashlib.sha256()
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._head = b""
        self._is_text = True
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """Raises OSError."""
        self._new.file.write(chunk)
        self._digest.update(chunk)
        self._head += chunk[: max(0, 12 - len(self._head))]
        self.size += len(chunk)
        self._read_on(chunk)

    def _read_on(self, chunk: bytes, *, is_last: bool = False) -> None:
        try:
            self._is_text = self._is_text and is_text_so_far(self._decoder.decode(chunk, is_last))
        except UnicodeDecodeError:
            self._is_text = False

    def media_type(self) -> MediaType:
        """What all of it is."""
        self._read_on(b"", is_last=True)
        return lead_of(self._head) or ("text/plain" if self._is_text else "application/octet-stream")

    def window(self) -> "Window":
        return Window(self._new.file, self.size)

    def sync(self) -> None:
        """Have what came on disk, which takes time."""
        self._new.sync()

    def keep(self, session_id: str, attachment_id: str, name: str, picture: Picture | None, now: float) -> Attachment:
        """Make it an attachment of a session.

        Raises:
            OSError: nothing is kept.
        """
        stored = Stored(
            name=name,
            media_type=self.media_type(),
            size=self.size,
            sha256=self._digest.hexdigest(),
            width=picture.width if picture else None,
            height=picture.height if picture else None,
            created_at=now,
        )
        place = place_of(self._sessions, session_id)
        make_subfolder(place)
        try:
            self._new.commit(place / attachment_id)
            replace_file(_sidecar(place / attachment_id), msgspec.json.encode(stored))
        except OSError:
            remove(self._sessions, session_id, attachment_id)
            raise
        return stored.attachment(attachment_id)

    def discard(self) -> None:
        """Leave nothing of what is not kept."""
        self._new.discard()


class Window:
    """A file as a `pictures.Source`, of which a small part is held at a time."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        self._at, self._held = 0, b""

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice, /) -> bytes:
        start, stop = part.start, min(part.stop, self._size)
        if start < self._at or stop > self._at + len(self._held):
            self._file.seek(start)
            self._at, self._held = start, self._file.read(max(_WINDOW, stop - start))
        return self._held[start - self._at : max(start, stop) - self._at]


def _sidecar(path: Path) -> Path:
    return path.with_name(path.name + _SIDECAR)
