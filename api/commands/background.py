"""`/background`"""

from api.commands.base import Command, Desk, Effect, ShowTask


async def _run(desk: Desk) -> list[Effect]:
    task = await desk.tasks.accept(desk.session, desk.words, model=desk.model, owner=desk.owner)
    return [ShowTask(task_id=task.task_id)]


BACKGROUND = Command(
    name="background",
    argument="<prompt>",
    help="Have something worked on in the background; its answer arrives here",
    run=_run,
)
