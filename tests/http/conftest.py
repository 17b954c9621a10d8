"""Servers to speak HTTP to: one in a process of its own, and ones in a thread whose constants a test may change."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from api import models
from api.app import House
from api.http.server import bind, make_server
from api.settings import Settings
from tests.serving import TOKEN, Client, ServerProcess


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The server that most of these tests share. No input may end it."""
    with ServerProcess(tmp_path_factory.mktemp("http") / "state") as server:
        yield server
        assert server.process.poll() is None, server.log()


@pytest.fixture
def client(server: ServerProcess) -> Iterator[Client]:
    client = server.client()
    with client.http:
        yield client


class LocalServer:
    """The whole application on a real socket, served by a thread of this process."""

    def __init__(self, state_dir: Path, *, keep_alive_s: int = 15, **settings: Any) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        chosen = {"state_dir": state_dir, "workspace": state_dir, "token": TOKEN, "scripted": True} | settings
        models.SESSIONS.clear()
        listener = bind("127.0.0.1", 0)
        port = listener.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self.house = House(Settings(**chosen), port)
        self._server = make_server(self.house.asgi, self.house.begin_closing)
        self._server.config.timeout_keep_alive = keep_alive_s
        self._is_up = threading.Event()
        self._server.on_started = self._note_start
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]}, daemon=True)

    def _note_start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._is_up.set()

    @property
    def task_count(self) -> int:
        """Tasks on the server's loop, the one that counts included."""
        return asyncio.run_coroutine_threadsafe(_count_tasks(), self._loop).result(10)

    @property
    def connection_count(self) -> int:
        return len(self._server.server_state.connections)

    def client(self) -> Client:
        return Client(self.address)

    def __enter__(self) -> "LocalServer":
        self._thread.start()
        assert self._is_up.wait(20), "the server did not start"
        return self

    def stop(self) -> None:
        """Ask it to end; it may take a moment."""
        self._server.should_exit = True

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._thread.join(20)
        assert not self._thread.is_alive(), "the server did not stop"


async def _count_tasks() -> int:
    return len(asyncio.all_tasks())


def until(holds: Callable[[], bool], timeout_s: float = 15.0) -> None:
    """Wait until something that others bring about holds."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.01)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., LocalServer]]:
    """Starts a server in a thread; it ends with the test."""
    with ExitStack() as running:

        def start(**given: Any) -> LocalServer:
            return running.enter_context(LocalServer(tmp_path / "state", **given))

        yield start


def memory_of(server: ServerProcess) -> int:
    """Bytes of memory that the server's process holds."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024
