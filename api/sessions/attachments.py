"""The attachments of all sessions: what a person gave along with a message, or is about to, and what agents gave."""

import base64
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import msgspec

from api.domain.attachments import (
    MOST_BYTES,
    MOST_BYTES_A_SESSION,
    MOST_BYTES_FOR_AGENTS,
    PICTURES,
    Attachment,
    MediaType,
    lead_of,
    name_from,
)
from api.domain.errors import BadRequest, NotFound, TooLarge
from api.domain.ids import new_attachment_id
from api.domain.pictures import Picture, PictureRefused, Source, measured
from api.sessions.disk import attached
from api.sessions.disk.attached import Arriving, Stored
from api.sessions.disk.files import explained
from api.sessions.documents.document import encode
from api.sessions.documents.session import Session
from api.sessions.store import SessionStore

FILES = "attached_files"
"""The field of an exported document that holds the bytes of what it names: `[{id, name, ..., data: base64}]`."""
_PIECE = 3 << 18  # of three bytes base64 makes four letters


class Attachments:
    """Those of the sessions of a store. Safe to call from any thread; all calls block.

    Whether a session is there, and whose it is, is for the caller to know.
    """

    def __init__(self, store: SessionStore, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._asked_for: set[tuple[str, str]] = set()

    def begin(self, session_id: str, size: int = 0) -> Arriving:
        """A file to be given to a session, announced as `size` bytes.

        Raises:
            TooLarge: it is too large, or there is no room for it.
            StorageFailed: the disk refused.
        """
        check_size(size)
        self._check_room(session_id, size)
        with self._explaining():
            return Arriving(self._store.folder)

    def write(self, arriving: Arriving, chunk: bytes) -> None:
        """Take on the next piece of it. Raises as `begin`."""
        check_size(arriving.size + len(chunk))
        with self._explaining():
            arriving.write(chunk)

    def keep(self, session_id: str, arriving: Arriving, name: str, *, attachment_id: str | None = None) -> Attachment:
        """Make what has arrived an attachment of the session, durably; nothing is kept of what is refused.

        Raises:
            BadRequest: it is empty, or a picture that nobody should have to decode.
            TooLarge, StorageFailed: as `begin`.
        """
        with self._explaining():
            picture = checked(arriving.window(), arriving.media_type())
            arriving.sync()
            with self._lock:
                self._check_room(session_id, arriving.size)
                kept_as = attachment_id or new_attachment_id()
                return arriving.keep(session_id, kept_as, name_from(name), picture, self._clock())

    def take(self, session_id: str, name: str, data: bytes) -> Attachment:
        """Make a picture that an agent gives an attachment of the session, durably.

        Raises:
            BadRequest: it is no picture, or one that nobody should have to decode.
            TooLarge, StorageFailed: as `begin`.
        """
        if lead_of(data[:12]) not in PICTURES:
            raise BadRequest("It is no picture of a kind that can be shown.", code="picture_refused")
        self._check_room(session_id, len(data), most=MOST_BYTES_FOR_AGENTS)
        arriving = self.begin(session_id, len(data))
        try:
            self.write(arriving, data)
            return self.keep(session_id, arriving, name)
        finally:
            arriving.discard()

    def named(self, session_id: str, ids: Sequence[str]) -> list[Attachment]:
        """The attachments of a session by their ids, each once.

        Raises:
            NotFound: one is not there.
        """
        found = self.known(session_id, ids)
        if len(found) < len(set(ids)):
            raise _not_found()
        return found

    def known(self, session_id: str, ids: Sequence[str]) -> list[Attachment]:
        """As `named`; one that is not there is passed over."""
        with self._lock:
            self._asked_for |= {(session_id, one) for one in ids}
        looked_up = ((one, attached.find(self._store.folder, session_id, one)) for one in dict.fromkeys(ids))
        return [stored.attachment(one) for one, stored in looked_up if stored is not None]

    def open(self, session_id: str, attachment_id: str) -> tuple[Attachment, BinaryIO]:
        """Raises:
        NotFound: the session has none of that id.
        """
        [attachment] = self.named(session_id, [attachment_id])
        try:
            return attachment, attached.open_bytes(self._store.folder, session_id, attachment_id)
        except OSError:
            raise _not_found() from None

    def read(self, session_id: str, attachment: Attachment) -> bytes:
        """The whole of one, for an agent.

        Raises:
            OSError: it is not there, or cannot be read.
        """
        if attached.find(self._store.folder, session_id, attachment.id) is None:
            raise FileNotFoundError(attachment.id)
        with attached.open_bytes(self._store.folder, session_id, attachment.id) as file:
            return file.read()

    def remove(self, session_id: str, attachment_id: str) -> None:
        """Remove one that nothing names any more; one that is gone already is fine.

        Raises:
            StorageFailed: the disk refused.
        """
        with self._lock, self._explaining():
            attached.remove(self._store.folder, session_id, attachment_id)

    def remove_all(self, session_id: str) -> None:
        """Its session is gone for good."""
        with self._lock:
            attached.remove_all(self._store.folder, session_id)

    def copy(self, session_id: str, copy: Session) -> None:
        """Give a session that is about to be saved those of another one that it names.

        Raises:
            StorageFailed: the disk refused.
        """
        with self._lock, self._explaining():
            attached.copy(self._store.folder, session_id, copy.session_id, encode(copy.document()))

    def named_in(self, session_id: str, document: bytes) -> dict[str, Stored]:
        """Those that are there of the ones that a document names, by their ids."""
        folder = self._store.folder
        found = {one: attached.find(folder, session_id, one) for one in attached.ids_in(folder, session_id)}
        return {one: stored for one, stored in found.items() if stored and one.encode() in document}

    def exported(self, session_id: str, document: bytes, named: Mapping[str, Stored]) -> Iterator[bytes]:
        """A document, which is a JSON object, and beside what it says the bytes of what it names, in pieces."""
        yield document.rstrip()[:-1].rstrip() + b',\n "%b": [' % FILES.encode()
        for number, (one, stored) in enumerate(named.items()):
            head = msgspec.json.encode({"id": one} | msgspec.to_builtins(stored))
            yield (b"\n  " if not number else b",\n  ") + head[:-1] + b',"data":"'
            with attached.open_bytes(self._store.folder, session_id, one) as file:
                while piece := file.read(_PIECE):
                    yield base64.b64encode(piece)
            yield b'"}'
        yield b"\n ]\n}\n"

    def sweep(self) -> None:
        """Remove what killed processes left half-written."""
        attached.sweep(self._store.folder)

    def asked_for(self) -> set[tuple[str, str]]:
        """Session and attachment of each that was asked for since this was last called: it may be about to be named."""
        with self._lock:
            asked, self._asked_for = self._asked_for, set()
            return asked

    def _check_room(self, session_id: str, size: int, *, most: int = MOST_BYTES_A_SESSION) -> None:
        with self._explaining():
            there = attached.bytes_in(self._store.folder, session_id)
        if there + size > most:
            message = f"What is attached in this conversation fills its {most >> 20} MB. Go on in a new one."
            raise TooLarge(message, code="attachments_full", max_bytes=most)

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise explained(error, self._store.folder.parent) from error


def check_size(size: int) -> None:
    """Raises:
    TooLarge: a file may not be as large.
    """
    if size > MOST_BYTES:
        message = f"The file is larger than {MOST_BYTES >> 20} MB. Nothing was attached."
        raise TooLarge(message, max_bytes=MOST_BYTES)


def checked(source: Source, media_type: MediaType) -> Picture | None:
    """How large a file is as a picture, if it is one.

    Raises:
        BadRequest: it may not be attached.
    """
    if not len(source):
        raise BadRequest("This file is empty. Nothing was attached.", code="empty_file")
    try:
        return measured(source, media_type) if media_type in PICTURES else None
    except PictureRefused as error:
        raise BadRequest(str(error), code="picture_refused") from None


def _not_found() -> NotFound:
    message = "What was attached is not there any more. Attach it again."
    return NotFound(message, code="attachment_not_found")
