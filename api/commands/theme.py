"""`/theme`"""

from api.commands.base import Command, Desk, Do, Effect


async def _run(desk: Desk) -> list[Effect]:
    return [Do(action="theme", argument=desk.argument.lower())]


THEME = Command(name="theme", argument="[name]", help="Change how the page looks", run=_run, needs_session=False)
