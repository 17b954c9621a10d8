"""`/retry`"""

from api.commands.base import Command, Desk, Effect, FollowRun


async def _run(desk: Desk) -> list[Effect]:
    started = await desk.conversing.retry(desk.session, owner=desk.owner)
    return [FollowRun(session_id=started.session_id, stream_id=started.stream_id)]


RETRY = Command(name="retry", help="Answer the last message anew; the old answer is kept aside", run=_run)
