"""JSON-RPC messages over a program's pipes, one a line. What is no message is dropped; nothing grows without bound."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

log = logging.getLogger(__name__)

MOST_BYTES = 16 << 20
_BLOCK = 1 << 16
_MOST_TOLD = 10


class Lines:
    """A transport for what speaks JSON-RPC. `room` is awaited before each message, so that a flood waits in the pipe.

    `has_ended` when nothing more can come; `was_too_long`, because a line was longer than `MOST_BYTES`.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, room: Callable[[], Awaitable[None]]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._room = room
        self._held = bytearray()
        self._looked = 0
        self._dropped = 0
        self.has_ended = False
        self.was_too_long = False

    async def send(self, message: dict[str, Any]) -> None:
        self._writer.write(msgspec.json.encode(message) + b"\n")
        await self._writer.drain()

    async def receive(self) -> dict[str, Any] | None:
        """The next message; None when the program has closed its side or cannot be listened to any more."""
        while (line := await self._line()) is not None:
            if (message := _decoded(line)) is not None:
                await self._room()
                return message
            if line.strip():
                self._note_dropped(len(line))
        self.has_ended = True
        return None

    async def close(self) -> None:
        self._writer.close()

    async def _line(self) -> bytes | None:
        while (end := self._held.find(b"\n", self._looked)) < 0:
            self._looked = len(self._held)
            if self._looked > MOST_BYTES:
                self.was_too_long = True
                return None
            block = await self._reader.read(_BLOCK)
            if not block:
                return None
            self._held += block
        line = bytes(self._held[:end])
        del self._held[: end + 1]
        self._looked = 0
        return line

    def _note_dropped(self, length: int) -> None:
        self._dropped += 1
        if self._dropped <= _MOST_TOLD:
            log.warning("pipe.line_dropped", extra={"bytes": length, "dropped": self._dropped})


def _decoded(line: bytes) -> dict[str, Any] | None:
    """The JSON object in `line`, if there is one."""
    try:
        message = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        message = _decoded_leniently(line)
    return message if isinstance(message, dict) else None


def _decoded_leniently(line: bytes) -> Any:
    """Programs that cut strings in UTF-16 write halves of surrogate pairs, which only the slower decoder takes."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
