"""`/model`"""

from api.commands.base import Command, Desk, Do, Effect


async def _run(desk: Desk) -> list[Effect]:
    return [Do(action="model", argument=desk.argument)]


MODEL = Command(name="model", argument="[name]", help="Choose the model that answers", run=_run, needs_session=False)
