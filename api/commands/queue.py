"""`/queue`"""

from api.commands.base import Command, Desk, Effect, FollowRun
from api.domain.ids import new_message_id
from api.runs.turns import NewTurn


async def _run(desk: Desk) -> list[Effect]:
    new = NewTurn(text=desk.words, message_id=new_message_id(), model=desk.model)
    started = (await desk.queueing.add(desk.session, new, owner=desk.owner)).started
    return [FollowRun(session_id=started.session_id, stream_id=started.stream_id)] if started else []


QUEUE = Command(name="queue", help="Send a message when the answer is done", run=_run, argument="<message>")
