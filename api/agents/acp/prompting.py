"""What an agent program is sent for a turn: the message, and of the conversation what it does not know yet."""

import base64
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from acp import schema

from api.agents.attached import GONE, bytes_of, fenced, in_words, words
from api.agents.base import Turn
from api.agents.giving import Means, Way, notices_of, ways
from api.domain import events as ev
from api.domain.attachments import PICTURES
from api.domain.messages import Message, text_of

_MOST_CHARACTERS = 100_000
_MOST_OF_ONE = 20_000

_GO_ON = "Your last answer was cut off. Go on exactly where it stops, without repeating any of it."
GO_ON_AFTER = "Fireside was started again while you were at work. Go on where you were; ask again where you had asked."
_BEFORE = (
    "The following conversation took place before, without you. It is for your information: do not answer it again.\n\n"
)
_AFTER = "\n\n(This is where it ends. What follows is for you.)\n\n"


class Prompt(NamedTuple):
    """What is sent, as blocks, and what the person is to be told about it."""

    blocks: list[dict[str, Any]]
    notices: list[ev.Notice]


def prompt_of(turn: Turn, missed: Iterable[Message], title: str, can: schema.PromptCapabilities) -> Prompt:
    """`missed` is what the agent, called `title`, has not been told, oldest first. Blocks while it reads files.

    What is attached to the message stands before its text, unless that is a command, which agents look for first.
    """
    before = preamble(missed)
    blocks = [_text(before)] if before else []
    if turn.resumes is not None or turn.continuing:
        return Prompt([*blocks, _text(GO_ON_AFTER if turn.resumes is not None else _GO_ON)], [])
    now, text = turn.messages[-1], text_of(turn.messages[-1])
    means = Means(shows=PICTURES if can.image else frozenset())
    read = [_read(way, turn) for way in ways([now], means).get(0, ())]
    attached = [_block(way, data, is_embedded=bool(can.embedded_context)) for way, data in read]
    said = [_text(text)] if text or not attached else []
    blocks += [*said, *attached] if text.startswith("/") else [*attached, *said]
    return Prompt(blocks, notices_of([way for way, _ in read if way.how == "words"], title))


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


def _read(way: Way, turn: Turn) -> tuple[Way, bytes]:
    try:
        return way, b"" if way.how == "words" else bytes_of(way.attachment, turn.open)
    except OSError:
        return Way(way.attachment, "words", why=GONE), b""


def _block(way: Way, data: bytes, *, is_embedded: bool) -> dict[str, Any]:
    one = way.attachment
    if way.how == "shown":
        return {"type": "image", "mimeType": one.media_type, "data": base64.b64encode(data).decode()}
    if way.how == "words":
        return _text(words(one, way.why))
    text = fenced(one, data, way.most)
    if not is_embedded:
        return _text(text)
    uri = f"attachment:///{quote(one.name, safe='')}"
    return {"type": "resource", "resource": {"uri": uri, "mimeType": one.media_type, "text": text}}


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _told(messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        text = in_words(message).strip()
        if message.get("role") == "tool":
            name = message.get("title") or message.get("name") or "a tool"
            yield f"[used {name}]"
        elif text:
            who = "User" if message.get("role") == "user" else "Assistant"
            cut = text if len(text) <= _MOST_OF_ONE else f"{text[:_MOST_OF_ONE]}\n(cut)"
            yield f"{who}: {cut}"
