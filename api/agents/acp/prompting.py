"""What an agent program is sent for a turn: the message, and of the conversation what it does not know yet."""

from collections.abc import Iterable, Iterator
from typing import Any

from api.agents.base import Turn
from api.domain.messages import Message, text_of

_MOST_CHARACTERS = 100_000
_MOST_OF_ONE = 20_000

_GO_ON = "Your last answer was cut off. Go on exactly where it stops, without repeating any of it."
_GO_ON_AFTER = "Fireside was started again while you were at work. Go on where you were; ask again where you had asked."
_BEFORE = (
    "The following conversation took place before, without you. It is for your information: do not answer it again.\n\n"
)
_AFTER = "\n\n(This is where it ends. What follows is for you.)\n\n"


def prompt_of(turn: Turn, missed: Iterable[Message]) -> list[dict[str, Any]]:
    """The blocks of a prompt. `missed` is what the agent has not been told, oldest first."""
    before = preamble(missed)
    parts = [before] if before else []
    parts.append(_now(turn))
    return [{"type": "text", "text": text} for text in parts]


def preamble(messages: Iterable[Message]) -> str:
    """The conversation so far as text, as much of its end as has room; empty when nothing was said."""
    told: list[str] = []
    left = _MOST_CHARACTERS
    for said in reversed(list(_told(messages))):
        left -= len(said)
        if left < 0:
            told.append("(what was said before is left out)")
            break
        told.append(said)
    return _BEFORE + "\n\n".join(reversed(told)) + _AFTER if told else ""


def _now(turn: Turn) -> str:
    if turn.resumes is not None:
        return _GO_ON_AFTER
    return _GO_ON if turn.continuing else text_of(turn.messages[-1])


def _told(messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        text = text_of(message).strip()
        if message.get("role") == "tool":
            name = message.get("title") or message.get("name") or "a tool"
            yield f"[used {name}]"
        elif text:
            who = "User" if message.get("role") == "user" else "Assistant"
            cut = text if len(text) <= _MOST_OF_ONE else f"{text[:_MOST_OF_ONE]}\n(cut)"
            yield f"{who}: {cut}"
