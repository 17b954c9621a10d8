"""Readers that come and go as they like, or that stop reading: each sees everything once, and none disturbs a run."""

import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.faults.conftest import Dice, times
from tests.serving import TOKEN, Client, Frame, ServerProcess, Watcher, numbers_of, parse_frames, text_of


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path / "state") as server:
        yield server


class Restless(threading.Thread):
    """A reader that drops its connection after a while, again and again, and resumes from the last id it saw."""

    def __init__(self, client: Client, stream_id: str, seed: float) -> None:
        super().__init__(daemon=True)
        self._client, self._stream_id, self._dice = client, stream_id, random.Random(seed)
        self.seen: list[Frame] = []
        self.drops = 0
        self.start()

    def run(self) -> None:
        while not self.has_ended:
            last_id = next((frame.id for frame in reversed(self.seen) if frame.id), None)
            patience = self._dice.randint(0, 40)
            for number, frame in enumerate(self._client.frames(self._stream_id, last_id=last_id)):
                self.seen.append(frame)
                if number >= patience:
                    self.drops += 1
                    break

    @property
    def has_ended(self) -> bool:
        return bool(self.seen) and self.seen[-1].name == "stream_end"


def test_twenty_restless_readers_each_see_every_event_once(server: ServerProcess, dice: Dice) -> None:
    for _ in range(times(1, 50, 500)):
        client = server.client()
        count = 250
        stream = client.start(client.new_session(), f"@@pace 0.01\n@@repeat {count} word ")["stream_id"]
        steady = Watcher(client, stream)
        readers = [Restless(server.client(), stream, dice.random()) for _ in range(20)]
        for reader in readers:
            reader.join(60)
            assert reader.has_ended
        numbers = list(range(1, len(numbers_of(steady.whole())) + 1))
        for reader in readers:
            assert numbers_of(reader.seen) == numbers
            assert text_of(reader.seen) == "word " * count
        assert sum(reader.drops for reader in readers) > 20, "hardly anyone dropped the line"


class Idle:
    """A reader whose connection stands and who takes nothing off it until it is told to."""

    def __init__(self, address: str, stream_id: str) -> None:
        where = urlsplit(address)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect((where.hostname, where.port))
        request = f"GET /api/chat/stream?stream_id={stream_id} HTTP/1.1\r\nHost: {where.netloc}\r\n"
        self._socket.sendall(f"{request}Authorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n".encode())
        self._socket.settimeout(60)

    def read_on(self) -> list[Frame]:
        """What comes after all, until the server ends the stream."""
        raw = b""
        while received := self._socket.recv(1 << 16):
            raw += received
        body = raw.partition(b"\r\n\r\n")[2]
        lines = (line.decode() for line in _unchunked(body).split(b"\n"))
        return list(parse_frames(lines))


def _unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        whole, body = whole + body[: int(size, 16)], body[int(size, 16) + 2 :]
    return whole


# Bad input 35
def test_a_reader_that_stops_reading_is_told_to_look_again_and_the_run_does_not_wait_for_it(
    server: ServerProcess,
) -> None:
    client = server.client()
    session = client.new_session()
    word = "w" * 200
    # Far more than the buffers of two sockets take, then more events than are kept in memory for those who lag behind.
    flood = f"@@repeat 60000 {word}\n" + "@@notice one more\n" * 5000
    script = f"@@repeat 200 {word}\n@@delay 0.3\n{flood}@@notice all said\n@@hang"
    stream = client.start(session, script)["stream_id"]
    idle = Idle(server.address, stream)
    quick = Watcher(server.client(), stream)
    quick.wait_until(lambda frames: bool(frames) and frames[-1].data.get("message") == "all said", 60)
    frames = idle.read_on()
    assert frames[-1].name == "resync"
    numbers = numbers_of(frames)
    assert numbers == list(range(1, len(numbers) + 1))
    snapshot = client.get("/api/session", session_id=session)["active_run"]
    shown = "".join(block["text"] for block in snapshot["transcript"]["blocks"] if "text" in block)
    assert shown == text_of(quick.seen) == word * 60200
    assert snapshot["seq"] == len(numbers_of(quick.seen))
