"""The server process: uvicorn, told to let its watchers go before it waits for them."""

import asyncio
import contextlib
import functools
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import uvicorn

from api.http.protocol import Protocol

GRACE_S = 1
DISK_THREADS = 64
"""As many can wait for a slow disk before others, who only want to read, wait for them. Idle ones are not made."""
MOST_FILES = 8192
OWN_FILES = 48
"""Open files that are not connections: the index, journals, documents being written, and the loop's own."""


class Server(uvicorn.Server):
    """Calls `begin_closing` before it waits for open connections: an open stream would never end by itself."""

    def __init__(self, config: uvicorn.Config, begin_closing: Callable[[], None]) -> None:
        super().__init__(config)
        self._begin_closing = begin_closing
        self.on_started: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(DISK_THREADS, "disk"))
        await super().startup(sockets)
        self.on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._begin_closing()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Unlike uvicorn's, not undone at the end: a stop that was asked for is no death by a signal."""
        if threading.current_thread() is threading.main_thread():
            for sign in _stop_signals():
                signal.signal(sign, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal ends everything in good order, a second one at once: what was shown is in the journals."""
        if self.should_exit:
            os._exit(128 + sig)
        self.should_exit = True


def _stop_signals() -> list[signal.Signals]:
    signs = [signal.SIGINT, signal.SIGTERM]
    # The terminal was closed; under nohup that is no reason to stop.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signs.append(signal.SIGHUP)
    return signs


def make_server(app: Any, begin_closing: Callable[[], None]) -> Server:
    """A server for an ASGI application, to be run on sockets that are bound already."""
    config = uvicorn.Config(
        app,
        http=functools.partial(Protocol, most_connections=most_connections()),  # type: ignore[arg-type]
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=GRACE_S,
    )
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    return Server(config, begin_closing)


def most_connections() -> int:
    """As many as open files are allowed, less a quarter: tabs may not take what documents and journals need.

    What this process may have is raised first, as far as it is allowed to.
    """
    if sys.platform == "win32":
        return MOST_FILES
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(8, allowed - max(OWN_FILES, allowed // 4))


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        OSError: the port is taken or not allowed, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # So that a restart need not wait for the connections of the process before it to time out.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener
