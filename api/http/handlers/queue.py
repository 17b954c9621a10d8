"""The queue of a session: what is sent when the answer before it is done, and what is told to the agent meanwhile."""

from fastapi import Response

from api.http.bodies import Id, OneSession, QueueAdd, QueueDelete, QueueEdit, QueueReorder, Steer
from api.http.rooms import House, Owner, Rooms, reply
from api.runs.queueing import Added
from api.runs.turns import NewTurn


async def show(session_id: Id, house: House, owner: Owner) -> Response:
    """The messages that wait."""
    return reply({"queue": await house.queueing.of(session_id, owner=owner)})


async def add(body: QueueAdd, house: House, owner: Owner) -> Response:
    """Have a message wait for the answer that is being written; sent at once where nothing is to be waited for."""
    turn = NewTurn(
        text=body.message,
        message_id=body.message_id,
        model=body.model,
        agent=body.agent,
        attachments=body.attachments,
    )
    return reply(_public(await _add(house, owner, body.session_id, turn)))


async def steer(body: Steer, house: House, owner: Owner) -> Response:
    """Tell the agent at work something at its next step. Where there is none, it waits before all others."""
    turn = NewTurn(text=body.text, message_id=body.message_id)
    added = await _add(house, owner, body.session_id, turn, steer=True)
    return reply(_public(added) | {"accepted": added.accepted})


async def edit(body: QueueEdit, house: House, owner: Owner) -> Response:
    """Give a message that waits another text, or other attachments."""
    queue = await house.queueing.edit(
        body.session_id,
        body.message_id,
        body.message,
        attachments=body.attachments,
        revision=body.revision,
        owner=owner,
    )
    return reply({"queue": queue})


async def reorder(body: QueueReorder, house: House, owner: Owner) -> Response:
    """Have a message wait before another one, or after all."""
    return reply({"queue": await house.queueing.reorder(body.session_id, body.message_id, body.before, owner=owner)})


async def delete(body: QueueDelete, house: House, owner: Owner) -> Response:
    """Take messages out."""
    return reply({"queue": await house.queueing.delete(body.session_id, body.message_ids, owner=owner)})


async def put_back(body: OneSession, house: House, owner: Owner) -> Response:
    """Put back what was last taken out."""
    return reply({"queue": await house.queueing.put_back(body.session_id, owner=owner)})


async def resume(body: OneSession, house: House, owner: Owner) -> Response:
    """Send what was held back."""
    queue, started = await house.queueing.resume(body.session_id, owner=owner)
    return reply({"queue": queue, "started": started})


async def _add(house: Rooms, owner: str, session_id: str, turn: NewTurn, *, steer: bool = False) -> Added:
    added = await house.queueing.add(session_id, turn, steer=steer, owner=owner)
    await house.forget_draft(session_id, turn.text, turn.attachments or [])
    return added


def _public(added: Added) -> dict[str, object]:
    return {"message_id": added.message_id, "queue": added.queue, "started": added.started}
