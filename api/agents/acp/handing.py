"""Which of the person's MCP servers an agent is given: those named for it, with a tool on, that it can reach."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from api.agents.mcp.server import Server


def handed(names: Sequence[str], servers: Iterable[Server]) -> tuple[Server, ...]:
    """The servers called `names`, without what only our own use of them needs.

    One whose tools are all off is off, for agents too.
    """
    usable = {one.name: one for one in servers if any(tool.is_on for tool in one.tools)}
    bare = (usable[name] for name in names if name in usable)
    return tuple(msgspec.structs.replace(one, tools=(), version="", only_reads=False) for one in bare)


def as_parameters(servers: Iterable[Server], *, http: bool) -> list[dict[str, Any]]:
    """What a session is begun with: each server as the protocol writes it. `http`: the agent reaches addresses."""
    return [_as_parameter(one) for one in servers if http or one.kind == "stdio"]


def unreachable(servers: Iterable[Server], *, http: bool) -> list[str]:
    """The names of those that the agent was to have and cannot use."""
    return [one.name for one in servers if not http and one.kind == "http"]


def _as_parameter(server: Server) -> dict[str, Any]:
    if server.kind == "http":
        return {"type": "http", "name": server.name, "url": server.url, "headers": _pairs(server.headers)}
    command, *args = server.argv
    return {"name": server.name, "command": command, "args": args, "env": _pairs(server.env)}


def _pairs(given: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in given]
