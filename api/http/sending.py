"""Files as answers: in pieces, and under the name that a person knows them by."""

from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import quote

CHUNK = 1 << 16


def called(name: str, *, inline: bool = False) -> dict[str, str]:
    """The header that names a file; one that is not `inline` is never shown by a browser, whatever it holds."""
    # RFC 6266: the name goes in percent-encoded UTF-8, so none can break out of the header.
    how = "inline" if inline else "attachment"
    return {"content-disposition": f"{how}; filename*=UTF-8''{quote(name, safe='')}"}


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """A file to its end, which is closed then."""
    with file:
        while chunk := file.read(CHUNK):
            yield chunk
