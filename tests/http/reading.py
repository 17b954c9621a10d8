"""Reading an event stream frame by frame, as long as a test wants to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.serving import Client, Frame, parse_frames


class Reading:
    """An open stream. `status` and `headers` are those of its response."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers: Any = response.headers
        self._frames = parse_frames(_patiently(response.iter_lines()))

    def next(self) -> Frame | None:
        """The next frame, or None when the server ended the stream."""
        return next(self._frames, None)

    def until(self, is_it: Callable[[Frame], bool]) -> Frame:
        """The next frame for which `is_it` holds; what comes before it is passed over."""
        for frame in self._frames:
            if is_it(frame):
                return frame
        raise AssertionError("the stream ended without it")

    def rest(self) -> list[Frame]:
        return list(self._frames)


def _patiently(lines: Iterator[str]) -> Iterator[str]:
    """The lines of a stream, until it says nothing but that it is alive."""
    pings = 0
    for line in lines:
        pings = pings + 1 if line.startswith(":") else pings * (not line)
        assert pings < 2, "what was waited for never came"
        yield line


@contextmanager
def reading(client: Client, path: str, headers: dict[str, Any] | None = None, **query: Any) -> Iterator[Reading]:
    """Follow a stream; it is closed with the block."""
    with client.http.stream("GET", path, params=query, headers=headers) as response:
        yield Reading(response)
