"""What a session must look like before a run may begin: decided here, saved by the engine."""

from collections.abc import Sequence
from typing import Any

import msgspec

from api.domain.attachments import Attachment, attachments_of, field_of
from api.domain.errors import BadRequest, Conflict, StaleRevision
from api.domain.ids import MessageId, RunId, is_safe_id, new_message_id
from api.domain.messages import Message, clean_text, is_said, text_of
from api.domain.titles import UNTITLED, title_from
from api.sessions.documents import editing, versions
from api.sessions.documents.session import Session


class NewTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A message from a person. `message_id` is made by the client, so that sending it again does nothing twice."""

    text: str
    message_id: str | None = None
    model: str | None = None
    agent: str | None = None
    workspace: str | None = None
    attachments: list[str] | None = []
    """The ids of what is given along; None for a message that keeps those that it had."""


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
    if new.attachments is not None:
        check_not_empty(text, new.attachments)
    if new.message_id is not None and not is_safe_id(new.message_id):
        raise BadRequest("This cannot be the id of a message.", code="bad_id", field="message_id")
    return msgspec.structs.replace(new, text=text)


def check_not_empty(text: str, attachments: Sequence[object]) -> None:
    """Raises:
    BadRequest: a message says nothing, and nothing is given along with it.
    """
    if not text.strip() and not attachments:
        raise BadRequest("The message is empty. Write something first.", code="empty_message", field="message")


def already_accepted(session: Session, new: NewTurn) -> Message | None:
    """The message that this one repeats, when it was accepted before, wherever it is by now.

    Raises:
        Conflict: another message has its id.
    """
    known = versions.find_message(session, new.message_id) if new.message_id else None
    if known is None:
        return None
    is_so = new.attachments is None or new.attachments == [one.id for one in attachments_of(known)]
    if known.get("role") != "user" or text_of(known) != new.text or not is_so:
        raise Conflict("Another message already has this id. Nothing was changed.", code="message_id_reused")
    return known


def add_message(session: Session, new: NewTurn, given: Sequence[Attachment], run_id: RunId, now: float) -> None:
    """Append a person's message and hand the session to the run that will answer it."""
    message = {"id": new.message_id or new_message_id(), "role": "user", "content": new.text, "timestamp": now}
    session.messages.append(message | field_of(given) | {"run_id": run_id})
    if session.title == UNTITLED and not session.title_by:
        named_after = new.text if new.text.strip() or not given else given[0].name
        session.title, session.title_by = title_from(named_after), "message"
    session.workspace = new.workspace or session.workspace
    session.active_stream_id = run_id


def drop_last_answer(session: Session, run_id: RunId) -> None:
    """Take back all that was said after the last message of a person, so that a run can answer it anew.

    What is taken back stays with that message, as a version of it.

    Raises:
        Conflict: there is no message to answer.
    """
    position = _last_user_position(session)
    # Replaced and not changed in place: the caller can put back the list that was there before.
    again = session.messages[position] | {"run_id": run_id}
    if position + 1 < len(session.messages):
        again[versions.ALTERNATIVES] = versions.kept_with(session, position)
        again.pop(versions.VERSION, None)
    session.messages = [*session.messages[:position], again]
    session.active_stream_id = run_id


def replace_message(
    session: Session, message_id: str, new: NewTurn, given: Sequence[Attachment] | None, run_id: RunId, now: float
) -> None:
    """Put another message of a person in the place of one, so that a run can answer that instead.

    The old one, with all that followed it, stays with the new one, as a version of it. With None as what is `given`
    along, the new one has what the old one had.

    Raises:
        NotFound: there is no such message.
        BadRequest: the new one says nothing.
        Conflict: it is not a person's, or it was told to an agent at work.
    """
    position = editing.position_of(session, message_id)
    old = session.messages[position]
    if old.get("role") != "user":
        raise Conflict("Only your own messages can be edited.", code="not_yours")
    if not is_said(old):
        raise Conflict("The agent has worked with this already. Edit the message that it answers.", code="steered")
    given = attachments_of(old) if given is None else given
    check_not_empty(new.text, given)
    kept = versions.kept_with(session, position)
    session.messages = session.messages[:position]
    add_message(session, new, given, run_id, now)
    session.messages[-1][versions.ALTERNATIVES] = kept


def was_answered(session: Session) -> bool:
    """Was the last answer neither stopped nor cut off, nor did it fail? What came out of the background is none."""
    answers = (one for one in reversed(session.messages) if one.get("role") == "assistant" and not one.get("task"))
    return next(answers, {}).get("outcome") in (None, "done")


def was_cut_off_in_mid_sentence(session: Session) -> bool:
    """Did the last answer stop early and leave words to go on from?

    Raises:
        Conflict: the last answer is complete.
    """
    last = session.messages[-1] if session.messages else {}
    if last.get("role") != "assistant" or last.get("outcome") not in ("interrupted", "cancelled", "failed"):
        raise Conflict("The last answer is complete, so there is nothing to continue.", code="nothing_to_continue")
    # Told something just before it broke off, it has a word to answer, if none to go on from.
    return bool(text_of(last).strip()) or bool(session.messages[-2:-1] and session.messages[-2].get("steered"))


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
            session=session.row(),
        )


def check_last(session: Session, message_id: str | None) -> None:
    """Raises:
    Conflict: the turn that the client means is not the last one by now.
    """
    if message_id is not None and last_user_message(session)["id"] != message_id:
        raise Conflict(
            "The conversation has gone on since. Nothing was changed; look at it again.",
            code="not_the_last",
            revision=session.revision,
            session=session.row(),
        )


def before(session: Session) -> dict[str, Any]:
    """What of a session can be changed here, to be put back when it cannot be saved."""
    names = ("title", "title_by", "model", "agent", "workspace", "active_stream_id")
    names += ("pinned", "archived", "project_id", "tags", "unread", "system_prompt", "parameters")
    state = {name: getattr(session, name) for name in names}
    return state | {"messages": list(session.messages), "extra": dict(session.extra)}


def put_back(session: Session, state: dict[str, Any]) -> None:
    for name, value in state.items():
        setattr(session, name, value)


def _last_user_position(session: Session) -> int:
    for position in range(len(session.messages) - 1, -1, -1):
        if is_said(session.messages[position]):
            return position
    raise Conflict("There is no message to answer yet.", code="nothing_to_retry")
