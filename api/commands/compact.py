"""`/compact`"""

from api.commands.base import Command, Desk, Effect, Say
from api.domain.compactions import WANTED
from api.domain.errors import Conflict
from api.domain.messages import is_said
from api.sessions.documents.session import Session


async def _run(desk: Desk) -> list[Effect]:
    def wish(session: Session) -> None:
        if sum(map(is_said, session.messages)) < 2:
            raise Conflict("This conversation is too short to be summarised.", code="nothing_to_compact")
        session.extra[WANTED] = True

    await desk.conversing.change(desk.session, wish, owner=desk.owner, while_running=True)
    message = "Older messages will be summarised for the model before its next answer. You keep all of them."
    return [Say(message=message, code="will_compact")]


COMPACT = Command(name="compact", help="Summarise older messages for the model", run=_run)
