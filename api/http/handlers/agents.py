"""Agents that are programs of their own: which there are, adding one, looking whether one works."""

import asyncio
from typing import Annotated

from fastapi import Query, Response

from api.agents.acp.failures import AgentFailed
from api.agents.acp.program import Program
from api.agents.acp.programs import program_of
from api.domain.errors import Conflict, NotFound
from api.http.agent_answers import AgentProgram
from api.http.bodies import AgentAdd, AgentServers, Id, ModelId, OneAgent
from api.http.rooms import House, Owner, Rooms, reply

Model = Annotated[ModelId, Query()]


async def list_agents(house: House) -> Response:
    """Those of the config file, those that were added, and those that are installed on this machine."""
    programs = await asyncio.to_thread(house.acp.programs.all)
    installable = await asyncio.to_thread(house.installer.all)
    servers = [server.name for server in await asyncio.to_thread(house.mcp.servers.all)]
    return reply({"agents": [_public(program) for program in programs], "installable": installable, "servers": servers})


async def commands(house: House, owner: Owner, model: Model, session_id: Id | None = None) -> Response:
    """The slash commands of an agent, in the folder of a session or else where sessions begin."""
    session = None if session_id is None else await asyncio.to_thread(house.store.get, session_id, owner=owner)
    workspace = session.workspace if session else None
    return reply({"commands": await asyncio.to_thread(house.acp.commands, model, workspace)})


async def add(body: AgentAdd, house: House) -> Response:
    """Add one, once its exact command was shown and has come back: from then on it is run."""
    table = {"command": body.command, "args": body.args, "env": body.env, "title": body.title}
    program = await asyncio.to_thread(house.acp.programs.found_in_full, program_of(body.name, table))
    if not body.confirm:
        return reply({"agent": None, "argv": program.argv})
    if tuple(body.argv) != program.argv:
        message = "This is not the command that you were shown. Look at it again."
        raise Conflict(message, code="other_command", argv=program.argv)
    program = await asyncio.to_thread(house.acp.programs.add, program)
    house.changes.note_topic("models")
    return reply({"agent": _public(program), "argv": program.argv})


async def install(body: OneAgent, house: House) -> Response:
    """Begin to install a known one into an environment of its own."""
    return reply({"agent": house.installer.begin(body.name)})


async def remove(body: OneAgent, house: House) -> Response:
    """Forget one that was added."""
    await asyncio.to_thread(house.acp.programs.remove, body.name)
    house.changes.note_topic("models")
    return reply({"ok": True})


async def hand_on(body: AgentServers, house: House) -> Response:
    """Give one some of the MCP servers, with what was set for them, and no others."""
    for server in body.servers:
        await asyncio.to_thread(house.mcp.servers.find, server)
    program = await asyncio.to_thread(house.acp.programs.hand_on, body.name, body.servers)
    return reply({"agent": _public(program)})


async def check(body: OneAgent, house: House) -> Response:
    """Start one, greet it and end it."""
    program = await asyncio.to_thread(_find, house, body.name)
    try:
        return reply({"works": True, "version": await house.acp.check(program), "reason": ""})
    except AgentFailed as error:
        return reply({"works": False, "version": "", "reason": error.failure.message})


def _find(house: Rooms, name: str) -> Program:
    house.acp.programs.look_again()
    program = house.acp.programs.find(name)
    if program is None:
        raise NotFound(f"There is no agent called {name!r} here.", code="agent_not_found", name=name)
    return program


def _public(program: Program) -> dict[str, object]:
    """What may be shown of it: of its environment the names alone."""
    shown = AgentProgram(
        name=program.name,
        title=program.title,
        argv=list(program.argv),
        env=[name for name, _ in program.env],
        source=program.source,
        model=program.model,
        mcp=list(program.mcp),
    )
    return shown.model_dump()
