"""What a person gave along with a message, or an agent with what it did: of each file all but the bytes."""

import unicodedata
from collections.abc import Sequence
from typing import Literal

import msgspec

from api.domain.messages import Message, text_of

MediaType = Literal[
    "image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain", "application/octet-stream"
]
"""What the server found in the bytes, whatever the name ends with."""

MOST_BYTES = 50 * 1024 * 1024
MOST_BYTES_A_SESSION = 500 * 1024 * 1024
MOST_BYTES_FOR_AGENTS = 400 * 1024 * 1024
"""Of a session: once so much is attached to it, what is left is for what people attach."""
MOST_WITH_A_MESSAGE = 20
LONGEST_NAME = 255
_LEADS: tuple[tuple[bytes, MediaType], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_TURNS_TEXT_ROUND = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

PICTURES: frozenset[MediaType] = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of them. `name` is for display only; `size` in bytes; `width` and `height` in pixels, of a picture."""

    id: str
    name: str
    media_type: MediaType
    size: int
    width: int | None = None
    height: int | None = None

    @property
    def is_picture(self) -> bool:
        return self.media_type in PICTURES


def lead_of(head: bytes) -> MediaType | None:
    """What a file is by its first 12 bytes; None where they do not tell, as of text."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for lead, kind in _LEADS if head.startswith(lead)), None)


def is_text_so_far(text: str) -> bool:
    """Could a piece of a file, decoded, be of one that is to be read? A NUL or an escape is of no such file."""
    return not any(sign in text for sign in "\x00\x01\x02\x03\x04\x05\x06\x0e\x0f\x1b")


def kind_of(data: bytes) -> MediaType:
    """What a file is."""
    try:
        is_text = is_text_so_far(data.decode())
    except UnicodeDecodeError:
        is_text = False
    return lead_of(data[:12]) or ("text/plain" if is_text else "application/octet-stream")


def name_from(given: str) -> str:
    """What a file is called here: one line, without the folders it lay in and without what turns text round."""
    last = given.replace("\\", "/").rpartition("/")[2]
    kept = "".join(sign for sign in last if sign not in _TURNS_TEXT_ROUND)
    plain = "".join(" " if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign for sign in kept)
    name = " ".join(plain.split())
    return name[:LONGEST_NAME].rstrip() if name.strip(". ") else "attachment"


def tokens_of(attachment: Attachment) -> int:
    """About how much of a model's window it fills, given as what it is. Providers count each in a way of its own."""
    if attachment.is_picture:
        pixels = (attachment.width or 1000) * (attachment.height or 1000)
        return min(1600, max(85, pixels // 750))
    if attachment.media_type == "application/pdf":
        return min(100_000, max(2000, attachment.size // 50))
    return min(15_000, attachment.size // 4) if attachment.media_type == "text/plain" else 50


def attachments_of(message: Message) -> list[Attachment]:
    """What was given along with a message, each once; of a document from elsewhere what cannot be read is left out."""
    given = message.get("attachments")
    known = [one for one in map(_attachment, given) if one] if isinstance(given, list) else []
    return list({one.id: one for one in known}.values())


def words_of(message: Message) -> str:
    """What a message says, and the names of what a person gave along with it."""
    given = attachments_of(message) if message.get("role") == "user" else []
    told = [text_of(message), *(one.name for one in given)]
    return "\n".join(one for one in told if one)


def field_of(attachments: Sequence[Attachment]) -> Message:
    """What a message has that these were given along with; nothing where there are none."""
    return {"attachments": msgspec.to_builtins(attachments)} if attachments else {}


def _attachment(given: object) -> Attachment | None:
    try:
        return msgspec.convert(given, Attachment)
    except msgspec.ValidationError:
        return None
