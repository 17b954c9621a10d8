"""`/help`"""

from api.commands.base import Command, Desk, Do, Effect


async def _run(desk: Desk) -> list[Effect]:
    return [Do(action="help", argument=desk.argument)]


HELP = Command(name="help", help="Show all commands and shortcuts", run=_run, needs_session=False)
