"""The attachments of all sessions: what a person gave along with a message, or is about to."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from api.domain.attachments import (
    MOST_BYTES,
    MOST_BYTES_A_SESSION,
    PICTURES,
    Attachment,
    name_from,
)
from api.domain.errors import BadRequest, NotFound, TooLarge
from api.domain.ids import new_attachment_id
from api.domain.pictures import Picture, PictureRefused, measured
from api.sessions.disk import attached
from api.sessions.disk.attached import Arriving
from api.sessions.disk.files import explained
from api.sessions.documents.document import encode
from api.sessions.documents.session import Session
from api.sessions.store import SessionStore


class Attachments:
    """Those of the sessions of a store. Safe to call from any thread; all calls block.

    Whether a session is there, and whose it is, is for the caller to know.
    """

    def __init__(self, store: SessionStore, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()

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
            picture = checked(arriving)
            arriving.sync()
            with self._lock:
                self._check_room(session_id, arriving.size)
                kept_as = attachment_id or new_attachment_id()
                return arriving.keep(session_id, kept_as, name_from(name), picture, self._clock())

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

    def _check_room(self, session_id: str, size: int) -> None:
        if attached.bytes_in(self._store.folder, session_id) + size > MOST_BYTES_A_SESSION:
            raise TooLarge(
                f"What is attached in this conversation fills its {MOST_BYTES_A_SESSION >> 20} MB. Go on in a new one.",
                code="attachments_full",
                max_bytes=MOST_BYTES_A_SESSION,
            )

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


def checked(arriving: Arriving) -> Picture | None:
    """How large it is as a picture, if it is one.

    Raises:
        BadRequest: it may not be attached.
    """
    if not arriving.size:
        raise BadRequest("This file is empty. Nothing was attached.", code="empty_file")
    media_type = arriving.media_type()
    try:
        return measured(arriving.window(), media_type) if media_type in PICTURES else None
    except PictureRefused as error:
        raise BadRequest(str(error), code="picture_refused") from None


def _not_found() -> NotFound:
    message = "What was attached is not there any more. Attach it again."
    return NotFound(message, code="attachment_not_found")
