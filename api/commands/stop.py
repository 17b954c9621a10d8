"""`/stop`"""

from api.commands.base import Command, Desk, Effect, Say


async def _run(desk: Desk) -> list[Effect]:
    stopped = await desk.engine.cancel_in(desk.session)
    return [] if stopped else [Say(message="Nothing is being written in this conversation.", code="nothing_to_stop")]


STOP = Command(name="stop", help="Stop the answer; what was shown is kept", run=_run)
