"""Answers in gzip, where they are JSON, whole, large enough to gain by it, and hold no secret.

Why that is safe: `docs/decisions/0012-answers-are-compressed.md`.
"""

import asyncio
import zlib
from typing import Any

LEAST_BYTES = 1_400
"""What fits into one packet anyway gains nothing."""
MOST_AT_ONCE = 200_000
"""Compressing more than this takes long enough for others to notice, and is done in a thread."""
LEVEL = 5
WITH_SECRETS = "/api/auth/"
_GZIP = 16 + zlib.MAX_WBITS


class Compressing:
    """ASGI middleware. Streams pass through untouched."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"].startswith(WITH_SECRETS):
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _compressing(send, accepts_gzip(scope["headers"])))


def accepts_gzip(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether the client takes gzip. A weight (`gzip;q=0`) does not count; browsers give none."""
    listed = b",".join(value for name, value in headers if name == b"accept-encoding")
    return b"gzip" in [one.strip() for one in listed.split(b",")]


def _compressing(send: Any, is_accepted: bool) -> Any:
    start: dict[str, Any] | None = None

    async def wrapped(message: Any) -> None:
        nonlocal start
        if message["type"] == "http.response.start" and _is_plain_json(message):
            start = message  # until its body is known
            return
        if start is not None:
            body = message.get("body", b"")
            if not message.get("more_body") and len(body) >= LEAST_BYTES:
                start["headers"].append((b"vary", b"accept-encoding"))
                if is_accepted:
                    message = message | {"body": await _squeezed(start["headers"], body)}
            start, begun = None, start
            await send(begun)
        await send(message)

    return wrapped


def _is_plain_json(start: Any) -> bool:
    headers = dict(start["headers"])
    return headers.get(b"content-type", b"").startswith(b"application/json") and b"content-encoding" not in headers


async def _squeezed(headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    """`body` in gzip, with `headers` made to say so."""
    packed = _gzip(body) if len(body) <= MOST_AT_ONCE else await asyncio.to_thread(_gzip, body)
    headers[:] = [
        *((name, value) for name, value in headers if name != b"content-length"),
        (b"content-length", b"%d" % len(packed)),
        (b"content-encoding", b"gzip"),
    ]
    return packed


def _gzip(body: bytes) -> bytes:
    return zlib.compress(body, LEVEL, wbits=_GZIP)
