"""The MCP servers of this house: those that are kept, those that run, and the tools that they give."""

import asyncio
import importlib
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from api.agents.command import found_in_full
from api.agents.idling import Idling
from api.agents.mcp import failures
from api.agents.mcp.limits import Limits
from api.agents.mcp.server import Listed, Server, checked
from api.agents.mcp.servers import Servers
from api.agents.mcp.tool import McpTool
from api.domain.errors import NotFound
from api.tools.base import Context, Result

if TYPE_CHECKING:
    from api.agents.mcp.connection import ServerConnection


class McpTools:
    """`folder` is where programs are started, `env` what they know of ours, `mark` what they bear
    (`workspace.processes`)."""

    def __init__(
        self, servers: Servers, *, folder: Path, env: dict[str, str], mark: str, limits: Limits | None = None
    ) -> None:
        self.servers = servers
        self._folder = folder
        self._env = env
        self._mark = mark
        self._limits = limits or Limits()
        self._running: Idling[ServerConnection] = Idling(self._limits.idle_s)

    def on(self) -> list[McpTool]:
        """The tools that are switched on, as they were when they were last looked at. Starts nothing."""
        return [McpTool(one, tool, self) for one in self.servers.all() for tool in one.tools if tool.is_on]

    def grounds_of(self, tool_name: str) -> dict[str, str]:
        """How the server of a tool is started or reached, as grounds of its calls; empty where it is no tool of one."""
        servers = (one for one in self.servers.all() if tool_name.startswith(f"{one.name}__"))
        return {f"MCP: {one.name}": one.way for one in servers}

    def found_in_full(self, server: Server) -> Server:
        """`server` as it would be started. Raises `BadRequest`."""
        server = checked(server)
        if server.kind == "http":
            return server
        return msgspec.structs.replace(server, argv=found_in_full(server.argv, self._env.get("PATH", "")))

    async def add(self, server: Server) -> Server:
        """Start or reach `server`, and keep it when it answers, in the place of one of that name.

        Raises:
            ServerFailed: it does not answer; nothing was kept.
            Conflict: there are too many.
        """
        connection = await self._start(server)
        try:
            server = msgspec.structs.replace(server, version=connection.version)
            kept = await asyncio.to_thread(self.servers.add, server, connection.tools)
        finally:
            await connection.close()
        await self._running.end(server.name)
        return kept

    async def look(self, name: str) -> Server:
        """Ask a server for its version and its tools.

        Raises:
            ServerFailed: it does not answer.
            NotFound: there is none of that name.
        """
        server = self.servers.find(name)
        async with self._used(server) as connection:
            await connection.list_again()
            return await asyncio.to_thread(self.servers.note, server, connection.version, connection.tools)

    async def remove(self, name: str) -> None:
        """Forget a server, and end it, whoever waits for it."""
        await asyncio.to_thread(self.servers.remove, name)
        await self._running.end(name)

    async def call(self, server: Server, tool: Listed, arguments: dict[str, Any], context: Context) -> Result:
        """What a call came to. Raises `ServerFailed`."""
        self._check_still_on(server, tool)
        async with self._used(server) as connection:
            return await connection.call(tool.name, arguments, context.emit)

    def pids(self) -> list[int]:
        """The programs that run."""
        return [pid for one in self._running.open() if (pid := one.pid) is not None]

    async def close(self) -> None:
        """End all of them."""
        await self._running.close()

    def _check_still_on(self, server: Server, tool: Listed) -> None:
        """A turn may go on for days, and what it began with may be gone."""
        try:
            now = self.servers.find(server.name)
        except NotFound:
            raise failures.gone(server.name) from None
        if not server.is_same_as(now):
            raise failures.gone(server.name)
        if not any(one.name == tool.name and one.is_on for one in now.tools):
            raise failures.switched_off(server.name, tool.name)

    def _used(self, server: Server) -> "AbstractAsyncContextManager[ServerConnection]":
        return self._running.used(server.name, lambda one: one.server.is_same_as(server), lambda: self._start(server))

    async def _start(self, server: Server) -> "ServerConnection":
        # In a thread, because the SDK is loaded on the way.
        connecting = await asyncio.to_thread(importlib.import_module, "api.agents.mcp.connection")
        return await connecting.connect(
            server, folder=self._folder, env=self._env, mark=self._mark, limits=self._limits
        )
