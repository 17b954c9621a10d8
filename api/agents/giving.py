"""How each attachment of a conversation is given to an agent. Decides only; reads nothing."""

from collections.abc import Iterable, Set
from typing import Literal, NamedTuple

import msgspec

from api.agents.attached import CROWDED, TOO_LARGE, UNREAD, UNSEEN, names
from api.domain import events as ev
from api.domain.attachments import PICTURES, Attachment, MediaType, attachments_of
from api.domain.messages import Message

MOST_SHOWN_BYTES = 14 << 20
"""Of all pictures and documents of a request: as base64 it stays below 20 MB, where the strictest providers end."""
MOST_SHOWN = 20
"""Pictures and documents of a request. With more, some providers take only small ones."""
TEXT = 60_000
"""Characters of one text file."""
ALL_TEXT = 180_000
"""Characters of all text files of a request."""
MOST_BYTES_OF_TOOL = 5 << 20
"""Of one picture that a tool gave: many providers take none that is larger, and refuse the whole request."""
LEAST_TEXT = 500
"""Where fewer characters are left, a file is told of by words."""


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent can be given: the kinds that it is shown as they are, and how many characters of a text.

    `refused`: the ids of what was shown once and refused.
    """

    shows: frozenset[MediaType] = PICTURES
    refused: Set[str] = frozenset()
    text: int = TEXT
    all_text: int = ALL_TEXT


class Way(NamedTuple):
    """One attachment: shown as it is, as text of at most `most` characters, or by words that end in `why`."""

    attachment: Attachment
    how: Literal["shown", "text", "words"]
    most: int = 0
    why: str = ""


class _Room:
    def __init__(self, means: Means) -> None:
        self.shown = MOST_SHOWN
        self.bytes = MOST_SHOWN_BYTES
        self.text = means.all_text


def ways(messages: list[Message], means: Means) -> dict[int, list[Way]]:
    """By the position of its message. The newest have what room there is; of what is older is told by words.

    What a person gave comes before what tools gave, of which there may be much. What a sub-agent saw is its own affair.
    """
    room, found = _Room(means), {}
    said, given = _holding(messages)
    for position in reversed(said):
        found[position] = [_way(one, means, room) for one in attachments_of(messages[position])]
    for position in reversed(given):
        found[position] = [_way_of_tool(one, means, room) for one in attachments_of(messages[position])]
    return found


def ways_of_tool(attached: Iterable[Attachment], means: Means) -> list[Way]:
    """Those of one call that has just ended."""
    room = _Room(means)
    return [_way_of_tool(one, means, room) for one in attached]


def notices_of(by_words: Iterable[Way], who: str) -> list[ev.Notice]:
    """What a person is told of attachments that `who`, a model or an agent, is given by words alone."""
    given = list(by_words)
    unseen = [way.attachment for way in given if way.attachment.is_picture and way.why == UNSEEN]
    others = [way.attachment for way in given if way.attachment not in unseen]
    told: list[ev.Notice] = []
    if unseen:
        message = f"{who} does not see {names(unseen)}: it was told by words that there is such a picture."
        told.append(ev.Notice(code="pictures_not_seen", message=message))
    if others:
        message = f"{who} could not be given {names(others)}, only name, kind and size."
        told.append(ev.Notice(code="attachments_not_read", message=message))
    return told


def means_of(kind: str, *, sees: bool | None, refused: Iterable[str] = (), window: int | None = None) -> Means:
    """Of a model of a kind of provider. `sees`: whether it is known to; `window` in tokens, where it is known."""
    shows = set(PICTURES) if sees is not False else set()
    if kind == "google":
        shows.discard("image/gif")
    if kind in ("anthropic", "google", "openai"):
        shows.add("application/pdf")
    # Characters, four to a token: one file fills at most a quarter of the window, and all of them half of it.
    text, all_text = (min(TEXT, window), min(ALL_TEXT, window * 2)) if window else (TEXT, ALL_TEXT)
    return Means(shows=frozenset(shows), refused=frozenset(refused), text=text, all_text=all_text)


def _holding(messages: list[Message]) -> tuple[list[int], list[int]]:
    """The positions of messages with attachments: of a person, and of tools that no sub-agent called."""
    said: list[int] = []
    given: list[int] = []
    below: set[str] = set()
    for position, message in enumerate(messages):
        match message.get("role"):
            case "assistant":
                calls = message.get("tool_calls")
                listed = calls if isinstance(calls, list) else []
                below = {str(one.get("id")) for one in listed if isinstance(one, dict) and one.get("parent")}
            case "user" if attachments_of(message):
                said.append(position)
            case "tool" if attachments_of(message) and str(message.get("tool_call_id")) not in below:
                given.append(position)
    return said, given


def _way_of_tool(one: Attachment, means: Means, room: _Room) -> Way:
    return _way(one, means, room) if one.size <= MOST_BYTES_OF_TOOL else Way(one, "words", why=TOO_LARGE)


def _way(one: Attachment, means: Means, room: _Room) -> Way:
    if one.media_type == "text/plain":
        most = min(means.text, room.text)
        if most < min(LEAST_TEXT, one.size):
            return Way(one, "words", why=CROWDED)
        room.text -= min(most, one.size)
        return Way(one, "text", most=most)
    if one.media_type not in means.shows or one.id in means.refused:
        return Way(one, "words", why=UNSEEN if one.is_picture else UNREAD)
    if one.size > MOST_SHOWN_BYTES:
        return Way(one, "words", why=TOO_LARGE)
    if room.shown == 0 or one.size > room.bytes:
        room.shown = 0  # what is older than one that was left out is left out too
        return Way(one, "words", why=CROWDED)
    room.shown -= 1
    room.bytes -= max(0, one.size)
    return Way(one, "shown")
