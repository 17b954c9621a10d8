"""Taking messages away and putting them back, copying, branching."""

from fastapi import Response

from api.http.rooms import House, Owner, reply
from api.http.schemas import Branch, Change, Copy, Truncate
from api.sessions import editing


async def duplicate(body: Copy, house: House, owner: Owner) -> Response:
    """Make a copy of a session."""
    return reply({"session": (await house.conversing.copy(body.session_id, title=body.title, owner=owner)).row()})


async def branch(body: Branch, house: House, owner: Owner) -> Response:
    """Make a session that begins like this one, up to a message."""
    made = await house.conversing.copy(body.session_id, up_to=body.message_id, title=body.title, owner=owner)
    return reply({"session": made.row()})


async def truncate(body: Truncate, house: House, owner: Owner) -> Response:
    """Take away everything after a message."""
    now = house.engine.clock()
    session, removed = await house.conversing.change(
        body.session_id,
        lambda session: editing.truncate(session, body.message_id, now),
        revision=body.revision,
        reason="truncate",
        owner=owner,
    )
    return reply({"session": session.row(), "removed": removed})


async def undo(body: Change, house: House, owner: Owner) -> Response:
    """Take back the last message of a person, with its answer."""
    now = house.engine.clock()
    session, removed = await house.conversing.change(
        body.session_id,
        lambda session: editing.undo_last_turn(session, now),
        revision=body.revision,
        reason="undo",
        owner=owner,
    )
    return reply({"session": session.row(), "removed": removed})


async def clear(body: Change, house: House, owner: Owner) -> Response:
    """Take away all messages."""
    now = house.engine.clock()
    session, removed = await house.conversing.change(
        body.session_id,
        lambda session: editing.clear(session, now),
        revision=body.revision,
        reason="clear",
        owner=owner,
    )
    return reply({"session": session.row(), "removed": removed})


async def put_back(body: Change, house: House, owner: Owner) -> Response:
    """Put back what was last taken away, unless the conversation has gone on since."""
    session, _ = await house.conversing.change(body.session_id, editing.put_back, revision=body.revision, owner=owner)
    return reply({"session": session.row()})
