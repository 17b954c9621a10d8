"""MCP servers: which there are, adding one, looking what it offers, switching its tools."""

import asyncio

from fastapi import Request, Response

from api.agents.mcp.failures import ServerFailed
from api.agents.mcp.server import Server
from api.agents.mcp.servers import MOST_ON
from api.domain.errors import BadRequest, Conflict
from api.http.answers import McpServer, McpTool
from api.http.bodies import McpAdd, McpSwitch, OneMcp
from api.http.handlers.auth import ask_again
from api.http.rooms import House, Rooms, reply


async def list_servers(house: House) -> Response:
    """Those that were added, with the tools that they had when they were last looked at."""
    servers = await asyncio.to_thread(house.mcp.servers.all)
    return reply({"servers": [_public(server) for server in servers], "most_on": MOST_ON})


async def add(body: McpAdd, request: Request, house: House) -> Response:
    """Add one, once its exact command was shown and has come back with the login, and it answers."""
    server = await asyncio.to_thread(house.mcp.found_in_full, _given(body))
    shown = {"argv": list(server.argv), "url": server.url}
    if not body.confirm:
        return reply({"server": None, **shown})
    if tuple(body.argv) != server.argv:
        message = "This is not the command that you were shown. Look at it again."
        raise Conflict(message, code="other_command", argv=server.argv)
    ask_again(body.token, request, house)
    try:
        kept = await house.mcp.add(server)
    except ServerFailed as error:
        raise _NotAdded(str(error), reason=str(error)) from error
    await _forget_what_was_said(house, server.name)
    return reply({"server": _public(kept), **shown})


async def remove(body: OneMcp, house: House) -> Response:
    """Forget one, and end it."""
    await house.mcp.remove(body.name)
    await _forget_what_was_said(house, body.name)
    return reply({"ok": True})


async def check(body: OneMcp, house: House) -> Response:
    """Start or reach one, and ask for its tools."""
    try:
        return reply({"works": True, "reason": "", "server": _public(await house.mcp.look(body.name))})
    except ServerFailed as error:
        server = await asyncio.to_thread(house.mcp.servers.find, body.name)
        return reply({"works": False, "reason": str(error), "server": _public(server)})


async def switch(body: McpSwitch, house: House) -> Response:
    """Turn tools on or off, or say whether a server is believed."""
    servers = house.mcp.servers
    if (body.on is None) == (body.only_reads is None):
        raise BadRequest("Say either what is to be on, or whether the server is believed.", field="on")
    if body.only_reads is not None:
        server = await asyncio.to_thread(servers.believe, body.name, only_reads=body.only_reads)
    else:
        server = await asyncio.to_thread(servers.switch, body.name, body.tools, on=bool(body.on))
    return reply({"server": _public(server)})


class _NotAdded(BadRequest):
    status, code = 422, "mcp_not_added"


def _given(body: McpAdd) -> Server:
    argv = (body.command, *body.args) if body.command or not body.url else ()
    env, headers = tuple(sorted(body.env.items())), tuple(sorted(body.headers.items()))
    return Server(name=body.name, argv=argv, env=env, url=body.url, headers=headers)


async def _forget_what_was_said(house: Rooms, name: str) -> None:
    """What was allowed of a server, and to whom it was given, holds for that one and not for another of its name."""
    await house.permitting.forget_tools(f"{name}__")
    await asyncio.to_thread(house.acp.programs.forget_server, name)


def _public(server: Server) -> dict[str, object]:
    """What may be shown of it."""
    shown = McpServer(
        name=server.name,
        kind=server.kind,
        argv=list(server.argv),
        env=[name for name, _ in server.env],
        url=server.url,
        headers=[name for name, _ in server.headers],
        only_reads=server.only_reads,
        version=server.version,
        tools=[
            McpTool(
                name=tool.name,
                offered=tool.offered,
                title=tool.title,
                description=tool.description,
                reads=tool.reads,
                is_on=tool.is_on,
            )
            for tool in server.tools
        ],
    )
    return shown.model_dump()
