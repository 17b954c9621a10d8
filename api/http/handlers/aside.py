"""What is asked aside, and what is worked on in the background."""

from fastapi import Response

from api.http.bodies import Background, Btw, Id, OneStream, OneTask
from api.http.rooms import House, Owner, reply
from api.runs.tasks import public


async def ask(body: Btw, house: House, owner: Owner) -> Response:
    """Ask something about a session, aside from it; allowed while it answers something else."""
    aside = await house.asides.ask(body.session_id, body.question, model=body.model, owner=owner)
    house.changes.note_topic(f"asides:{body.session_id}")
    return reply({"aside": aside})


async def keep(body: OneStream, house: House, owner: Owner) -> Response:
    """Put a question asked aside, with its answer, into the session."""
    session = await house.asides.keep(body.stream_id, owner=owner)
    house.changes.note_topic(f"asides:{session.session_id}")
    return reply({"session": session.row()})


async def drop(body: OneStream, house: House, owner: Owner) -> Response:
    """Forget a question asked aside."""
    house.changes.note_topic(f"asides:{await house.asides.drop(body.stream_id, owner=owner)}")
    return reply({"ok": True})


async def begin(body: Background, house: House, owner: Owner) -> Response:
    """Have something worked on in the background. Its answer arrives in the session as one message."""
    task = await house.tasks.accept(body.session_id, body.prompt, model=body.model, owner=owner)
    house.changes.note_topic(f"tasks:{body.session_id}")
    return reply({"task": public(task)})


async def status(session_id: Id, house: House, owner: Owner) -> Response:
    """The tasks of a session whose answers are not in it yet."""
    return reply({"tasks": [public(task) for task in house.tasks.of(session_id, owner=owner)]})


async def cancel(body: OneTask, house: House, owner: Owner) -> Response:
    """Give up a task. What it had said arrives all the same."""
    house.changes.note_topic(f"tasks:{await house.tasks.cancel(body.task_id, owner=owner)}")
    return reply({"ok": True})
