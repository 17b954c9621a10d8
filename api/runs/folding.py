"""How a run that ended enters its session's document: once, and only while the session is still its own."""

import logging

import msgspec

from api.domain.compactions import FIELD, KEPT, WANTED, Compaction
from api.domain.errors import Conflict
from api.domain.ids import RunId
from api.domain.messages import Message, is_said
from api.domain.titles import UNTITLED
from api.domain.transcript import Transcript, messages_of
from api.runs.journal import Header
from api.runs.turns import before, put_back
from api.sessions.documents.session import Session

CHANGED_OUTSIDE = ("stale_revision", "document_gone", "session_unreadable")

log = logging.getLogger(__name__)


def fold_into(session: Session, header: Header, transcript: Transcript, *, now: float) -> bool:
    """Append the run's messages and save; False when the session belongs to no run or another one by now.

    `active_stream_id` is the fencing token: each run has its own, and the start of another run replaces it, so an old
    run that wakes up late finds the door closed. Safe to repeat after a crash at any point.

    Raises:
        StorageFailed: the document could not be written; nothing has changed, in memory either.
        NotFound: the session was deleted.
    """
    with session.lock:
        if session.active_stream_id != header.run_id:
            log.warning("run.fold_refused", extra={"run_id": header.run_id, "session_id": header.session_id})
            return False
        state = before(session)
        tokens = (session.input_tokens, session.output_tokens, session.estimated_cost)
        if not messages_by(session.messages, header.run_id):
            session.messages.extend(messages_of(transcript, header.run_id, model=header.model, now=now))
            _add_usage(session, transcript)
        _rename(session, transcript)
        session.active_stream_id = None
        try:
            _save(session)
        except BaseException:
            put_back(session, state)
            session.input_tokens, session.output_tokens, session.estimated_cost = tokens
            raise
        return True


def keep_compaction(session: Session, made: Compaction) -> None:
    """Keep a summary of the older messages with the session, which keeps all of these.

    Raises:
        Conflict, StorageFailed: it could not be written; it is then only in memory.
    """
    with session.lock:
        kept = session.extra.get(FIELD)
        session.extra[FIELD] = [*(kept if isinstance(kept, list) else []), msgspec.to_builtins(made)][-KEPT:]
        session.extra.pop(WANTED, None)
        if session.seen is not None:
            session.save()


def _save(session: Session) -> None:
    """What was shown enters the document even where someone else changed or removed that meanwhile; theirs is kept."""
    try:
        session.save()
    except Conflict as error:
        if error.code not in CHANGED_OUTSIDE:
            raise
        session.home.make_way(session)
        session.save()


def messages_by(messages: list[Message], run_id: RunId) -> list[Message]:
    """What a run said and was told, of all `messages`."""
    return [one for one in messages if one.get("run_id") == run_id and not is_said(one)]


def _add_usage(session: Session, transcript: Transcript) -> None:
    usage = transcript.usage
    if usage is None:
        return
    session.input_tokens = (session.input_tokens or 0) + usage.input_tokens
    session.output_tokens = (session.output_tokens or 0) + usage.output_tokens
    if usage.cost is not None:
        session.estimated_cost = (session.estimated_cost or 0.0) + usage.cost


def _rename(session: Session, transcript: Transcript) -> None:
    if transcript.title and (session.title_by != "person" or session.title == UNTITLED):
        session.title, session.title_by = transcript.title, "agent"
