"""`/steer`"""

from api.commands.base import Command, Desk, Effect, FollowRun, Say
from api.domain.ids import new_message_id
from api.runs.turns import NewTurn


async def _run(desk: Desk) -> list[Effect]:
    new = NewTurn(text=desk.words, message_id=new_message_id())
    added = await desk.queueing.add(desk.session, new, steer=True, owner=desk.owner)
    if added.started:
        return [FollowRun(session_id=added.started.session_id, stream_id=added.started.stream_id)]
    if added.accepted:
        return []
    said = "The agent takes no word while it does this. Your message is the next one."
    return [Say(message=said, code="steer_waits")]


STEER = Command(name="steer", help="Tell the agent at work something at its next step", run=_run, argument="<message>")
