"""The agent programs that run: one for each agent and folder, started when needed, ended when nobody uses it."""

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from api.agents.acp.program import Program
from api.agents.acp.surroundings import Surroundings

if TYPE_CHECKING:
    from api.agents.acp.connection import AgentConnection


class _Place:
    """Where a program runs or ran."""

    def __init__(self) -> None:
        self.connection: AgentConnection | None = None
        self.users = 0
        self.idle_timer: asyncio.TimerHandle | None = None
        self.changing = asyncio.Lock()


class Running:
    """Those of one server."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._places: dict[tuple[str, str], _Place] = {}
        self._ending: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def used(self, program: Program, folder: Path) -> AsyncIterator["AgentConnection"]:
        """The program at work in `folder`; it is not ended for idleness inside.

        Raises:
            AgentFailed: it cannot be started.
        """
        key = (program.name, str(folder))
        place = self._places.setdefault(key, _Place())
        place.users += 1
        if place.idle_timer is not None:
            place.idle_timer.cancel()
        try:
            yield await self._at(place, program, folder)
        finally:
            place.users -= 1
            if place.users == 0:
                is_over = place.connection is None or place.connection.is_closed
                delay_s = 0.0 if is_over else self._around.limits.idle_s
                place.idle_timer = asyncio.get_running_loop().call_later(delay_s, self._begin_ending, key)

    def pids(self) -> list[int]:
        """The programs that run."""
        connections = (place.connection for place in self._places.values())
        return [one.pid for one in connections if one is not None and not one.is_closed]

    async def close(self) -> None:
        """End all of them."""
        for place in self._places.values():
            if place.idle_timer is not None:
                place.idle_timer.cancel()
        connections = [place.connection for place in self._places.values() if place.connection is not None]
        self._places = {}
        await asyncio.gather(*(connection.close() for connection in connections), *self._ending)

    async def _at(self, place: _Place, program: Program, folder: Path) -> "AgentConnection":
        async with place.changing:
            current = place.connection
            is_other = current is not None and current.program != program and place.users == 1
            if current is not None and (current.is_closed or is_other):
                await current.close()
                place.connection = None
            if place.connection is None:
                place.connection = await self._start(program, folder)
            return place.connection

    async def _start(self, program: Program, folder: Path) -> "AgentConnection":
        # In a thread, because the SDK is loaded on the way.
        connecting = await asyncio.to_thread(importlib.import_module, "api.agents.acp.connection")
        return await connecting.connect(program, folder, self._around)

    def _begin_ending(self, key: tuple[str, str]) -> None:
        task = asyncio.create_task(self._end_if_idle(key))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end_if_idle(self, key: tuple[str, str]) -> None:
        place = self._places.get(key)
        if place is None or place.users:
            return
        async with place.changing:
            if place.users == 0:
                self._places.pop(key, None)
                if place.connection is not None:
                    await place.connection.close()
