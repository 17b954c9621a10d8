"""Summaries of the older part of a session, for its model. The session itself keeps every message."""

from typing import Any

import msgspec

from api.domain.attachments import attachments_of, tokens_of
from api.domain.messages import Message, is_said, text_of

KEPT = 10

FIELD = "compactions"
"""The document's field for summaries, oldest first."""
WANTED = "compacts_next"
"""The document's field for a person's wish to have one made before the next answer."""

_PREFACE = (
    "The conversation up to here has been summarised to fit. You wrote this summary; go by it as if you had read all:"
)


class Compaction(msgspec.Struct, frozen=True):
    """What the messages up to the one with the id `up_to`, `count` of them, come to. `at` in seconds since 1970."""

    up_to: str
    count: int
    text: str
    at: float


def holding(stored: Any, messages: list[Message]) -> Compaction | None:
    """The newest of the stored summaries that still tells of these messages.

    Whoever edits or takes back a message from before its end makes it void.
    """
    for entry in reversed(stored if isinstance(stored, list) else []):
        try:
            one = msgspec.convert(entry, Compaction)
        except msgspec.ValidationError:
            continue
        if 0 < one.count < len(messages) and messages[one.count - 1].get("id") == one.up_to:
            return one
    return None


def shortened(messages: list[Message], compaction: Compaction | None) -> list[Message]:
    """The messages with the summary in place of those it tells of."""
    if compaction is None:
        return messages
    summary = {"id": "summary", "role": "user", "content": f"{_PREFACE}\n\n{compaction.text}"}
    return [summary, *messages[compaction.count :]]


def cut_for(messages: list[Message], characters: int) -> int:
    """Where the newest part begins that has no more than so many characters: at a message that begins a turn.

    At the last turn, where even that is longer; 0 when there is nothing before it. Calls stay with their results.
    """
    left, cut = characters, 0
    for at in range(len(messages) - 1, -1, -1):
        left -= _size(messages[at])
        if left < 0 and cut > 0:
            break
        if is_said(messages[at]):
            cut = at
    return cut


def can_shrink(messages: list[Message], compaction: Compaction | None) -> bool:
    """Is there anything before the last turn that no summary tells of?"""
    return cut_for(messages, 0) > (compaction.count if compaction else 0)


def attached_size(message: Message) -> int:
    """As many characters as what is attached to a message fills of a window, about."""
    return sum(4 * tokens_of(one) for one in attachments_of(message))


def as_text(messages: list[Message]) -> str:
    """Messages as they are given to whoever summarises them."""
    return "\n\n".join(f"[{_who(one)}]\n{text}" for one in messages if (text := _told(one)))


def _told(message: Message) -> str:
    calls = message.get("tool_calls")
    asked = (
        [str(one.get("function") or {})[:2000] for one in calls if isinstance(one, dict)]
        if isinstance(calls, list)
        else []
    )
    text = text_of(message)
    return "\n".join(part for part in [text if message.get("role") != "tool" else text[:4000], *asked] if part.strip())


def _who(message: Message) -> str:
    return {"user": "Person", "assistant": "Assistant", "tool": "Result of a tool"}.get(
        str(message.get("role")), "Note"
    )


def _size(message: Message) -> int:
    calls = message.get("tool_calls")
    return len(text_of(message)) + (len(str(calls)) if calls else 0) + attached_size(message)
