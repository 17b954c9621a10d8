"""Two versions of one session: what someone else wrote into its file becomes a session of its own, word for word."""

import logging
from pathlib import Path
from typing import Any

from api.domain.ids import new_session_id
from api.domain.titles import UNTITLED
from api.sessions.disk import attached
from api.sessions.disk.files import move_file, replace_file
from api.sessions.disk.loading import SessionNotFound, read_document
from api.sessions.disk.quarantine import stamp_of
from api.sessions.documents.document import Unreadable, decode, encode, fingerprint, usable_count
from api.sessions.documents.session import Seen, Session

log = logging.getLogger(__name__)

CONFLICT_OF = "conflict_of"
"""The field of such a session that holds the id of the one whose file it was in."""


def keep_theirs(session: Session, path: Path) -> str | None:
    """Keep what is at `path` now under another id, so that `session` may be saved there; gives that id.

    None where nothing is there any more. What cannot be read becomes a file that is listed with its reason.

    Raises:
        SessionUnreadable, OSError: it cannot be kept, and nothing has changed.
    """
    kept_id = new_session_id()
    kept = path.with_name(f"{kept_id}.json")
    try:
        raw, status = read_document(path, session.session_id)
    except SessionNotFound:
        session.seen = None
        return None
    try:
        theirs = decode(raw, session.session_id)
    except Unreadable:
        attached.copy(path.parent, session.session_id, kept_id, raw)
        move_file(path, kept)
        session.seen = None
    else:
        data = encode(theirs | _own_fields(theirs, session, kept_id))
        attached.copy(path.parent, session.session_id, kept_id, data)
        replace_file(kept, data)
        revision = max(session.revision, usable_count(theirs.get("revision")))
        # Their messages are safe, so that ours may be fewer.
        session.seen = Seen(path, stamp_of(status), fingerprint(raw), 0, revision)
        session.revision = revision
    log.warning("session.conflict", extra={"session_id": session.session_id, "theirs": kept_id})
    return kept_id


def _own_fields(theirs: dict[str, Any], session: Session, kept_id: str) -> dict[str, Any]:
    title = f"{theirs.get('title') or UNTITLED} (changed elsewhere)"
    return {
        "session_id": kept_id,
        "title": title,
        "title_by": "person",
        "active_stream_id": None,
        CONFLICT_OF: session.session_id,
    }
