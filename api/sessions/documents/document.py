"""The shape of a session document: bytes to a checked dict, and back."""

import hashlib
import json
import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from api.domain.ids import MessageId
from api.domain.messages import Message, clean_text

SCHEMA = 1
"""The newest shape this program writes. A document with a higher number is shown and never written."""

LATEST_TIME = 4_102_444_800.0
"""The year 2100, in seconds since 1970: times beyond it are milliseconds or nonsense."""

Document = dict[str, Any]


class Unreadable(Exception):
    """A document that cannot be shown without guessing. The text says why, for a person."""


class MessageHead(msgspec.Struct):
    role: str
    timestamp: Any = None


class Header(msgspec.Struct):
    """What a list shows of a document, decoded without its messages' contents."""

    messages: list[MessageHead]
    session_id: str | None = None
    title: str | None = None
    owner: str | None = None
    revision: Any = 0
    schema: Any = 0
    workspace: Any = None
    model: Any = None
    agent: Any = None
    approval_mode: Any = None
    created_at: Any = None
    updated_at: Any = None
    pinned: Any = False
    archived: Any = False
    project_id: Any = None
    tags: Any = None
    profile: Any = None
    input_tokens: Any = 0
    output_tokens: Any = 0
    estimated_cost: Any = None
    active_stream_id: Any = None
    unread: Any = False
    title_by: Any = None
    cleared_from: Any = None


_header_decoder = msgspec.json.Decoder(Header)
_encoder = msgspec.json.Encoder(enc_hook=lambda value: _plain(value))


def decode(raw: bytes, session_id: str) -> Document:
    """The document in `raw`, checked, every message with an id.

    Raises:
        Unreadable: it is no session document, or another one than its file name says.
    """
    document = _parse(raw)
    check(document, session_id)
    identify(document["messages"], lambda position: _derived_id(session_id, position))
    return document


def check(document: Any, session_id: str) -> None:
    """Raise Unreadable where `document` is no session document, or another one than `session_id`."""
    if not isinstance(document, dict) or not isinstance(document.get("messages"), list):
        raise Unreadable("It is JSON, but not a session: there is no list of messages.")
    _check_fields(document, session_id)
    for position, message in enumerate(document["messages"]):
        _check_message(message, position)


def decode_header(raw: bytes, session_id: str) -> Header:
    """As `decode`, for lists: several times faster, and what messages say is left unchecked.

    Raises:
        Unreadable: see `decode`.
    """
    try:
        header = _header_decoder.decode(raw)
        if header.session_id not in (None, session_id):
            raise Unreadable(_other_id(header.session_id))
        return header
    except (ValueError, RecursionError):
        return header_of(decode(raw, session_id))


def header_of(document: Document) -> Header:
    """The header of a document that was checked."""
    return msgspec.convert(document, Header)


def _parse(raw: bytes) -> Any:
    if not raw:
        raise Unreadable("The file is empty.")
    try:
        return msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return _parse_leniently(raw)


def _parse_leniently(raw: bytes) -> Any:
    """JSON that only Python's own parser takes: escaped lone surrogates, which become U+FFFD, and huge numbers."""
    try:
        return cleaned(json.loads(raw.decode(), parse_constant=_refuse_constant))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"It is not valid JSON in UTF-8: {str(error)[:200]}.") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def cleaned(value: Any) -> Any:
    """`value` with every text in it storable, see `clean_text`; lists and dicts are changed in place."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        items = [(cleaned(key), cleaned(item)) for key, item in value.items()]
        value.clear()
        value.update(items)
    elif isinstance(value, list):
        value[:] = map(cleaned, value)
    return value


def _check_fields(document: Document, session_id: str) -> None:
    if document.get("session_id") not in (None, session_id):
        raise Unreadable(_other_id(document["session_id"]))
    for name in ("title", "owner"):
        if not isinstance(document.get(name), str | None):
            raise Unreadable(f"Its {name} is not text.")


def _other_id(found: object) -> str:
    return f"It says that it is session {str(found)[:80]!r}, not the one its file is named for."


def _check_message(message: Any, position: int) -> None:
    if not isinstance(message, dict):
        raise Unreadable(f"Message {position + 1} is not an object.")
    if not isinstance(message.get("role"), str) or not message["role"]:
        raise Unreadable(f"Message {position + 1} does not say who wrote it.")
    content = message.get("content")
    if not isinstance(content, str | list | None):
        raise Unreadable(f"The content of message {position + 1} is neither text nor a list of parts.")


def identify(messages: list[Message], make_id: Callable[[int], str]) -> list[Message]:
    """Give every message an id of its own, made from its position where it has none; gives those that had none."""
    ids = [message.get("id") for message in messages]
    if {*map(type, ids)} <= {str} and len({*ids, ""}) == len(ids) + 1:  # nearly always: a long session stays fast
        return []
    taken = {found for found in ids if isinstance(found, str)}
    seen: set[str] = set()
    fresh = []
    for position, message in enumerate(messages):
        kept = message.get("id")
        if isinstance(kept, int) and not isinstance(kept, bool):
            kept = message["id"] = str(kept)
        found = kept if isinstance(kept, str) else ""
        if not found or found in seen:
            place = position
            while (found := make_id(place)) in taken:
                place += len(messages)
            message["id"] = found
            fresh.append(message)
        seen.add(found)
        taken.add(found)
    return fresh


def _derived_id(session_id: str, position: int) -> MessageId:
    """The same for the same place, so that reading a file twice gives the same ids."""
    return MessageId(f"msg-{hashlib.sha256(f'{session_id}:{position}'.encode()).hexdigest()[:24]}")


def encode(document: Document) -> bytes:
    """`document` as JSON. Where text in it cannot be stored, it is cleaned first, in place.

    Raises:
        TypeError: it holds something that is no JSON.
    """
    try:
        return encode_strictly(document)
    except UnicodeEncodeError:
        return encode_strictly(cleaned(document))


def encode_strictly(document: Document) -> bytes:
    """As `encode`, but raises UnicodeEncodeError rather than changing anything."""
    return _encoder.encode(document)


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be stored in a session")


def fingerprint(raw: bytes) -> int:
    """A checksum that tells whether a file says the same as before."""
    return zlib.crc32(raw)


def usable_time(value: Any) -> float | None:
    """`value` as seconds since 1970, or None when it is no time between then and 2100."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 0 < value < LATEST_TIME else None


def usable_count(value: Any) -> int:
    """`value` as a number of tokens, revisions and the like; 0 when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**63:
        return 0
    return int(value)
