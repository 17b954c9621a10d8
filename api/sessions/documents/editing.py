"""What can be done to a session besides adding messages to it. Changes memory; saving is the caller's."""

from api.domain.errors import Conflict, NotFound
from api.domain.messages import Message, is_said
from api.sessions.documents.session import Session

TAKEN_BACK = "taken_back"
"""The document's field for what was taken away and can be put back: `[{reason, at, messages}]`, newest last."""

KEEP = 10


def undo_last_turn(session: Session, now: float) -> list[Message]:
    """Take back the last message of a person and all that followed; gives what was taken.

    Raises:
        Conflict: no person has said anything.
    """
    for position in range(len(session.messages) - 1, -1, -1):
        if is_said(session.messages[position]):
            return _take_back(session, position, "undo", now)
    raise Conflict("There is nothing to undo in this conversation.", code="nothing_to_undo")


def truncate(session: Session, message_id: str, now: float) -> list[Message]:
    """Take away everything after a message; gives what was taken.

    Raises:
        NotFound: there is no such message.
        Conflict: nothing follows it.
    """
    position = position_of(session, message_id) + 1
    if position == len(session.messages):
        raise Conflict("Nothing follows this message.", code="nothing_to_truncate")
    return _take_back(session, position, "truncate", now)


def clear(session: Session, now: float) -> list[Message]:
    """Take away everything; gives what was taken.

    Raises:
        Conflict: there is nothing.
    """
    if not session.messages:
        raise Conflict("This conversation is empty already.", code="nothing_to_clear")
    return _take_back(session, 0, "clear", now)


def put_back(session: Session) -> list[Message]:
    """Put back what was last taken away; gives it.

    Raises:
        Conflict: nothing was, or the conversation has gone on since.
    """
    taken = session.extra.get(TAKEN_BACK)
    taken = taken if isinstance(taken, list) else []
    last = taken[-1] if taken else None
    if not isinstance(last, dict) or not isinstance(last.get("messages"), list):
        raise Conflict("There is nothing to put back.", code="nothing_to_put_back")
    if last.get("after") != _last_id(session):
        raise Conflict(
            "The conversation has gone on since, so nothing was put back. What was taken is still in its document.",
            code="went_on",
        )
    session.extra[TAKEN_BACK] = taken[:-1]
    session.messages = [*session.messages, *last["messages"]]
    return last["messages"]


def position_of(session: Session, message_id: str) -> int:
    """Where in the session a message stands.

    Raises:
        NotFound: nowhere.
    """
    for position, message in enumerate(session.messages):
        if message.get("id") == message_id:
            return position
    raise NotFound("That message is no longer in this conversation.", code="message_not_found", field="message_id")


def _take_back(session: Session, position: int, reason: str, now: float) -> list[Message]:
    removed = session.messages[position:]
    session.messages = session.messages[:position]
    kept = session.extra.get(TAKEN_BACK)
    before = kept if isinstance(kept, list) else []
    entry = {"reason": reason, "at": now, "after": _last_id(session), "messages": removed}
    session.extra[TAKEN_BACK] = [*before, entry][-KEEP:]
    return removed


def _last_id(session: Session) -> str | None:
    return session.messages[-1].get("id") if session.messages else None
