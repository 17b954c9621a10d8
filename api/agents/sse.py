"""Reading server-sent events, as the standard says, from bytes that come in any pieces."""

from collections.abc import Iterator
from typing import NamedTuple

_BOM = b"\xef\xbb\xbf"


class ServerEvent(NamedTuple):
    """`name` is empty where the stream gave none."""

    name: bytes
    data: bytes


class SseReader:
    """Takes CR, LF and CRLF, a byte order mark, comments and fields of any kind; an event without data is none."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._is_start = True
        self._name = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """The events that `chunk` completes."""
        self._pieces.append(chunk)
        if b"\n" not in chunk and b"\r" not in chunk:
            return  # Joined only where a line ends, so that a long line in small pieces stays cheap.
        text = b"".join(self._pieces)
        # A CR at the end may be half of a CRLF.
        text, held = (text[:-1], b"\r") if text.endswith(b"\r") else (text, b"")
        if self._is_start:
            text, self._is_start = text.removeprefix(_BOM), False
        *lines, rest = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._pieces = [rest + held]
        for line in lines:
            if (event := self._line(line)) is not None:
                yield event

    def _line(self, line: bytes) -> ServerEvent | None:
        if not line:
            event = ServerEvent(self._name, b"\n".join(self._data)) if self._data else None
            self._name, self._data = b"", []
            return event
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
        elif field == b"event":
            self._name = value
        return None

    def rest(self) -> Iterator[ServerEvent]:
        """What the end of the stream completes: many servers leave out the last empty line."""
        yield from self.feed(b"\n\n")
