"""Versions of a turn: what an edit or another answer took the place of, kept beside it, to be chosen again.

The message of a person that stands in the conversation holds the other versions under `alternatives`, oldest first,
each whole: the message, its answer, and all that followed. `version` is how many of them are older than the one that
stands there; absent, all of them are.
"""

from collections.abc import Iterator
from typing import Any

from api.domain.attachments import attachments_of
from api.domain.errors import Conflict, NotFound
from api.domain.messages import Message, is_said
from api.sessions.documents.document import Document
from api.sessions.documents.editing import TAKEN_BACK, position_of
from api.sessions.documents.session import Session

ALTERNATIVES = "alternatives"
VERSION = "version"

Tail = list[Message]
"""A message of a person and all that follows it."""


def kept_with(session: Session, position: int) -> list[Tail]:
    """All versions of the turn that begins at `position`, for the next one to hold as its alternatives."""
    older, newer = _others(session.messages[position])
    return [*older, _bare(session.messages[position:]), *newer]


def choose(session: Session, message_id: str, number: int) -> None:
    """Put version `number`, counted from 1, in the place of the one that stands there, with all that followed each.

    Raises:
        NotFound: there is no such message, or it has no such version.
        Conflict: its versions are of a form that only another program knows.
    """
    position = position_of(session, message_id)
    now = session.messages[position]
    if number == len(_others(now)[0]) + 1:
        return
    versions = kept_with(session, position)
    if not is_said(now) or not 1 <= number <= len(versions):
        raise NotFound("There is no such version of this message.", code="version_not_found", field="version")
    if not all(map(_is_tail, versions)):
        raise Conflict("Another program kept this version; it can be read, not chosen.", code="foreign_version")
    chosen = versions.pop(number - 1)
    # Only the answers were kept of a message that was itself not changed.
    first, *rest = chosen if is_said(chosen[0]) else [_bare([now])[0], *chosen]
    again = first | {ALTERNATIVES: versions, VERSION: number - 1}
    session.messages = [*session.messages[:position], again, *rest]


def shown(message: Message) -> Message:
    """A message as it is shown: what its other versions hold, which may be long, stays in the document.

    Instead it has the ids of the messages that its `versions` begin with, oldest first, and which of them it is itself
    as `version`, counted from 0.
    """
    if "attachments" in message:  # which other programs keep in other forms
        message = message | {"attachments": attachments_of(message)}
    if ALTERNATIVES not in message:
        return message
    older, newer = _others(message)
    ids = [[_first_id(tail, message) for tail in tails] for tails in (older, newer)]
    bare = {name: value for name, value in message.items() if name != ALTERNATIVES}
    return bare | {"versions": [*ids[0], message.get("id"), *ids[1]], VERSION: len(older)}


def _first_id(tail: object, message: Message) -> object:
    """Of the answers that were kept alone, the message that they belong to."""
    first = tail[0] if isinstance(tail, list) and tail and isinstance(tail[0], dict) else message
    return first.get("id") if is_said(first) else message.get("id")


def find_message(session: Session, message_id: str) -> Message | None:
    """The message that has this id or had it: in the conversation, in another version, or among what was taken away."""
    return next((one for one in all_messages(session) if one.get("id") == message_id), None)


def all_messages(session: Session) -> Iterator[Message]:
    """Those in the conversation, in other versions of it, and among what was taken away."""
    return messages_in({"messages": session.messages, TAKEN_BACK: session.extra.get(TAKEN_BACK)})


def messages_in(document: Document) -> Iterator[Message]:
    """As `all_messages`, of a document that was decoded."""
    yield from document["messages"]
    for message in document["messages"]:
        yield from _within(message)
    taken = document.get(TAKEN_BACK)
    for entry in taken if isinstance(taken, list) else []:
        for message in _messages_in(entry.get("messages") if isinstance(entry, dict) else None):
            yield message
            yield from _within(message)


def _within(message: Message) -> Iterator[Message]:
    alternatives = message.get(ALTERNATIVES)
    for tail in alternatives if isinstance(alternatives, list) else []:
        for one in _messages_in(tail):
            yield one
            yield from _within(one)


def _messages_in(value: Any) -> Iterator[Message]:
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())


def _others(message: Message) -> tuple[list[Tail], list[Tail]]:
    """The versions before and after the one that stands there."""
    alternatives = message.get(ALTERNATIVES)
    others = alternatives if isinstance(alternatives, list) else []
    at = message.get(VERSION)
    at = at if isinstance(at, int) and 0 <= at <= len(others) else len(others)
    return others[:at], others[at:]


def _bare(tail: Tail) -> Tail:
    """Without the other versions: whoever stands in the conversation holds those."""
    first, *rest = tail
    return [{name: value for name, value in first.items() if name not in (ALTERNATIVES, VERSION)}, *rest]


def _is_tail(tail: object) -> bool:
    return isinstance(tail, list) and bool(tail) and all(isinstance(one, dict) and one.get("id") for one in tail)
