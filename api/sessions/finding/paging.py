"""Pages of a list, and the cursors that lead from one to the next."""

import base64
import binascii
from typing import Any, TypeVar

import msgspec

from api.domain.errors import BadRequest
from api.sessions.documents.rows import Row

T = TypeVar("T")

Position = tuple[bool, float, str]
"""Where a row stands in the order of lists; see `rows.order`."""


class Page(msgspec.Struct, frozen=True):
    """`next_cursor` is None on the last page. With `indexing`, there may be more than the index knows yet."""

    rows: list[Row]
    next_cursor: str | None
    counts: dict[str, int]
    indexing: bool


def cursor_for(position: Any) -> str:
    """An opaque word for where a page ended."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def parse_cursor(cursor: str, shape: type[T]) -> T:
    """The position that `cursor_for` was given.

    Raises:
        BadRequest: it is none of ours.
    """
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=shape)
    except (ValueError, binascii.Error, RecursionError):
        raise BadRequest("That cursor is not from this list. Begin without one.", field="cursor") from None
