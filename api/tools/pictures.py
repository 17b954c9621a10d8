"""Pictures that a tool gives: for the person, and for a model that sees."""

import base64

import msgspec

from api.domain.attachments import PICTURES, MediaType, lead_of
from api.domain.pictures import PictureRefused, measured

_ENDINGS: dict[MediaType, str] = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}


MOST_OF_A_CALL = 8
"""Pictures that are kept of one call."""


class GivenPicture(msgspec.Struct, frozen=True):
    """`name` is that of a file, for display; `width` and `height` in pixels."""

    name: str
    media_type: MediaType
    data: bytes
    width: int
    height: int


def picture_in(data: bytes, name: str = "", *, called: str = "picture", number: int = 1) -> GivenPicture:
    """The picture that these bytes are, looked at but not decoded.

    Without a name it gets one by what it is `called`, and its number among several.

    Raises:
        PictureRefused: they are none that can be shown.
    """
    media_type = lead_of(data[:12])
    if media_type is None or media_type not in PICTURES:
        raise PictureRefused("It is no picture of a kind that can be shown.")
    size = measured(data, media_type)
    name = name or f"{called}{f' {number}' if number > 1 else ''}.{_ENDINGS[media_type]}"
    return GivenPicture(name, media_type, data, size.width, size.height)


def picture_sent(text: str, called: str, number: int) -> GivenPicture:
    """The picture that comes as base64, from a program that may say anything. Raises as `picture_in`."""
    try:
        data = base64.b64decode(text)
    except ValueError as error:  # also for letters that are none of base64
        raise PictureRefused("It came damaged.") from error
    return picture_in(data, called=called, number=number)
