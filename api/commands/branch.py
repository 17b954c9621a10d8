"""`/branch`"""

from api.commands.base import Command, Desk, Effect, OpenSession


async def _run(desk: Desk) -> list[Effect]:
    branch = await desk.conversing.copy(desk.session, title=desk.argument or None, owner=desk.owner)
    return [OpenSession(session_id=branch.session_id)]


BRANCH = Command(name="branch", argument="[title]", help="Go on from here in a conversation of its own", run=_run)
