"""The demo model's process: started when needed, ended when idle, started again when it crashed."""

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec

log = logging.getLogger(__name__)

_SERVER = Path(__file__).with_name("server.py")
_START_S = 60.0
_END_S = 2.0


class CannotStart(Exception):
    """The process ended, or said nothing, before its model was loaded."""


class Address(msgspec.Struct, frozen=True):
    addr: str
    key: str


class ModelProcess:
    """`idle_s`: seconds after the last use until the process is ended and its memory given back."""

    def __init__(self, model: Path, *, context_tokens: int, idle_s: float) -> None:
        self._model = model
        self._context_tokens = context_tokens
        self._idle_s = idle_s
        self._process: asyncio.subprocess.Process | None = None
        self._address: Address | None = None
        self._users = 0
        self._idle_timer: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._is_alive else None

    @property
    def _is_alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @asynccontextmanager
    async def used(self) -> AsyncIterator[Address]:
        """The address of the running model; it is not ended for idleness inside.

        Raises:
            CannotStart: the text says why, for a log.
        """
        self._users += 1
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        try:
            yield await self._running()
        finally:
            self._users -= 1
            if self._users == 0:
                self._idle_timer = asyncio.get_running_loop().call_later(self._idle_s, self._begin_ending)

    async def give_up(self, address: Address) -> None:
        """End what was at `address`, which does not answer any more, so that the next use starts anew."""
        async with self._changing:
            if self._address == address:
                await self._end()

    async def close(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        async with self._changing:
            await self._end()

    async def _running(self) -> Address:
        async with self._changing:
            if not self._is_alive or self._address is None:
                await self._end()
                self._address = await self._start()
            return self._address

    async def _start(self) -> Address:
        # A process group of its own, so that Ctrl-C in the terminal ends the server in its own order.
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            str(_SERVER),
            str(self._model),
            str(self._context_tokens),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            address = await self._opening(self._process)
        except BaseException:
            await asyncio.shield(self._end())
            raise
        log.info("embedded.started", extra={"pid": self._process.pid})
        return address

    async def _opening(self, process: asyncio.subprocess.Process) -> Address:
        assert process.stdout is not None
        try:
            async with asyncio.timeout(_START_S):
                line = await process.stdout.readline()
        except TimeoutError as error:
            raise CannotStart(f"not loaded within {_START_S:.0f} s") from error
        opening = json.loads(line) if line else {"error": "it ended before its model was loaded"}
        if "addr" not in opening:
            raise CannotStart(opening.get("error", "it did not say where it listens"))
        return msgspec.convert(opening, Address)

    def _begin_ending(self) -> None:
        self._ending = asyncio.get_running_loop().create_task(self._end_if_idle())

    async def _end_if_idle(self) -> None:
        async with self._changing:
            if self._users == 0:
                await self._end()

    async def _end(self) -> None:
        process, self._process, self._address = self._process, None, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await process.wait()
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        log.info("embedded.ended", extra={"pid": process.pid, "returncode": process.returncode})
