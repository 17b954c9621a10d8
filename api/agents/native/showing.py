"""What is attached to messages and to results of calls, in the requests of a run.

Imports pydantic-ai, so it is itself imported late.

Until a request is sent, a picture or document stands in it as words that name it; its bytes are read for the sending
alone, and let go of with it.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from msgspec.structs import replace as replace_fields
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    TextContent,
    UserContent,
    UserPromptPart,
)

from api.agents.attached import CROWDED, GONE, bytes_of, fenced, names, unseen, words
from api.agents.base import Turn, just_given
from api.agents.giving import MOST_SHOWN, MOST_SHOWN_BYTES, Means, Way, notices_of, ways, ways_of_tool
from api.domain import events as ev
from api.domain.attachments import Attachment
from api.domain.messages import Message


class Place(NamedTuple):
    """Where a request will show something, and whether a tool gave it: what a person gave comes before that."""

    attachment: Attachment
    is_of_tool: bool

    def item(self) -> TextContent:
        """What stands there until then."""
        return TextContent(content=unseen(self.attachment), metadata=self)


class Showing:
    """How attachments get into the requests of one run. `model` is its name for a person.

    `refused` are the ids of those that the provider did not take, and answered without.
    """

    def __init__(self, turn: Turn, means: Means, model: str) -> None:
        self.refused: set[str] = set()
        self._notices: list[ev.Notice] = []
        self._doubted: set[str] = set()
        self._means = means
        self._model = model
        self._turn = turn
        self._new = {one.id for one in just_given(turn)}
        self._told: set[str] = set()

    def contents(self, messages: list[Message]) -> dict[int, list[UserContent]]:
        """What is attached, as parts of a prompt, by the position of its message. Blocks while it reads text files."""
        found = ways(messages, self._means)
        self._note([way for given in found.values() for way in given if way.how == "words"])
        return {
            position: [self._part(way, is_of_tool=messages[position].get("role") == "tool") for way in given]
            for position, given in found.items()
        }

    def of_tool(self, attached: Sequence[Attachment]) -> list[UserContent]:
        """Pictures that a call gave, as parts of a prompt."""
        return [self._part(way, is_of_tool=True) for way in ways_of_tool(attached, self._means)]

    def below(self) -> "Showing":
        """For a sub-agent, which is told nothing of what was said here."""
        return Showing(replace_fields(self._turn, messages=[]), self._means, self._model)

    async def filled(self, messages: list[ModelMessage]) -> list[ModelMessage]:
        """The messages with the bytes of what they show, as much of its end as has room."""
        if not shown(messages):
            return messages
        each = iter(_room(messages))
        return await asyncio.to_thread(
            _changed,
            messages,
            lambda one: self._with_bytes(one.attachment) if next(each) else [words(one.attachment, CROWDED)],
        )

    def refuse(self, messages: list[ModelMessage], why: str) -> list[ModelMessage]:
        """The messages with words in place of all that they show; `why` is a sentence of who did not take it."""
        refused = shown(messages)
        self._doubted |= {one.id for one in refused}
        if not refused:
            return messages
        message = f"{self._model} does not see {names(refused)}: it was told by words that there is such a file. {why}"
        self._notices.append(ev.Notice(code="pictures_not_seen", message=message))
        return _changed(messages, lambda one: [unseen(one.attachment)])

    def answered(self) -> list[ev.Notice]:
        """The model answers: what the person is to be told, once, about what it was given."""
        self.refused |= self._doubted
        told, self._notices = self._notices, []
        return told

    def _part(self, way: Way, *, is_of_tool: bool) -> UserContent:
        match way.how:
            case "shown":
                return Place(way.attachment, is_of_tool).item()
            case "text":
                return self._text(way.attachment, way.most)
            case _:
                return words(way.attachment, way.why)

    def _text(self, attachment: Attachment, most: int) -> str:
        try:
            return fenced(attachment, bytes_of(attachment, self._turn.open), most)
        except OSError:
            return self._lost(attachment)

    def _with_bytes(self, attachment: Attachment) -> list[UserContent]:
        try:
            data = bytes_of(attachment, self._turn.open)
        except OSError:
            return [self._lost(attachment)]
        return [words(attachment), BinaryContent(data=data, media_type=attachment.media_type)]

    def _lost(self, attachment: Attachment) -> str:
        self._note([Way(attachment, "words", why=GONE)])
        return words(attachment, GONE)

    def _note(self, by_words: list[Way]) -> None:
        """Tell the person which of those that they just gave the model is only told of, once for each."""
        fresh = [way for way in by_words if way.attachment.id in self._new - self._told]
        self._told |= {way.attachment.id for way in fresh}
        self._notices += notices_of(fresh, self._model)


def shown(messages: Sequence[ModelMessage]) -> list[Attachment]:
    """What the messages show, or will once their bytes are read."""
    return [place.attachment for place in _places(messages)]


def _places(messages: Sequence[ModelMessage]) -> list[Place]:
    prompts = (part for one in messages if isinstance(one, ModelRequest) for part in one.parts)
    return [place for part in prompts if isinstance(part, UserPromptPart) for place in places_in(part)]


def _room(messages: Sequence[ModelMessage]) -> list[bool]:
    """For which of what the messages show there is room in a request: the last, up to one that is too much.

    What a person gave comes before what tools gave.
    """
    due = _places(messages)
    has_room = [False] * len(due)
    left, count = MOST_SHOWN_BYTES, 0
    for of_tools in (False, True):
        for at, (one, is_of_tool) in reversed(list(enumerate(due))):
            if is_of_tool is not of_tools:
                continue
            left, count = left - one.size, count + 1
            has_room[at] = left >= 0 and count <= MOST_SHOWN
    return has_room


def shown_by(item: UserContent) -> Attachment | None:
    """The attachment in whose place an item of a prompt stands."""
    place = _place_of(item)
    return place.attachment if place else None


def places_in(part: UserPromptPart) -> Iterator[Place]:
    """Of what one prompt shows."""
    if not isinstance(part.content, str):
        yield from filter(None, map(_place_of, part.content))


def _place_of(item: UserContent) -> Place | None:
    return item.metadata if isinstance(item, TextContent) and isinstance(item.metadata, Place) else None


def _changed(messages: list[ModelMessage], put: Callable[[Place], Sequence[UserContent]]) -> list[ModelMessage]:
    """The messages with what `put` gives in place of what they show."""
    return [
        replace(one, parts=[put_in(part, put) for part in one.parts]) if isinstance(one, ModelRequest) else one
        for one in messages
    ]


def put_in(part: ModelRequestPart, put: Callable[[Place], Sequence[UserContent]]) -> ModelRequestPart:
    """A part of a request with what `put` gives in place of what it shows."""
    if not isinstance(part, UserPromptPart) or isinstance(part.content, str) or not any(places_in(part)):
        return part
    items: list[UserContent] = []
    for item in part.content:
        place = _place_of(item)
        items += put(place) if place else [item]
    return replace(part, content=plainly(items))


def plainly(items: list[UserContent]) -> str | list[UserContent]:
    """The items of a prompt as one text where all are that: some servers know no other messages."""
    texts = [item for item in items if isinstance(item, str)]
    return "\n\n".join(texts) if len(texts) == len(items) else items
