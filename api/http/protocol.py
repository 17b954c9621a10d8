"""HTTP/1.1 as this server accepts it: uvicorn's parser, with the limits that it leaves to others.

Deadlines for clients that send slowly or not at all, a limit on the head of a request, and only plain paths as target.
`tests/http/test_raw_sockets.py` holds what goes over the wire.
"""

import asyncio
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEAD_S = 15.0
BODY_S = 60.0
MAX_HEAD_BYTES = 32 * 1024

_SENTENCES = {
    400: ("bad_request", "This is not a request that can be understood."),
    408: ("too_slow", "The request took too long to arrive."),
    431: ("head_too_large", "The head of the request is too large."),
}


class _Refused(Exception):
    """Raised within the parser to stop it."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._status = 400

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_within(HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear_deadline()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 0
        self._expect_within(HEAD_S)

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._expect_within(BODY_S)
        # Proxies may be asked for whole addresses; a server that is none must not take one for a path.
        if not self.url.startswith(b"/"):
            self._refuse(400)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._clear_deadline()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._answer_and_close(self._status)

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(431)

    def _refuse(self, status: int) -> None:
        self._status = status
        raise _Refused

    def _expect_within(self, seconds: float) -> None:
        self._clear_deadline()
        self._deadline = self.loop.call_later(seconds, self._too_slow)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is None or not self.cycle.response_started:
            self._answer_and_close(408)
        else:
            self.transport.close()

    def _answer_and_close(self, status: int) -> None:
        code, sentence = _SENTENCES[status]
        body = msgspec.json.encode({"error": sentence, "code": code})
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()
