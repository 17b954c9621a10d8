"""Slash commands: listing them, and doing what one says."""

from fastapi import Response

from api.commands import table
from api.commands.base import Desk, ShowAside, ShowTask
from api.http.bodies import CommandRun
from api.http.rooms import House, Owner, reply


async def list_commands() -> Response:
    """Every command, with its help and a hint at what follows it."""
    fields = ("name", "help", "argument", "needs_session")
    return reply({"commands": [{name: getattr(one, name) for name in fields} for one in table.COMMANDS]})


async def run(body: CommandRun, house: House, owner: Owner) -> Response:
    """Do what a line says; answers with what the page is to do."""
    command, argument = table.parse(body.text)
    desk = Desk(
        engine=house.engine,
        conversing=house.conversing,
        asides=house.asides,
        tasks=house.tasks,
        queueing=house.queueing,
        owner=owner,
        session_id=body.session_id,
        argument=argument,
        model=body.model,
    )
    effects = await table.run(command, desk)
    for effect in effects:
        if isinstance(effect, ShowAside | ShowTask):
            house.changes.note_topic(f"{'asides' if isinstance(effect, ShowAside) else 'tasks'}:{body.session_id}")
    return reply({"effects": effects})
