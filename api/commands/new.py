"""`/new`"""

from api.commands.base import Command, Compose, Desk, Effect, OpenSession


async def _run(desk: Desk) -> list[Effect]:
    opened: list[Effect] = [OpenSession(session_id=None)]
    return [*opened, Compose(text=desk.argument)] if desk.argument else opened


NEW = Command(name="new", argument="[message]", help="Begin a new chat", run=_run, needs_session=False)
