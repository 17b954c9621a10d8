"""What a running server does by itself from time to time: each chore in a thread of its own."""

import asyncio
import logging
from collections.abc import Callable

import msgspec

log = logging.getLogger(__name__)


class Chore(msgspec.Struct, frozen=True):
    """`act` is called every `every_s` seconds, and with `at_once` at the start, too; it may block, and may fail."""

    name: str
    every_s: float
    act: Callable[[], object]
    at_once: bool = False


class Upkeep:
    """Carries out chores from `open` to `close`."""

    def __init__(self, *chores: Chore) -> None:
        self._chores = chores
        self._tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        """Begin, on the running loop."""
        self._tasks = [asyncio.create_task(_repeat(one), name=f"upkeep.{one.name}") for one in self._chores]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)


async def _repeat(chore: Chore) -> None:
    if not chore.at_once:
        await asyncio.sleep(chore.every_s)
    while True:
        try:
            await asyncio.to_thread(chore.act)
        except Exception:  # the border of this task: what failed now is tried again
            log.exception("upkeep.failed", extra={"chore": chore.name})
        await asyncio.sleep(chore.every_s)
