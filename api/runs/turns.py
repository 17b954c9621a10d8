"""What a session must look like before a run may begin: decided here, saved by the engine."""

from typing import Any

import msgspec

from api.domain.errors import BadRequest, Conflict, StaleRevision
from api.domain.ids import MessageId, RunId, is_safe_id, new_message_id
from api.domain.messages import Message, clean_text, text_of
from api.domain.titles import UNTITLED, title_from
from api.sessions import editing
from api.sessions.session import Session


class NewTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A message from a person. `message_id` is made by the client, so that sending it again does nothing twice."""

    text: str
    message_id: str | None = None
    model: str | None = None
    agent: str | None = None
    workspace: str | None = None


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """What the sender of a message is told once it is durable."""

    stream_id: RunId
    session_id: str
    turn_id: MessageId
    message_id: MessageId
    title: str
    revision: int


def checked(new: NewTurn) -> NewTurn:
    """The turn as it will be stored.

    Raises:
        BadRequest: it says nothing, or its id cannot be an id.
    """
    text = clean_text(new.text)
    if not text.strip():
        raise BadRequest("The message is empty. Write something first.", code="empty_message", field="message")
    if new.message_id is not None and not is_safe_id(new.message_id):
        raise BadRequest("This cannot be the id of a message.", code="bad_id", field="message_id")
    return msgspec.structs.replace(new, text=text)


def already_accepted(session: Session, new: NewTurn) -> Message | None:
    """The message that this one repeats, when it was accepted before.

    Raises:
        Conflict: another message has its id.
    """
    known = next((one for one in session.messages if new.message_id and one.get("id") == new.message_id), None)
    if known is None:
        return None
    if known.get("role") != "user" or text_of(known) != new.text:
        raise Conflict("Another message already has this id. Nothing was changed.", code="message_id_reused")
    return known


def add_message(session: Session, new: NewTurn, run_id: RunId, now: float) -> None:
    """Append a person's message and hand the session to the run that will answer it."""
    message = {"id": new.message_id or new_message_id(), "role": "user", "content": new.text, "timestamp": now}
    session.messages.append(message | {"run_id": run_id})
    if session.title == UNTITLED and not session.title_by:
        session.title, session.title_by = title_from(new.text), "message"
    session.workspace = new.workspace or session.workspace
    session.active_stream_id = run_id


def drop_last_answer(session: Session, run_id: RunId) -> None:
    """Take back all that was said after the last message of a person, so that a run can answer it anew.

    What is taken back stays with that message, under `alternatives`.

    Raises:
        Conflict: there is no message to answer.
    """
    position = _last_user_position(session)
    message, dropped = session.messages[position], session.messages[position + 1 :]
    # Replaced and not changed in place: the caller can put back the list that was there before.
    kept = [*message.get("alternatives", []), dropped] if dropped else message.get("alternatives", [])
    again = message | {"run_id": run_id} | ({"alternatives": kept} if kept else {})
    session.messages = [*session.messages[:position], again]
    session.active_stream_id = run_id


def replace_message(session: Session, message_id: str, new: NewTurn, run_id: RunId, now: float) -> None:
    """Put another message of a person in the place of one, so that a run can answer that instead.

    The old one, with all that followed it, stays with the new one, under `alternatives`.

    Raises:
        NotFound: there is no such message.
        Conflict: it is not a person's.
    """
    position = editing.position_of(session, message_id)
    old, dropped = session.messages[position], session.messages[position:]
    if old.get("role") != "user":
        raise Conflict("Only your own messages can be edited.", code="not_yours")
    session.messages = session.messages[:position]
    add_message(session, new, run_id, now)
    session.messages[-1]["alternatives"] = [*old.get("alternatives", []), dropped]


def was_cut_off_in_mid_sentence(session: Session) -> bool:
    """Did the last answer stop early and leave words to go on from?

    Raises:
        Conflict: the last answer is complete.
    """
    last = session.messages[-1] if session.messages else {}
    if last.get("role") != "assistant" or last.get("outcome") not in ("interrupted", "cancelled", "failed"):
        raise Conflict("The last answer is complete, so there is nothing to continue.", code="nothing_to_continue")
    return bool(text_of(last).strip())


def hand_over(session: Session, run_id: RunId) -> None:
    """Give the session, as it is, to a run."""
    session.active_stream_id = run_id


def last_user_message(session: Session) -> Message:
    return session.messages[_last_user_position(session)]


def started(session: Session, message: Message, run_id: RunId | None = None) -> Started:
    """What to tell about a run; by default the one that answers `message`."""
    return Started(
        stream_id=run_id or RunId(message.get("run_id") or ""),
        session_id=session.session_id,
        turn_id=message["id"],
        message_id=message["id"],
        title=session.title,
        revision=session.revision,
    )


def check_revision(session: Session, seen: int | None) -> None:
    """Raises:
    StaleRevision: the session has changed since the revision that the client saw.
    """
    if seen is not None and seen != session.revision:
        raise StaleRevision(
            "This conversation changed in another window. Nothing was overwritten; look at it again.",
            revision=session.revision,
        )


def before(session: Session) -> dict[str, Any]:
    """What of a session can be changed here, to be put back when it cannot be saved."""
    names = ("title", "title_by", "model", "agent", "workspace", "active_stream_id")
    names += ("pinned", "archived", "project_id", "tags", "unread")
    state = {name: getattr(session, name) for name in names}
    return state | {"messages": list(session.messages), "extra": dict(session.extra)}


def put_back(session: Session, state: dict[str, Any]) -> None:
    for name, value in state.items():
        setattr(session, name, value)


def _last_user_position(session: Session) -> int:
    for position in range(len(session.messages) - 1, -1, -1):
        if session.messages[position].get("role") == "user":
            return position
    raise Conflict("There is no message to answer yet.", code="nothing_to_retry")
