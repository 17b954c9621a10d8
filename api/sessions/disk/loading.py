"""From a document on disk to a session in memory."""

import logging
import os
from pathlib import Path

import msgspec

from api.domain.errors import Conflict, NotFound
from api.sessions.disk.files import read_regular
from api.sessions.disk.quarantine import stamp_of
from api.sessions.documents.document import Unreadable, decode, encode, fingerprint, usable_count
from api.sessions.documents.session import Seen, Session

log = logging.getLogger(__name__)

LARGEST_OPENED = 1 << 30
"""Bytes. In memory a document takes several times its size."""


class SessionNotFound(NotFound, KeyError):
    code = "session_not_found"

    def __init__(self, session_id: object) -> None:
        super().__init__("There is no such session. It may have been deleted.", field="session_id")
        self.session_id = session_id

    def __str__(self) -> str:
        return self.message


class SessionUnreadable(Conflict):
    """The document is there and stays as it is. `reason` is a sentence."""

    code = "session_unreadable"

    def __init__(self, session_id: str, reason: str) -> None:
        super().__init__(f"This session cannot be opened, and its file is left untouched. {reason}", reason=reason)
        self.session_id = session_id
        self.reason = reason


def load(session: Session, path: Path) -> None:
    """Make `session` what the document at `path` says.

    Raises:
        SessionNotFound: there is none.
        SessionUnreadable: there is one that cannot be shown without guessing.
    """
    raw, status = read_document(path, session.session_id)
    try:
        document = decode(raw, session.session_id)
    except Unreadable as error:
        raise SessionUnreadable(session.session_id, str(error)) from error
    session.adopt({**document, "session_id": session.session_id})
    session.stored_schema = usable_count(document.get("schema"))
    count, revision = len(session.messages), usable_count(session.revision)
    session.revision = revision
    seen = Seen(path, stamp_of(status), fingerprint(raw), count, revision)
    session.mark_clean(seen, fingerprint(encode(session.document())))


def read_document(path: Path, session_id: str) -> tuple[bytes, os.stat_result]:
    """The bytes of a document and the stat that belongs to them.

    Raises:
        SessionNotFound, SessionUnreadable
    """
    try:
        if path.lstat().st_size > LARGEST_OPENED:
            raise SessionUnreadable(session_id, f"It is larger than {LARGEST_OPENED >> 30} GB, too large to be opened.")
        return read_regular(path)
    except (FileNotFoundError, NotADirectoryError):
        raise SessionNotFound(session_id) from None
    except OSError as error:
        raise SessionUnreadable(session_id, f"{error.strerror}.") from error


def refresh(session: Session, path: Path) -> bool:
    """Take over what someone else wrote to the document, unless that would lose what is only in memory.

    True when it says something else than before. Its revision then rises here too, for it is not the one that open
    pages have seen.

    Raises:
        SessionNotFound: the document was removed, and memory holds nothing that it did not.
    """
    seen = session.seen
    if seen is None or seen.path != path or session.deleted:
        return False
    try:
        if stamp_of(path.lstat()) == seen.stamp:
            return False
    except FileNotFoundError:
        # A folder that is gone as a whole is a disk that went away.
        if path.parent.is_dir() and not session.is_streaming and not session.is_changed:
            raise SessionNotFound(session.session_id) from None
        return False
    except OSError:
        return False
    with session.lock:
        if session.seen is not seen or session.is_changed:
            return False
        try:
            return _taken_over(session, seen, path)
        except (SessionNotFound, SessionUnreadable) as error:
            log.warning("session.not_reloaded", extra={"session_id": session.session_id, "why": error.message})
            return False


def _taken_over(session: Session, seen: Seen, path: Path) -> bool:
    raw, status = read_document(path, session.session_id)
    if fingerprint(raw) == seen.fingerprint:
        session.seen = msgspec.structs.replace(seen, stamp=stamp_of(status))
        return False
    if session.is_streaming and not _goes_on_from(session, raw):
        return False  # what is being answered is not in it: `conflicts` settles that when the answer is there
    load(session, path)
    session.revision = max(session.revision, seen.revision + 1)
    if session.seen is not None:
        now_seen = msgspec.structs.replace(session.seen, revision=session.revision)
        session.mark_clean(now_seen, fingerprint(encode(session.document())))
    log.info("session.reloaded", extra={"session_id": session.session_id})
    return True


def _goes_on_from(session: Session, raw: bytes) -> bool:
    """Does a document hold the run of this session and all that it answers?"""
    try:
        document = decode(raw, session.session_id)
    except Unreadable:
        return False
    theirs = {message["id"] for message in document["messages"]}
    ours = {message.get("id") for message in session.messages}
    return document.get("active_stream_id") == session.active_stream_id and ours <= theirs
