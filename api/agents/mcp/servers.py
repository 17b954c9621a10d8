"""Which MCP servers there are: kept in one file, what may be keys with them, so nobody else may read it."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from api.agents.mcp.server import Listed, Server, checked
from api.agents.providers import DocumentFile
from api.domain.errors import BadRequest, Conflict, NotFound

MOST_ON = 100
"""So many tools of all servers together may be on: providers take 128 in a request, and a model loses sight before."""
_MOST_SERVERS = 50


class Servers:
    """Reads its file when first asked and then holds what it says: nobody else writes it."""

    def __init__(self, file: DocumentFile) -> None:
        self._file = file
        self._servers: dict[str, Server] | None = None
        self._changing = threading.Lock()

    def all(self) -> list[Server]:
        """In the order in which they were added. With what may be keys: for use, not for show."""
        return list(self._loaded().values())

    def find(self, name: str) -> Server:
        """Raises `NotFound`."""
        server = self._loaded().get(name)
        if server is None:
            raise NotFound(f"There is no MCP server called {name!r} here.", code="mcp_not_found", name=name)
        return server

    def add(self, server: Server, tools: Sequence[Listed]) -> Server:
        """Keep `server` in the place of one of that name, with its tools on, as many as fit. Blocks for a write.

        Raises:
            Conflict: there are too many.
        """
        with self._changing:
            others = {name: one for name, one in self._loaded().items() if name != server.name}
            if len(others) >= _MOST_SERVERS:
                message = f"There can be at most {_MOST_SERVERS} MCP servers. Remove one first."
                raise Conflict(message, code="too_many_mcp_servers")
            room = MOST_ON - _count_on(others)
            on = [msgspec.structs.replace(tool, is_on=number < room) for number, tool in enumerate(tools)]
            server = msgspec.structs.replace(server, tools=tuple(on))
            self._write({**self._loaded(), server.name: server})
        return server

    def note(self, seen: Server, version: str, tools: Sequence[Listed]) -> Server:
        """Write down what `seen` says of itself now. Tools that it did not have before are off. Blocks for a write.

        Raises:
            NotFound: it was removed meanwhile, or changed.
        """

        def noted(server: Server) -> Server:
            if not server.is_same_as(seen):
                raise NotFound(
                    "The MCP server was changed meanwhile. Look again.", code="mcp_not_found", name=seen.name
                )
            on = {tool.name for tool in server.tools if tool.is_on}
            now = tuple(msgspec.structs.replace(tool, is_on=tool.name in on) for tool in tools)
            return msgspec.structs.replace(server, version=version, tools=now)

        return self._change(seen.name, noted)

    def switch(self, name: str, tools: Sequence[str] | None, *, on: bool) -> Server:
        """Turn some of its tools on or off, or all of them. Blocks for a write.

        Raises:
            NotFound: there is no such server, or it has no such tool.
            Conflict: too many would be on.
        """

        def switched(server: Server) -> Server:
            wanted = {tool.name for tool in server.tools} if tools is None else set(tools)
            if unknown := wanted - {tool.name for tool in server.tools}:
                message = f"The MCP server {name!r} has no tool {min(unknown)!r}."
                raise NotFound(message, code="mcp_tool_not_found", name=name)
            now = [msgspec.structs.replace(one, is_on=on) if one.name in wanted else one for one in server.tools]
            return msgspec.structs.replace(server, tools=tuple(now))

        return self._change(name, switched)

    def believe(self, name: str, *, only_reads: bool) -> Server:
        """Whether to believe a server where it says that a tool changes nothing. Blocks for a write.

        Raises:
            NotFound: there is no such server.
        """
        return self._change(name, lambda server: msgspec.structs.replace(server, only_reads=only_reads))

    def remove(self, name: str) -> None:
        """Forget one. Forgetting one that is not there succeeds. Blocks for a write."""
        with self._changing:
            if name in self._loaded():
                self._write({other: one for other, one in self._loaded().items() if other != name})

    def _change(self, name: str, change: Callable[[Server], Server]) -> Server:
        with self._changing:
            server = change(self.find(name))
            after = {**self._loaded(), name: server}
            if _count_on(after) > max(MOST_ON, _count_on(self._loaded())):
                message = f"At most {MOST_ON} tools can be on, those of all servers together. Switch others off first."
                raise Conflict(message, code="too_many_tools")
            self._write(after)
        return server

    def _loaded(self) -> dict[str, Server]:
        if self._servers is None:
            entries = self._file.read().get("servers")
            servers = map(_server, entries if isinstance(entries, list) else [])
            self._servers = {server.name: server for server in servers if server is not None}
        return self._servers

    def _write(self, servers: dict[str, Server]) -> None:
        stored = self._file.read()
        entries = stored.get("servers")
        # What was not understood (a newer version's, a slip of the hand) is kept as it is.
        strangers = [one for one in entries if _server(one) is None] if isinstance(entries, list) else []
        self._file.write({**stored, "servers": msgspec.to_builtins(list(servers.values())) + strangers})
        self._servers = servers


def _count_on(servers: dict[str, Server]) -> int:
    return sum(tool.is_on for server in servers.values() for tool in server.tools)


def _server(entry: Any) -> Server | None:
    """A stored entry, or None for one that cannot be understood."""
    try:
        return checked(msgspec.convert(entry, Server))
    except (msgspec.ValidationError, BadRequest):
        return None
