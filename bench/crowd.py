"""Fifty runs of the built-in agent at once, in one process, each at the pace at which people read."""

import asyncio
import http.client
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench import floors, house
from bench.figures import Figure, beside, figure
from bench.processes import free_port, processor_s, resident_mb

RUNS = 50
TOKENS_PER_S = 20
TOKENS = 200
SETTLED = 40
"""Tokens of each run that are passed over: the others begin meanwhile."""
WORD = "word"
NAME = f"{RUNS} runs at {TOKENS_PER_S} tokens/s"


def measure(folder: Path) -> list[Figure]:
    """How late tokens are, and what of a core and of memory that takes; beside a relay of as many streams."""
    ids = house.write_sessions(folder / "crowd/sessions", count=RUNS, messages=20)
    with _provider() as url:
        with floors.bare_server(url, free_port()) as bare:
            bare_delays, bare_share, bare_memory = asyncio.run(_bare(bare.health, bare.pid, url))
        with house.server(folder / "crowd", url) as server:
            port = urlsplit(server.health).port or 0
            house.post(http.client.HTTPConnection("127.0.0.1", port), "/api/chat/prepare", {})
            delays, share, memory = asyncio.run(_ours(port, server.pid, ids, url))
    relay = "a relay of as many"
    return [
        beside(figure(f"{NAME}: a token relayed", "ms", delays), figure(relay, "ms", bare_delays)),
        beside(figure(f"{NAME}: of a core", "%", [share]), figure(relay, "%", [bare_share])),
        beside(figure(f"{NAME}: memory", "MB", [memory]), figure(relay, "MB", [bare_memory])),
    ]


async def _ours(port: int, pid: int, ids: list[str], provider: str) -> tuple[list[float], float, float]:
    async def run(number: int, session_id: str) -> list[int]:
        body = {"session_id": session_id, "message": _script(number)}
        started = json.loads(await _whole(port, "POST", "/api/chat/start", body))
        path = f"/api/chat/stream?stream_id={started['stream_id']}"
        arrived: list[int] = []
        name = b""
        async for line in _lines(port, "GET", path):
            if line.startswith(b"event: "):
                name = line[7:].strip()
            elif line.startswith(b"data: ") and name == b"token":
                arrived += [time.monotonic_ns()] * (len(json.loads(line[6:])["text"]) // len(WORD))
            elif name == b"stream_end":
                break
        return arrived

    return await _watched(pid, [run(number, one) for number, one in enumerate(ids)], provider)


async def _bare(health: str, pid: int, provider: str) -> tuple[list[float], float, float]:
    port = urlsplit(health).port or 0

    async def run(number: int) -> list[int]:
        body = {"model": "mock-1", "messages": [{"role": "user", "content": _script(number)}], "stream": True}
        arrived: list[int] = []
        async for line in _lines(port, "POST", "/", body):
            arrived += [time.monotonic_ns()] * line.count(b'"content": "' + WORD.encode())
            if b"[DONE]" in line:
                break
        return arrived

    return await _watched(pid, [run(number) for number in range(RUNS)], provider)


async def _watched(pid: int, runs: list[Any], provider: str) -> tuple[list[float], float, float]:
    """How late each token of `runs` was in ms, the share of a core of a process meanwhile in %, its memory in MB."""
    before = len(_requests(provider))
    spent, began = processor_s(pid), time.monotonic()
    memory: list[float] = []

    async def watch() -> None:
        while True:
            await asyncio.sleep(TOKENS / TOKENS_PER_S / 4)
            memory.append(resident_mb(pid))

    watching = asyncio.create_task(watch())
    arrived = await asyncio.gather(*runs)
    share = 100 * (processor_s(pid) - spent) / (time.monotonic() - began)
    watching.cancel()
    sent = {_number(one): one["sent_ns"] for one in _requests(provider)[before:]}
    delays = []
    for number, came in enumerate(arrived):
        assert len(came) == TOKENS, f"{len(came)} tokens came of {TOKENS}"
        delays += [(at - left) / 1e6 for left, at in zip(sent[number][SETTLED:], came[SETTLED:], strict=False)]
    return delays, share, statistics.median(memory)


def _script(number: int) -> str:
    return f"@@pace {1 / TOKENS_PER_S}\n@@repeat {TOKENS} {WORD}\n@@finish stop {number}"


def _number(request: dict[str, Any]) -> int:
    return int(json.loads(request["body"])["messages"][-1]["content"].rpartition(" ")[2])


async def _lines(port: int, method: str, path: str, body: dict[str, Any] | None = None) -> AsyncIterator[bytes]:
    """The lines of an answer, as they come. The marks of chunks are among them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    data = json.dumps(body).encode() if body is not None else b""
    fields = {"Host": f"127.0.0.1:{port}", "Content-Length": len(data), "Connection": "close", **house.HEADERS}
    head = "\r\n".join([f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())])
    writer.write(head.encode() + b"\r\n\r\n" + data)
    try:
        while line := await reader.readline():
            yield line
    finally:
        writer.close()


async def _whole(port: int, method: str, path: str, body: dict[str, Any]) -> bytes:
    """The last line of an answer that has one."""
    return [line async for line in _lines(port, method, path, body)][-1]


@contextmanager
def _provider() -> Iterator[str]:
    """A provider in a process of its own: it must not wait for whoever measures."""
    process = subprocess.Popen([sys.executable, "-m", "tests.fakes.provider"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["addr"]
    finally:
        process.terminate()
        process.wait(20)


def _requests(provider: str) -> list[dict[str, Any]]:
    """What it was asked for answers."""
    with urllib.request.urlopen(f"{provider.removesuffix('/v1')}/_requests", timeout=10) as response:
        return [one for one in json.load(response) if one["method"] == "POST"]
