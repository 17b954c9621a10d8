"""Closing a connection to a client that is still sending, so that it gets to read why.

A socket that is closed with bytes unread resets the connection, and most clients then report the reset and lose the
answer that came before it. So the answer is ended, and what still comes is read and dropped for a moment.
"""

import asyncio
from collections.abc import Callable
from typing import Any

LINGER_S = 2.0


class LingeringTransport:
    """A transport whose `close` lingers where `is_due()` says that the client is in the middle of a request.

    From then on `is_closing()` holds; the protocol must drop what it receives.
    """

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, *, is_due: Callable[[], bool]
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._is_due = is_due
        self._end: asyncio.TimerHandle | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        return self._end is not None or self._transport.is_closing()

    def write(self, data: bytes) -> None:
        if not self.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        if self._is_due():
            self.linger()
        elif self._end is None:
            self._transport.close()

    def linger(self) -> None:
        """Send what was written and no more, then drop what comes until the client is done or out of time."""
        if self.is_closing():
            return
        self._end = self._loop.call_later(LINGER_S, self._transport.abort)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._transport.resume_reading()

    def clear(self) -> None:
        """The connection is lost; nothing is left to wait for."""
        if self._end is not None:
            self._end.cancel()
