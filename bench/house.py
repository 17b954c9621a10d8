"""Fireside itself, measured from outside, as a client meets it."""

import http.client
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.figures import Figure, figure
from bench.processes import Process, free_port, resident_mb
from tests.fakes.provider import FakeProvider

TOKEN = "a-token-for-the-bench-0123456789"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
WORDS = 150
PACE_S = 0.02


def server(state_dir: Path, provider_url: str) -> Process:
    port = free_port()
    environment = {
        "FIRESIDE_TOKEN": TOKEN,
        "FIRESIDE_PROVIDER_URL": provider_url,
        "FIRESIDE_MODEL": "mock-1",
        "FIRESIDE_TITLES": "0",
        "FIRESIDE_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "api", "serve", "--no-browser", "--port", str(port), "--state-dir", str(state_dir)]
    return Process(command, f"http://127.0.0.1:{port}/health", environment)


def write_sessions(folder: Path, count: int, messages: int, workspace: Path | None = None) -> list[str]:
    """Documents of `messages` messages each, about 300 characters a message; that work in a folder, if one is given."""
    folder.mkdir(parents=True, exist_ok=True)
    name = "work" if workspace else "bench"
    ids = [f"{name}{number:06d}" for number in range(count)]
    for number, session_id in enumerate(ids):
        write_session(folder, session_id, number, messages, workspace)
    return ids


def write_session(folder: Path, session_id: str, number: int, messages: int, workspace: Path | None = None) -> None:
    """One such document; those with a higher `number` are newer."""
    said = [
        {
            "id": f"m{one}",
            "role": "assistant" if one % 2 else "user",
            "content": f"message {one} of {session_id}: " + "lorem ipsum dolor " * 15,
            "timestamp": 1_700_000_000.0 + number * 60 + one,
        }
        for one in range(messages)
    ]
    document: dict[str, Any] = {"session_id": session_id, "title": f"Session {number}", "messages": said}
    document |= {"workspace": str(workspace)} if workspace else {}
    (folder / f"{session_id}.json").write_text(json.dumps(document | {"created_at": said[0]["timestamp"]}))


def cold_start_and_memory(folder: Path, provider_url: str, times: int = 5) -> tuple[Figure, Figure]:
    """From the process's start to its first healthy answer, and what it holds then."""
    starts, memory = [], []
    for _ in range(times):
        with server(folder, provider_url) as process:
            starts.append(process.ready_s)
            time.sleep(1.0)  # idle is measured once the index has been looked at
            memory.append(resident_mb(process.pid))
    return figure("cold start", "s", starts, aim=0.8), figure("idle memory", "MB", memory, aim=90)


def until_the_socket(port: int, session_ids: list[str], provider: FakeProvider, *, where: str = "") -> Figure:
    """From sending `chat/start` to the request's arrival at the provider, in sessions of 20 messages."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    post(connection, "/api/chat/prepare", {})
    samples = []
    for number, session_id in enumerate(session_ids):
        asked = len(provider.chats)
        began = time.monotonic_ns()
        started = post(connection, "/api/chat/start", {"session_id": session_id, "message": f"@@text done {number}"})
        for _ in frames(port, started["stream_id"]):
            pass
        samples.append((provider.chats[asked].arrived_ns - began) / 1e6)
    warm = samples[5:]
    return figure(f"chat/start to the provider's socket{where}", "ms", warm, aim=12)


def relay(port: int, session_id: str, provider: FakeProvider) -> Figure:
    """From a token leaving the provider to its frame at the client."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    word = "word"
    script = f"@@pace {PACE_S}\n@@repeat {WORDS} {word}"
    started = post(connection, "/api/chat/start", {"session_id": session_id, "message": script})
    received: list[int] = []
    for at, name, data in frames(port, started["stream_id"]):
        if name == "token":
            received += [at] * (len(data["text"]) // len(word))  # on a busy machine some come together
    return figure("a token relayed", "ms", delays(provider.chats[-1].sent_ns, received), aim=3)


def delays(sent: list[int], received: list[int]) -> list[float]:
    """Milliseconds from each word's sending to its arrival. What the provider sends after the words is no word."""
    assert len(received) == WORDS, f"{len(received)} words came of {WORDS}"
    return [(at - left) / 1e6 for left, at in zip(sent, received, strict=False)]


def frames(port: int, stream_id: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """When each frame of a stream arrived (monotonic ns), its name and data."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", f"/api/chat/stream?stream_id={stream_id}", headers=HEADERS)
    response = connection.getresponse()
    name = ""
    while line := response.readline():
        at = time.monotonic_ns()
        if line.startswith(b"event: "):
            name = line[7:].strip().decode()
        elif line.startswith(b"data: "):
            yield at, name, json.loads(line[6:])
    connection.close()


def post(connection: http.client.HTTPConnection, path: str, body: dict[str, Any]) -> Any:
    connection.request("POST", path, json.dumps(body), HEADERS)
    response = connection.getresponse()
    answer = json.loads(response.read())
    assert response.status == 200, answer
    return answer
