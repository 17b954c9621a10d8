"""The bare server: uvicorn, an empty page, and a relay of what a provider sends. `python bare.py PROVIDER PORT`.

Keeps nothing, checks nothing, understands nothing: what is left is the cost of the wire.
"""

import asyncio
import sys
from typing import Any
from urllib.parse import urlsplit

import uvicorn

PROVIDER = urlsplit(sys.argv[1])


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    if scope["path"] == "/health":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": b'{"status":"ok"}'})
        return
    if scope["method"] == "GET":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": b"<!doctype html><title>Bare</title><p>Nothing</p>"})
        return
    body = (await receive())["body"]
    reader, writer = await asyncio.open_connection(PROVIDER.hostname, PROVIDER.port)
    head = (
        f"POST {PROVIDER.path}/chat/completions HTTP/1.1\r\nhost: {PROVIDER.netloc}\r\ncontent-length: {len(body)}\r\n"
    )
    writer.write(head.encode() + b"content-type: application/json\r\n\r\n" + body)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    while chunk := await reader.read(65536):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        if chunk.endswith(b"0\r\n\r\n"):
            break
    writer.close()
    await send({"type": "http.response.body", "body": b""})


uvicorn.run(app, port=int(sys.argv[2]), http="httptools", loop="uvloop", log_level="warning")
