"""What it costs that nothing is lost: on accepting a message, and on the others when a long turn is put away."""

import http.client
import tempfile
import threading
import time
from pathlib import Path

from bench import house
from bench.figures import Figure, beside, figure
from bench.house import HEADERS
from tests.fakes.provider import FakeProvider

IN_MEMORY = Path("/dev/shm")
TURNS = 12
PROBE_S = 0.001
PAUSE_S = 0.3
SCRIPT = "@@text first\n@@delay 0.3\n@@text last"
"""The end comes well after what the beginning brought."""


def accepting(folder: Path, provider: FakeProvider) -> list[Figure]:
    """How long `chat/start` takes on the disk of `folder`, and how much of that is due to the disk."""
    on_disk = _accepted(folder / "durable", provider)
    if not IN_MEMORY.is_dir():
        return [on_disk]
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as memory:
        in_memory = _accepted(Path(memory), provider)
    cost = on_disk.median - in_memory.median
    return [beside(on_disk, in_memory), figure("durability's part of that", "ms", [cost], aim=5)]


def _accepted(state: Path, provider: FakeProvider) -> Figure:
    ids = house.write_sessions(state / "sessions", count=50, messages=20)
    samples = []
    with house.server(state, provider.url) as process:
        port = _port(process.health)
        connection = http.client.HTTPConnection("127.0.0.1", port)
        house.post(connection, "/api/chat/prepare", {})
        for session_id in ids:
            began = time.perf_counter()
            started = house.post(connection, "/api/chat/start", {"session_id": session_id, "message": "@@text done"})
            samples.append((time.perf_counter() - began) * 1000)
            for _ in house.frames(port, started["stream_id"]):
                pass
    name = "chat/start until accepted" if IN_MEMORY not in state.parents else "the same in memory"
    return figure(name, "ms", samples[5:])


def folding(port: int, session_id: str) -> list[Figure]:
    """The longest that anyone else waits while a turn of the session `session_id` begins, and while it is put away."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    with _Probe(port) as probe:
        idle, begins, ends = [], [], []
        for _ in range(TURNS):
            time.sleep(PAUSE_S)
            idle.append(probe.longest())
            started = house.post(connection, "/api/chat/start", {"session_id": session_id, "message": SCRIPT})
            frames = house.frames(port, started["stream_id"])
            next(frame for frame in frames if frame[1] == "token")
            begins.append(probe.longest())
            for _ in frames:
                pass
            time.sleep(PAUSE_S)  # what follows the end: the index, and telling who watches
            ends.append(probe.longest())
    floor = figure("nothing going on", "ms", idle)
    return [
        beside(figure("others wait when a turn of 10,000 messages begins", "ms", begins), floor),
        beside(figure("others wait when it ends and is put away", "ms", ends, aim=50), floor),
    ]


class _Probe(threading.Thread):
    """Asks the server for its health again and again, over one connection."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._longest_ms = 0.0
        self._is_over = False

    def run(self) -> None:
        while not self._is_over:
            began = time.perf_counter()
            self._connection.request("GET", "/health", headers=HEADERS)
            self._connection.getresponse().read()
            self._longest_ms = max(self._longest_ms, (time.perf_counter() - began) * 1000)
            time.sleep(PROBE_S)

    def longest(self) -> float:
        """The longest answer, in ms, since this was last asked."""
        longest, self._longest_ms = self._longest_ms, 0.0
        return longest

    def __enter__(self) -> "_Probe":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self.join()


def _port(health: str) -> int:
    return int(health.rpartition(":")[2].partition("/")[0])
