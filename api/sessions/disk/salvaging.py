"""What can still be read of a document that cannot be shown. The file itself is left as it is."""

import json
from pathlib import Path

import msgspec

from api.domain.ids import is_safe_id
from api.domain.messages import Message
from api.sessions.disk.files import read_regular
from api.sessions.disk.originals import originals_of
from api.sessions.documents.document import Unreadable, check, cleaned, decode

LARGEST_SALVAGED = 1 << 26
"""Bytes. What is larger is only downloaded."""

_decoder = json.JSONDecoder()


class Salvaged(msgspec.Struct, frozen=True):
    """Messages that are whole, in their order, and the title where that could be read."""

    messages: list[Message]
    title: str | None = None


def salvage(path: Path) -> Salvaged:
    """The longest that can be read: of the file itself, or of a copy that was kept before its format was changed."""
    copies = originals_of(path.parent, path.stem) if is_safe_id(path.stem) else []
    found = [_from_damaged(path), *(_from_copy(copy, path.stem) for copy in copies)]
    return max(found, key=lambda one: len(one.messages))


def _from_copy(copy: Path, session_id: str) -> Salvaged:
    try:
        document = decode(read_regular(copy)[0], session_id)
    except (OSError, Unreadable):
        return Salvaged([])
    return Salvaged(document["messages"], document.get("title"))


def _from_damaged(path: Path) -> Salvaged:
    """The messages before the first one that is cut or damaged."""
    try:
        if path.lstat().st_size > LARGEST_SALVAGED:
            return Salvaged([])
        text = read_regular(path)[0].decode("utf-8-sig", errors="ignore")
    except OSError:
        return Salvaged([])
    return Salvaged(_whole_messages(text), _title(text))


def _whole_messages(text: str) -> list[Message]:
    messages: list[Message] = []
    place = _behind(text, text.find('"messages"'), '"messages"', ":", "[")
    while place >= 0:
        try:
            message, place = _decoder.raw_decode(text, _past_space(text, place))
            check({"messages": [message]}, "")
        except (ValueError, RecursionError, Unreadable):
            break
        messages.append(cleaned(message))
        place = _behind(text, place, ",")
    return messages


def _title(text: str) -> str | None:
    place = _behind(text, text.find('"title"'), '"title"', ":")
    try:
        title = _decoder.raw_decode(text, _past_space(text, place))[0] if place >= 0 else None
    except (ValueError, RecursionError):
        return None
    return cleaned(title) if isinstance(title, str) else None


def _behind(text: str, place: int, *signs: str) -> int:
    """The place behind `signs`, which follow `place` with nothing but space between; -1 where they do not."""
    for sign in signs:
        place = _past_space(text, place)
        if place < 0 or not text.startswith(sign, place):
            return -1
        place += len(sign)
    return place


def _past_space(text: str, place: int) -> int:
    while 0 <= place < len(text) and text[place] in " \t\r\n":
        place += 1
    return place
