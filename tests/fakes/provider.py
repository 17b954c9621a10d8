"""A model provider that does what the last user message tells it to: OpenAI-compatible, Anthropic and Google.

    with FakeProvider() as provider:                 # a thread of its own, a free port
        provider.url                                 # http://127.0.0.1:PORT/v1
        provider.requests[0].json                    # what was asked, exactly

`python -m tests.fakes.provider` runs it as a process: the first line of its output is `{"addr": ...}`, and
`GET /_requests` gives what it was asked. `provider_script` lists what a script can say; the first part of the path
says how the model list behaves (`/html/v1/models`, `/many/v1/models` ..., see `_model_list`).
"""

import argparse
import asyncio
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from tests.fakes.provider_dialects import Dialect, dialect_for
from tests.fakes.provider_script import Play, play

MODELS = ("mock-1", "mock-2")

FACTS = [
    {
        "id": "wide",
        "max_model_len": 100_000,
        "supported_parameters": ["tools", "reasoning"],
        "architecture": {"input_modalities": ["text"]},
    },
    {"id": "narrow", "max_model_len": 4000, "capabilities": {"vision": True}},
]
"""What the list at `/facts` says."""


@dataclass
class Request:
    """One request. `arrived_ns`: `time.monotonic_ns()` when its first bytes were read, one clock for all processes."""

    method: str
    path: str
    headers: dict[str, str]
    body: str
    arrived_ns: int
    connection: int
    disconnected: bool = False
    answered: bool = False
    sent_ns: list[int] = field(default_factory=list)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class FakeProvider:
    """`key`: when given, requests without it are refused with 401. `models`: the names that the list holds.

    `toolless`: refuse requests with tools. `blind`: the status that refuses one with a picture or document.
    `window`: refuse requests of more tokens, four characters each. `scripts`: what to do for messages that are no
    scripts themselves.
    """

    def __init__(
        self,
        *,
        key: str | None = None,
        models: tuple[str, ...] = MODELS,
        port: int = 0,
        scripts: Mapping[str, str] | None = None,
    ) -> None:
        self.key = key
        self.models = models
        self.scripts = scripts or {}
        self.toolless = False
        self.window: int | None = None
        self.blind = 0
        self.requests: list[Request] = []
        self.connections = 0
        self.port = port
        self._attempts: dict[str, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/v1"

    @property
    def chats(self) -> list[Request]:
        """The requests for an answer, without those for the model list."""
        return [request for request in self.requests if request.method == "POST"]

    def shown(self, at: int = -1) -> list[tuple[str, str | bytes]]:
        """What people said and showed in one of `chats`; see `Dialect.shown`."""
        asked = self.chats[at]
        return dialect_for(asked.path, asked.headers).shown(asked.json)

    def __enter__(self) -> "FakeProvider":
        self._thread.start()
        assert self._started.wait(10), "the fake provider did not start"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def serve(self) -> None:
        """Serve until stopped; `port` is known once `_started` is set."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(lambda: _Connection(self._serve_connection), "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while (request := await _read_request(reader, number)) is not None:
                await self._answer(request, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        if request.path == "/_requests":
            return await _respond(writer, 200, json.dumps([asdict(one) for one in self.requests]))
        self.requests.append(request)
        dialect = dialect_for(request.path, request.headers)
        if self.key is not None and dialect.key_in(request.headers) != self.key:
            return await _respond(writer, 401, json.dumps({"error": {"message": "That key is not known here."}}))
        if request.method == "HEAD":
            return await _respond(writer, 200, "")
        if request.method == "GET":
            return await _model_list(self, request, dialect, writer)
        if self.toolless and request.json.get("tools"):
            return await _respond(writer, 400, json.dumps({"error": {"message": "mock-1 does not support tools"}}))
        if self.window is not None and len(request.body) > 4 * self.window:
            refusal = {"message": "Too many tokens.", "code": "context_length_exceeded"}
            return await _respond(writer, 400, json.dumps({"error": refusal}))
        if self.blind and any(kind != "text" for kind, _ in dialect.shown(request.json)):
            return await _respond(writer, self.blind, json.dumps({"error": {"message": "Images are not for mock-1"}}))
        said = dialect.last_user_text(request.json)
        script = self.scripts.get(said, said)
        attempt = self._attempts[script] = self._attempts.get(script, 0) + 1
        acting = asyncio.create_task(play(Play(script, attempt, dialect, request, writer)))
        return await _until_hangup(acting, request, cast(_Connection, writer.transport.get_protocol()))


class _Connection(asyncio.StreamReaderProtocol):
    """Streams, and an event for the moment when the client hangs up."""

    def __init__(self, serve: Any) -> None:
        self.gone = asyncio.Event()
        super().__init__(asyncio.StreamReader(limit=64 << 20), serve)

    def eof_received(self) -> bool | None:
        self.gone.set()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()
        super().connection_lost(exc)


async def _until_hangup(acting: asyncio.Task[None], request: Request, connection: _Connection) -> None:
    hangup = asyncio.create_task(connection.gone.wait())
    await asyncio.wait([acting, hangup], return_when=asyncio.FIRST_COMPLETED)
    hangup.cancel()
    if not acting.done():
        request.disconnected = True
        acting.cancel()
    try:
        await acting
        request.answered = True
    except asyncio.CancelledError:
        raise ConnectionResetError from None
    except ConnectionError:
        request.disconnected = request.disconnected or connection.gone.is_set()
        raise


async def _read_request(reader: asyncio.StreamReader, connection: int) -> Request | None:
    first = await reader.read(1)
    if not first:
        return None
    arrived_ns = time.monotonic_ns()
    head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *fields = head.strip().split("\r\n")
    method, path, _ = line.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in fields)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, path, headers, body.decode(), arrived_ns, connection)


async def _respond(
    writer: asyncio.StreamWriter, status: int, body: str, *, kind: str = "application/json", more: str = ""
) -> None:
    data = body.encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n{more}\r\n"
    writer.write(head.encode() + data)
    await writer.drain()


async def _model_list(provider: FakeProvider, request: Request, dialect: Dialect, writer: asyncio.StreamWriter) -> None:
    """`/MODE/v1/models`: each mode is one way in which a list can be wrong."""
    match request.path.split("/")[1]:
        case "html":
            await _respond(writer, 200, "<html><title>Sign in</title></html>", kind="text/html")
        case "notjson":
            await _respond(writer, 200, "models: many")
        case "shape":
            await _respond(writer, 200, '{"data": {"id": 5}}')
        case "empty":
            await _respond(writer, 200, '{"object": "list", "data": []}')
        case "many":
            await _respond(writer, 200, dialect.models([f"model-{n}" for n in range(50_000)]))
        case "names":
            await _respond(writer, 200, dialect.models(["<img src=x onerror=alert(1)>", "a/b:c", "x" * 5000, "ok"]))
        case "huge":
            await _respond(writer, 200, '{"data": "' + "x" * (40 << 20) + '"}')
        case "missing":
            await _respond(writer, 404, '{"error": "no such route"}')
        case "broken":
            await _respond(writer, 500, '{"error": {"message": "Out of order."}}')
        case "echo":
            await _respond(writer, 401, json.dumps({"error": {"message": f"Bad headers: {request.headers}"}}))
        case "silent":
            await asyncio.Event().wait()
        case "trickle":
            writer.write(b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
            while True:
                writer.write(b" ")
                await asyncio.sleep(0.05)
        case "elsewhere":
            await _respond(writer, 307, "", more="Location: http://localhost:1/v1/models\r\n")
        case "pages":
            await _respond(writer, 200, dialect.page(request.path))
        case "facts":
            await _respond(writer, 200, json.dumps({"data": FACTS}))
        case _:
            await _respond(writer, 200, dialect.models(list(provider.models)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key")
    options = parser.parse_args()

    provider = FakeProvider(key=options.key, port=options.port)
    with provider:
        print(json.dumps({"addr": provider.url}), flush=True)
        try:
            provider._thread.join()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
