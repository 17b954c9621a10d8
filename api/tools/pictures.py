"""Pictures that a tool gives, for a model that sees."""

import msgspec

from api.domain.attachments import PICTURES, MediaType, lead_of
from api.domain.pictures import PictureRefused, measured

MOST_BYTES = 5 << 20
"""More than that many providers do not take."""


class ShownPicture(msgspec.Struct, frozen=True):
    media_type: MediaType
    data: bytes
    width: int
    height: int


def picture_in(data: bytes) -> ShownPicture | None:
    """The picture that these bytes are, looked at but not decoded; None where they are none that can be shown."""
    media_type = lead_of(data[:12])
    if media_type not in PICTURES or len(data) > MOST_BYTES:
        return None
    try:
        size = measured(data, media_type)
    except PictureRefused:
        return None
    return ShownPicture(media_type, data, size.width, size.height)
