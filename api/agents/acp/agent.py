"""The back end for every program that speaks ACP. Loads the SDK when a program is first used."""

import asyncio
import importlib
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from api.agents.acp import failures
from api.agents.acp.failures import AgentFailed
from api.agents.acp.handing import handed
from api.agents.acp.offering import Offered
from api.agents.acp.program import PROVIDER, Program
from api.agents.acp.programs import Programs
from api.agents.acp.running import Running
from api.agents.acp.sessions import Memory
from api.agents.acp.surroundings import Surroundings
from api.agents.base import Turn
from api.agents.mcp.server import Server
from api.agents.provider import split_model
from api.domain import events as ev

if TYPE_CHECKING:
    from api.agents.acp.turns import Turns

log = logging.getLogger(__name__)


class AcpAgent:
    """Answers with the programs of `programs`; `memory` tells which of their sessions go with ours.

    `servers` gives the person's MCP servers, of which a program gets those that are named for it.
    """

    name = PROVIDER
    can_resume = True

    def __init__(
        self,
        programs: Programs,
        memory: Memory,
        around: Surroundings,
        *,
        servers: Callable[[], Sequence[Server]] = tuple,
    ) -> None:
        self.programs = programs
        self._servers = servers
        self.running = Running(around)
        self._memory = memory
        self._around = around
        self._turns: Turns | None = None

    async def run(self, turn: Turn) -> AsyncGenerator[ev.Event, None]:
        name = split_model(turn.model)[1]
        program = self._equipped(name)
        if program is None:
            yield ev.RunEnded(outcome="failed", failure=failures.not_there(name))
            return
        turns = await self._loaded()
        async with aclosing(turns.run(turn, program, self._folder(turn.workspace))) as events:
            async for event in events:
                yield event

    async def prepare(self, model: str = "") -> None:
        program = self._equipped(split_model(model)[1])
        if program is None:
            return
        await self._loaded()
        try:
            async with self.running.used(program, self._around.home, ahead=True):
                return
        except AgentFailed as error:
            # The person is told when the turn comes; here nobody is waiting for an answer yet.
            log.warning("acp.cannot_start", extra={"agent": program.name, "code": error.failure.code})

    def commands(self, model: str, workspace: str | None) -> tuple[Offered, ...]:
        """The slash commands of the agent behind `model`, as far as it has said there since this server was started."""
        program = self.programs.find(split_model(model)[1])
        return () if program is None else self.running.offering.of(program, self._folder(workspace))

    async def check(self, program: Program) -> str:
        """Start `program`, greet it and end it. Returns what it says it is.

        Raises:
            AgentFailed: it cannot be used; the failure says why.
        """
        running = Running(self._around)
        try:
            async with running.used(program, self._around.home) as connection:
                return connection.version
        finally:
            await asyncio.shield(running.close())

    async def close(self) -> None:
        if self._turns is not None:
            await self._turns.close()
        await self.running.close()

    def _equipped(self, name: str) -> Program | None:
        """The program with the servers that it is given now: another choice of them is another program to run."""
        program = self.programs.find(name)
        if program is None or not program.mcp:
            return program
        return msgspec.structs.replace(program, servers=handed(program.mcp, self._servers()))

    def _folder(self, workspace: str | None) -> Path:
        return Path(workspace).expanduser().absolute() if workspace else self._around.home

    async def _loaded(self) -> "Turns":
        if self._turns is None:
            module = await asyncio.to_thread(importlib.import_module, "api.agents.acp.turns")
            if self._turns is None:
                self._turns = module.Turns(self.running, self._memory, self._around)
        return self._turns
