"""`/clear`"""

from api.commands.base import Command, Desk, Effect, Reload, Say
from api.sessions.documents import editing


async def _run(desk: Desk) -> list[Effect]:
    now = desk.engine.clock()
    session, removed = await desk.conversing.change(
        desk.session, lambda session: editing.clear(session, now), reason="clear", owner=desk.owner
    )
    said = Say(message=f"{len(removed)} messages were taken away.", code="cleared", count=len(removed))
    return [Reload(session_id=session.session_id), said]


CLEAR = Command(name="clear", help="Empty this conversation; this can be undone", run=_run)
