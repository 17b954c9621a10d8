"""The HTTP client for providers: never redirected, never compressed, bounded in size and silence.

Imports httpx2, so it is itself imported only when a provider is first used.
"""

import functools
import ssl
from collections.abc import AsyncIterator
from contextvars import ContextVar

import httpx2

from api.agents.limits import Limits
from api.agents.sse import ServerEvent, SseReader


class AnswerTooBig(Exception):
    """More came than any answer may hold. The text says which measure was passed."""


class AnswerCompressed(Exception):
    """The provider compressed its answer although it was asked not to; what it unpacks to has no bound."""


class Watch:
    """What a caller may want to know about the bytes of a response: how they began and how they ended."""

    def __init__(self) -> None:
        self.kind = ""
        self.head = b""
        self.tail = b""

    def see(self, chunk: bytes) -> None:
        if len(self.head) < 4096:
            self.head += chunk[: 4096 - len(self.head)]
        self.tail = (self.tail + chunk)[-64:]

    @property
    def is_done(self) -> bool:
        """Whether the stream said that it was complete."""
        return b"[DONE]" in self.tail


WATCH: ContextVar[Watch | None] = ContextVar("watch", default=None)
"""Set by whoever is about to send a request, because the providers' own libraries lie between."""


def new_client(limits: Limits, *, headers: dict[str, str] | None = None) -> httpx2.AsyncClient:
    """A client whose connections are kept for the next request. The caller closes it."""
    return httpx2.AsyncClient(
        transport=_BoundedTransport(limits),
        timeout=httpx2.Timeout(limits.silence_s, connect=limits.connect_s, pool=limits.connect_s),
        headers={"Accept-Encoding": "identity", **(headers or {})},
        follow_redirects=False,
        trust_env=False,
    )


@functools.cache
def _tls() -> ssl.SSLContext:
    # Made once: reading the certificates takes longer than all the rest of a request.
    return httpx2.create_ssl_context(trust_env=False)


class _BoundedTransport(httpx2.AsyncBaseTransport):
    def __init__(self, limits: Limits) -> None:
        pool = httpx2.Limits(max_connections=200, max_keepalive_connections=20, keepalive_expiry=limits.keep_alive_s)
        self._inner = httpx2.AsyncHTTPTransport(verify=_tls(), trust_env=False, limits=pool)
        self._limits = limits

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            await response.aclose()
            raise AnswerCompressed
        watch = WATCH.get()
        if watch is not None:
            watch.kind = response.headers.get("content-type", "")
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _BoundedStream(response.stream, self._limits, watch)
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            response.stream = _PlainEvents(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, limits: Limits, watch: Watch | None) -> None:
        self._inner = inner
        self._limits = limits
        self._watch = watch

    async def __aiter__(self) -> AsyncIterator[bytes]:
        total = line = 0
        async for chunk in self._inner:
            total += len(chunk)
            line = len(chunk) - 1 - end if (end := chunk.rfind(b"\n")) >= 0 else line + len(chunk)
            if total > self._limits.response_bytes or line > self._limits.line_bytes:
                raise AnswerTooBig(f"{total} bytes")
            if self._watch is not None:
                self._watch.see(chunk)
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


class _PlainEvents(httpx2.AsyncByteStream):
    """Events in their plainest form: the libraries that read them stumble over some of what the standard allows."""

    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        reader = SseReader()
        async for chunk in self._inner:
            if events := b"".join(map(_plain, reader.feed(chunk))):
                yield events
        if events := b"".join(map(_plain, reader.rest())):
            yield events

    async def aclose(self) -> None:
        await self._inner.aclose()


def _plain(event: ServerEvent) -> bytes:
    name = b"event: " + event.name + b"\n" if event.name else b""
    return name + b"".join(b"data: " + line + b"\n" for line in event.data.split(b"\n")) + b"\n"
