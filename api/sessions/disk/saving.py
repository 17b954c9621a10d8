"""From a session in memory to its document on disk, refused where that would lose something."""

import os
from pathlib import Path

from api.domain.errors import BadRequest, Conflict, StaleRevision
from api.domain.ids import new_message_id
from api.domain.messages import Message
from api.sessions.disk.files import Unsynced, explained, replace_file
from api.sessions.disk.loading import SessionUnreadable, read_document
from api.sessions.disk.originals import keep_original
from api.sessions.disk.quarantine import stamp_of
from api.sessions.disk.trash import is_trashed, keep_cleared
from api.sessions.documents.document import (
    SCHEMA,
    Unreadable,
    check,
    decode,
    encode,
    encode_strictly,
    fingerprint,
    identify,
    usable_count,
)
from api.sessions.documents.session import Seen, Session

SHRINKING = frozenset({"truncate", "undo", "clear", "edit", "retry", "version", "import"})
"""The reasons for which a save may leave fewer messages than the document has."""


def write_document(session: Session, path: Path, now: float, reason: str | None) -> list[Message]:
    """Write `session` to `path` and give the messages as they were written. The caller holds `session.lock`.

    Raises:
        Conflict, StorageFailed: nothing was written; the revision is what it was.
        StorageFailed (`not_confirmed`): written, but a power cut may undo it.
    """
    on_disk = _what_it_replaces(session, path)
    messages = list(session.messages)
    if on_disk is not None and len(messages) < on_disk.message_count and reason not in SHRINKING:
        raise Conflict(
            f"Not saved: {on_disk.message_count} messages are stored and only {len(messages)} were to be kept.",
            code="would_shrink",
            stored=on_disk.message_count,
            offered=len(messages),
        )
    before = session.revision, session.updated_at, session.schema
    session.revision, session.updated_at, session.schema = session.revision + 1, now, SCHEMA
    try:
        data = _encoded(session, messages, now)
        if on_disk is not None:
            _keep_before(session, path, reason)
        _replace(session, path, data, len(messages))
        session.stored_schema = SCHEMA
    finally:
        if session.seen is None or session.seen.revision != session.revision:
            session.revision, session.updated_at, session.schema = before
    return messages


def _what_it_replaces(session: Session, path: Path) -> Seen | None:
    """The document on disk, None when there is none, once it is certain that `session` grew out of it."""
    if session.deleted or is_trashed(path.parent, session.session_id):
        raise Conflict("This session has been deleted. Restore it to go on with it.", code="session_deleted")
    if session.read_only:
        raise _newer_schema()
    seen = session.seen
    try:
        stamp = stamp_of(path.lstat())
    except FileNotFoundError:
        if seen is None or seen.path != path:
            return None
        raise Conflict(
            "Not saved: the file of this session was removed by another program. Export it to keep what you see.",
            code="document_gone",
        ) from None
    except OSError as error:
        raise explained(error, path.parent) from error
    if seen is not None and seen.path == path and seen.stamp == stamp:
        return seen
    return _look_again(session, path)


def _look_again(session: Session, path: Path) -> Seen:
    """The file is not the one we know. The same content under another stamp, as after a copy, is fine."""
    raw, status = read_document(path, session.session_id)
    try:
        stored = decode(raw, session.session_id)
    except Unreadable as error:
        raise SessionUnreadable(session.session_id, str(error)) from error
    if usable_count(stored.get("schema")) > SCHEMA:
        raise _newer_schema()
    revision = usable_count(stored.get("revision"))
    if session.seen is None or session.seen.fingerprint != fingerprint(raw):
        raise StaleRevision(
            "Not saved: this session was changed elsewhere meanwhile. Look at it as it is now, then try again.",
            revision=revision,
        )
    return Seen(path, stamp_of(status), session.seen.fingerprint, len(stored["messages"]), revision)


def _newer_schema() -> Conflict:
    return Conflict("Not saved: a newer version of this program wrote this session.", code="newer_schema")


def _encoded(session: Session, messages: list[Message], now: float) -> bytes:
    """The document as bytes, before any file is opened. What a load would refuse is never written."""
    try:
        check(session.document() | {"messages": messages}, session.session_id)
        for message in identify(messages, lambda position: new_message_id()):
            message.setdefault("timestamp", now)
        try:
            return encode_strictly(session.document() | {"messages": messages})
        except UnicodeEncodeError:
            session.clean_texts()
            return encode(session.document() | {"messages": messages})
    except (Unreadable, TypeError, OverflowError, RecursionError) as error:
        raise BadRequest(f"Not saved: the session holds what cannot be stored. {error}", code="not_storable") from error


def _keep_before(session: Session, path: Path, reason: str | None) -> None:
    """What the document says now, where nothing of it would be left, or no older program could read it any more."""
    try:
        if session.stored_schema < SCHEMA:
            keep_original(path, session.stored_schema)
        if reason == "clear":
            raw, _ = read_document(path, session.session_id)
            keep_cleared(path.parent, decode(raw, session.session_id) | {"session_id": session.session_id})
    except OSError as error:
        raise explained(error, path.parent) from error


def _replace(session: Session, path: Path, data: bytes, message_count: int) -> None:
    try:
        status = replace_file(path, data)
    except OSError as error:
        if isinstance(error, Unsynced) and error.status is not None:
            _remember(session, path, data, message_count, error.status)
        raise explained(error, path.parent) from error
    _remember(session, path, data, message_count, status)


def _remember(session: Session, path: Path, data: bytes, message_count: int, status: os.stat_result) -> None:
    content = fingerprint(data)
    session.mark_clean(Seen(path, stamp_of(status), content, message_count, session.revision), content)
