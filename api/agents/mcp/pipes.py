"""The streams of an MCP server that is a program: started with them, ended with them. Imports the SDK."""

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from pydantic import ValidationError

from api.agents.lines import MOST_BYTES, Lines
from api.agents.mcp.limits import Limits
from api.agents.mcp.server import Server
from api.agents.murmur import Murmur
from api.workspace import processes

log = logging.getLogger(__name__)

Received = MemoryObjectReceiveStream[SessionMessage | Exception]
Sent = MemoryObjectSendStream[SessionMessage]


class Pipes:
    """Made by `start`. A transport for the SDK: entered, it gives what is heard and what can be said."""

    def __init__(self, process: processes.Process, server: Server, limits: Limits) -> None:
        assert process.stdin is not None
        self._process = process
        self._limits = limits
        self._lines = Lines(process.stdout, process.stdin, _no_wait)
        self._murmur = Murmur(server.secrets)
        self._heard, self._received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        self._sent, self._to_say = anyio.create_memory_object_stream[SessionMessage](0)
        work = {"stderr": self._listen(), "hear": self._hear(), "say": self._say()}
        self._tasks = {name: asyncio.create_task(one, name=f"mcp.{server.name}.{name}") for name, one in work.items()}

    async def __aenter__(self) -> tuple[Received, Sent]:
        return self._received, self._sent

    async def __aexit__(self, *_: object) -> None:
        await asyncio.shield(asyncio.create_task(self._close()))

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._lines.has_ended or self._process.returncode is not None

    async def last_words(self) -> str:
        """Why nothing more comes, as far as that is known."""
        if self._lines.was_too_long:
            return f"it sent a message of more than {MOST_BYTES >> 20} MB"
        # What it wrote last may still be on its way.
        await asyncio.wait([self._tasks["stderr"]], timeout=0.2)
        return self._murmur.last_line()

    async def _close(self) -> None:
        await self._process.end(self._limits.end_s)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.wait(self._tasks.values())
        for stream in (self._heard, self._received, self._sent, self._to_say):
            await stream.aclose()

    async def _listen(self) -> None:
        while block := await self._process.stderr.read(4096):
            self._murmur.add(block)

    async def _hear(self) -> None:
        """Pass on what the program says, one message at a time; what waits, waits in its pipe."""
        async with self._heard:
            with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                while (message := await self._lines.receive()) is not None:
                    if (understood := _understood(message)) is not None:
                        await self._heard.send(understood)

    async def _say(self) -> None:
        async with self._to_say:
            # A program that is gone is not told; that it is, `_hear` finds out.
            with contextlib.suppress(ConnectionError, OSError, RuntimeError):
                async for one in self._to_say:
                    await self._lines.send(one.message.model_dump(by_alias=True, mode="json", exclude_unset=True))


async def start(server: Server, *, folder: Path, env: dict[str, str], mark: str, limits: Limits) -> Pipes:
    """Start the program of `server` in `folder`, with what was set for it beside `env`.

    Raises:
        CannotStart: with a sentence that says why.
    """
    given = {**env, **dict(server.env)}
    process = await processes.start(server.argv, cwd=folder, env=given, mark=mark, wants_stdin=True)
    return Pipes(process, server, limits)


async def _no_wait() -> None:
    """Each message waits for the one before it anyway."""


def _understood(message: dict[str, Any]) -> SessionMessage | None:
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_python(message, by_name=False))
    except ValidationError as error:
        log.info("mcp.message_dropped", extra={"errors": error.error_count()})
        return None
