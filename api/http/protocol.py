"""HTTP/1.1 as this server accepts it: uvicorn's parser, with the limits that it leaves to others.

Deadlines for clients that send slowly, or stop reading; a limit on the head of a request; exactly one `Host`, and only
plain paths as target. `tests/http/test_raw_sockets.py` holds what goes over the wire.
"""

import asyncio
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.http.gate import HEADERS
from api.http.lingering import LingeringTransport

HEAD_S = 15.0
BODY_S = 60.0
LEAST_BYTES = 1 << 20
"""A body that is not whole by then goes on as long as this much comes every `BODY_S`: a large file from a slow line."""
STALLED_S = 30.0
MAX_HEAD_BYTES = 32 * 1024
TOLD_AT_A_TIME = 8
"""Connections too many that are told why they are closed; while they read that, they are open like any other."""

_SENTENCES = {
    400: ("bad_request", "This is not a request that can be understood."),
    408: ("too_slow", "The request took too long to arrive."),
    431: ("head_too_large", "The head of the request is too large."),
    503: ("too_many_connections", "Too many connections are open. Close some tabs, then try again."),
}


class _Refused(Exception):
    """Raised within the parser to stop it."""


class Protocol(HttpToolsProtocol):
    """One connection. Beyond `most_connections` at a time, each is told so and closed."""

    def __init__(self, *args: Any, most_connections: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._most_connections = most_connections
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._is_in_message = False
        self._head_bytes = 0
        self._body_bytes = 0
        self._status = 400

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._lingering = LingeringTransport(transport, self.loop, is_due=lambda: self._is_in_message)
        super().connection_made(self._lingering)  # type: ignore[arg-type]
        self._expect_within(HEAD_S)
        too_many = len(self.connections) - self._most_connections
        if too_many > TOLD_AT_A_TIME:
            self._lingering.abort()
        elif too_many > 0:
            self._answer_and_close(503)

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear_deadline()
        self._clear_stalled()
        self._lingering.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._lingering.is_closing():
            return
        super().data_received(data)
        # Empty lines before a request begin none, yet end the time for which a connection may idle.
        if self._deadline is None and self._is_idle() and self.timeout_keep_alive_task is None:
            self._expect_within(HEAD_S)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_message = True
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
        if not self.url.startswith(b"/") or sum(name == b"host" for name, _ in self.headers) != 1:
            self._refuse(400)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_in_message = False
        self._clear_deadline()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._answer_and_close(self._status)

    # Clients that stop reading

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_progress()

    def resume_writing(self) -> None:
        self._clear_stalled()
        super().resume_writing()

    def _watch_progress(self) -> None:
        waiting = self._lingering.get_write_buffer_size()
        self._stalled = self.loop.call_later(STALLED_S, self._drop_if_stalled, waiting)

    def _drop_if_stalled(self, waited: int) -> None:
        if self._lingering.get_write_buffer_size() < waited:
            self._watch_progress()
        else:
            # Closing would wait for what the client does not read.
            self._lingering.abort()

    def _clear_stalled(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    # Clients that send what they should not, or not in time

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(431)

    def _refuse(self, status: int) -> None:
        self._status = status
        raise _Refused

    def _expect_within(self, seconds: float) -> None:
        self._clear_deadline()
        self._body_bytes = 0
        self._deadline = self.loop.call_later(seconds, self._too_slow)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        if self._lingering.is_closing():
            return
        if self._body_bytes >= LEAST_BYTES:
            self._expect_within(BODY_S)
        else:
            self._answer_and_close(408)

    def _answer_and_close(self, status: int) -> None:
        self._clear_deadline()
        if self._may_answer():
            self._lingering.write(_answer(status))
        self._lingering.linger()

    def _may_answer(self) -> bool:
        """Would a client take what is written now for the answer to what it is sending?"""
        if self.cycle is None:
            return True
        if self.cycle.scope is self.scope:
            return not self.cycle.response_started and not self.pipeline
        return self.cycle.response_complete

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete


def _answer(status: int) -> bytes:
    code, sentence = _SENTENCES[status]
    body = msgspec.json.encode({"error": sentence, "code": code})
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
        *HEADERS,
    ]
    return STATUS_LINE[status] + b"".join(b"%s: %s\r\n" % header for header in headers) + b"\r\n" + body
