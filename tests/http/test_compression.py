"""Which answers come in gzip: large JSON to who takes it, and never a stream or what holds a secret."""

import asyncio
import gzip
from typing import Any

import pytest

from api.http.compression import MOST_AT_ONCE, Compressing
from tests.serving import Client

LONG = "a word of a long message " * 200
JSON = b'{"words": "%b"}' % (b"again and again " * 500)


@pytest.mark.parametrize(
    ("accepts", "encoding"),
    [("gzip", "gzip"), ("br, gzip", "gzip"), ("identity", None), ("gzip;q=0", None), ("", None)],
)
def test_a_large_answer_is_compressed_for_who_takes_it_so(client: Client, accepts: str, encoding: str | None) -> None:
    session_id = client.new_session()
    client.answer(session_id, LONG)
    path = f"/api/session?session_id={session_id}"

    answer = client.http.get(path, headers={"Accept-Encoding": accepts})

    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "accept-encoding"
    assert (int(answer.headers["content-length"]) < len(LONG)) == (encoding is not None)
    assert answer.json()["session"]["messages"][0]["content"] == LONG
    head = client.http.get("/api/projects", headers={"Accept-Encoding": "gzip"}).headers
    assert "content-encoding" not in head, "an answer that fits into one packet gains nothing"


def answered(path: str, kind: bytes, *bodies: bytes) -> tuple[dict[bytes, bytes], list[bytes]]:
    """The headers and the pieces that leave when an application answers so, to a browser that takes gzip."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", kind), (b"content-length", b"%d" % sum(map(len, bodies)))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for body in bodies[:-1]:
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": bodies[-1]})

    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "headers": [(b"accept-encoding", b"gzip")]}
    asyncio.run(Compressing(app)(scope, None, send))
    return dict(sent[0]["headers"]), [message["body"] for message in sent[1:]]


@pytest.mark.parametrize(
    ("path", "kind", "bodies"),
    [
        ("/api/auth/link", b"application/json", [JSON]),
        ("/api/chat/stream", b"text/event-stream", [JSON, JSON]),
        ("/api/backup", b"application/octet-stream", [JSON]),
        ("/api/streamed", b"application/json", [JSON, JSON]),
        ("/api/small", b"application/json", [b'{"ok":true}']),
    ],
)
def test_secrets_streams_files_and_small_answers_leave_as_they_are(path: str, kind: bytes, bodies: list[bytes]) -> None:
    headers, sent = answered(path, kind, *bodies)

    assert sent == bodies
    assert headers[b"content-length"] == b"%d" % sum(map(len, bodies))
    assert b"content-encoding" not in headers


@pytest.mark.parametrize("times", [1, 1 + MOST_AT_ONCE // len(JSON)], ids=["at once", "in a thread"])
def test_what_is_compressed_is_whole(times: int) -> None:
    body = b"[" + b",".join([JSON] * times) + b"]"
    headers, [sent] = answered("/api/sessions", b"application/json", body)

    assert gzip.decompress(sent) == body
    assert headers[b"content-length"] == b"%d" % len(sent)
    assert (headers[b"content-encoding"], headers[b"vary"]) == (b"gzip", b"accept-encoding")
