"""The agent programs that run: one for each agent and folder, started when needed, ended when nobody uses it."""

import asyncio
import importlib
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from api.agents.acp.offering import Offering
from api.agents.acp.program import Program
from api.agents.acp.surroundings import Surroundings
from api.agents.idling import Idling

if TYPE_CHECKING:
    from api.agents.acp.connection import AgentConnection


class Running:
    """Those of one server. `offering` tells which slash commands they have."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self.offering = Offering()
        self._idling: Idling[AgentConnection] = Idling(around.limits.idle_s, ahead_s=around.limits.ahead_s)

    def used(
        self, program: Program, folder: Path, *, ahead: bool = False
    ) -> "AbstractAsyncContextManager[AgentConnection]":
        """The program at work in `folder`; it is not ended for idleness inside. `ahead`: see `Idling.used`.

        Raises:
            AgentFailed: it cannot be started.
        """
        return self._idling.used(
            (program.name, str(folder)),
            lambda one: one.program == program,
            lambda: self._start(program, folder),
            ahead=ahead,
        )

    def pids(self) -> list[int]:
        """The programs that run."""
        return [one.pid for one in self._idling.open()]

    async def close(self) -> None:
        """End all of them."""
        await self._idling.close()

    async def _start(self, program: Program, folder: Path) -> "AgentConnection":
        # In a thread, because the SDK is loaded on the way.
        connecting = await asyncio.to_thread(importlib.import_module, "api.agents.acp.connection")
        return await connecting.connect(program, folder, self._around, self.offering)
