"""What a person gave along with a message: a file of theirs, of which the message holds everything but the bytes."""

from typing import Literal

import msgspec

from api.domain.messages import Message

MediaType = Literal[
    "image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain", "application/octet-stream"
]
"""What the server found in the bytes, whatever the name ends with."""

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


def attachments_of(message: Message) -> list[Attachment]:
    """What was given along with a message; an entry that cannot be read, in a document from elsewhere, is left out."""
    given = message.get("attachments")
    return [one for one in map(_attachment, given) if one] if isinstance(given, list) else []


def _attachment(given: object) -> Attachment | None:
    try:
        return msgspec.convert(given, Attachment)
    except msgspec.ValidationError:
        return None
