"""`/btw`"""

from api.commands.base import Command, Desk, Effect, ShowAside


async def _run(desk: Desk) -> list[Effect]:
    aside = await desk.asides.ask(desk.session, desk.words, model=desk.model, owner=desk.owner)
    return [ShowAside(stream_id=aside.stream_id)]


BTW = Command(name="btw", argument="<question>", help="Ask something aside, also while an answer is written", run=_run)
