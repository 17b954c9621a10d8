"""Conversations out of a file: one exported here, or any document of the same shape; or a list of them."""

import hashlib
from typing import Any

import msgspec

from api.domain.attachments import MOST_BYTES_A_SESSION, attachments_of, kind_of
from api.domain.errors import AppError, BadRequest, NotFound
from api.domain.ids import is_safe_id, new_session_id
from api.domain.titles import UNTITLED
from api.sessions.attachments import FILES, Attachments, check_size, checked
from api.sessions.disk.loading import SessionUnreadable
from api.sessions.documents.document import Document, Unreadable, decode
from api.sessions.documents.session import Session
from api.sessions.documents.versions import messages_in
from api.sessions.store import SessionStore

MAX_AT_ONCE = 10_000
_OURS = ("session_id", "owner", "active_stream_id", "revision", "schema")


class _File(msgspec.Struct):
    """Something attached; `data` is base64 in the file."""

    id: str
    name: str
    data: bytes


class Imported(msgspec.Struct):
    """`skipped` counts documents that were here already, word for word."""

    sessions: list[Session] = msgspec.field(default_factory=list)
    skipped: int = 0


def import_json(store: SessionStore, raw: bytes, *, owner: str) -> Imported:
    """Save every conversation in `raw`. One whose id is taken by another conversation gets a new id.

    All are read before the first is saved, so a file that is broken anywhere changes nothing.

    Raises:
        BadRequest: it is no JSON, or holds something that is no conversation, or holds none at all.
        StorageFailed: the disk refused; those saved until then stay, and importing again skips them.
    """
    documents = [_checked(entry, position) for position, entry in enumerate(_entries(raw), start=1)]
    attachments = Attachments(store)
    done = Imported()
    for document, files in documents:
        session = _placed(store, document, owner)
        if session is None:
            done.skipped += 1
            continue
        for file in files:
            _attach(attachments, session.session_id, file)
        session.save("import")
        done.sessions.append(session)
    return done


def _attach(attachments: Attachments, session_id: str, file: _File) -> None:
    arriving = attachments.begin(session_id, len(file.data))
    try:
        attachments.remove(session_id, file.id)  # what an import left that did not come to its end
        attachments.write(arriving, file.data)
        attachments.keep(session_id, arriving, file.name, attachment_id=file.id)
    finally:
        arriving.discard()


def _entries(raw: bytes) -> list[Any]:
    try:
        value = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        raise BadRequest("This file is no JSON. Nothing was imported.", code="not_json") from None
    entries = value if isinstance(value, list) else [value]
    if not entries or len(entries) > MAX_AT_ONCE:
        raise BadRequest("This file holds no conversation, or too many. Nothing was imported.", code="no_sessions")
    return entries


def _checked(entry: Any, position: int) -> tuple[Document, list[_File]]:
    session_id = entry.get("session_id") if isinstance(entry, dict) else None
    try:
        if not isinstance(entry, dict):
            raise Unreadable("It is no object.")
        files = _files(entry.pop(FILES, []))
        if not is_safe_id(session_id):
            entry["session_id"] = session_id = _id_of_content(entry)
        document = decode(msgspec.json.encode(entry), str(session_id))
        _check_named(document, files)
        return document, files
    except Unreadable as error:
        message = f"Entry {position} of this file is no conversation. {error} Nothing was imported."
        raise BadRequest(message, code="not_a_session", entry=position) from None


def _files(given: Any) -> list[_File]:
    """What is attached, held to the same limits as what a person attaches.

    Raises:
        Unreadable: it cannot be taken.
    """
    try:
        files = msgspec.convert(given, list[_File])
        for one in files:
            check_size(len(one.data))
            checked(one.data, kind_of(one.data))
    except (msgspec.ValidationError, AppError):
        raise Unreadable("What is attached to it is damaged, too large, or a picture that cannot be shown.") from None
    ids = {one.id for one in files}
    if len(ids) < len(files) or not all(map(is_safe_id, ids)):
        raise Unreadable("What is attached to it has no ids.")
    if sum(len(one.data) for one in files) > MOST_BYTES_A_SESSION:
        raise Unreadable("More is attached to it than a conversation may have.")
    return files


def _check_named(document: Document, files: list[_File]) -> None:
    """Raises:
    Unreadable: a message says of a file what its bytes do not.
    """
    by_id = {one.id: one for one in files}
    for given in (given for message in messages_in(document) for given in attachments_of(message)):
        file = by_id.get(given.id)
        if file is not None and (given.size, given.media_type) != (len(file.data), kind_of(file.data)):
            raise Unreadable("What is attached to it is not what its messages say.")


def _placed(store: SessionStore, document: Document, owner: str) -> Session | None:
    """A session to be saved for `document`, or None when it is here already."""
    own, derived = document["session_id"], _id_of_content(document)
    for session_id in (own, derived):
        known = _find(store, session_id, owner)
        if known is None and not store.is_taken(session_id):
            return _made(store, session_id, document, owner)
        # Under the id that it got here it may have been renamed and gone on with since.
        is_so = session_id == derived or (known is not None and known.title == document.get("title", UNTITLED))
        if known is not None and is_so and _begins_with(known, document, whole=session_id == own):
            return None
    return _made(store, new_session_id(), document, owner)


def _made(store: SessionStore, session_id: str, document: Document, owner: str) -> Session:
    session = store.new(owner=owner, session_id=session_id)
    # Adopted, and not given as arguments: a field of a file from elsewhere may have any name.
    fields = {name: value for name, value in document.items() if name not in _OURS}
    session.adopt(session.document() | fields)
    return session


def _id_of_content(document: Document) -> str:
    """An id that the same conversation gets each time it is imported."""
    return hashlib.sha256(msgspec.json.encode(document, order="deterministic")).hexdigest()[:32]


def _find(store: SessionStore, session_id: str, owner: str) -> Session | None:
    try:
        return store.get(session_id, owner=owner)
    except (NotFound, SessionUnreadable):
        return None


def _begins_with(session: Session, document: Document, *, whole: bool) -> bool:
    """Are the messages of a document those of a session, or its first ones, but for what saving adds to each?"""
    messages = document["messages"]
    if len(session.messages) < len(messages) or (whole and len(session.messages) > len(messages)):
        return False
    return all(
        all(stored.get(name) == value for name, value in message.items())
        for stored, message in zip(session.messages, messages, strict=False)
    )
