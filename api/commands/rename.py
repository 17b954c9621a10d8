"""`/rename`"""

from api.commands.base import Command, Desk, Effect, Reload
from api.sessions.documents.session import Session


async def _run(desk: Desk) -> list[Effect]:
    title = " ".join(desk.words.split())[:300]

    def rename(session: Session) -> None:
        session.title, session.title_by = title, "person"

    session, _ = await desk.conversing.change(desk.session, rename, owner=desk.owner, while_running=True)
    return [Reload(session_id=session.session_id)]


RENAME = Command(name="rename", argument="<title>", help="Give this conversation a name", run=_run)
