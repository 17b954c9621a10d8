"""`/undo`"""

from api.commands.base import Command, Compose, Desk, Effect, Reload
from api.domain.attachments import attachments_of
from api.domain.messages import text_of
from api.sessions.documents import editing


async def _run(desk: Desk) -> list[Effect]:
    now = desk.engine.clock()
    session, removed = await desk.conversing.change(
        desk.session, lambda session: editing.undo_last_turn(session, now), reason="undo", owner=desk.owner
    )
    return [
        Reload(session_id=session.session_id),
        Compose(text=text_of(removed[0]), attachments=attachments_of(removed[0])),
    ]


UNDO = Command(name="undo", help="Take your last message back into the composer, with its answer", run=_run)
