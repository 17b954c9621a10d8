"""Taking messages away and putting them back, copying, branching."""

from collections.abc import Callable

from fastapi import Response

from api.domain.messages import Message
from api.http.bodies import Branch, Change, ChooseVersion, Copy, Truncate, TurnChange
from api.http.rooms import House, Owner, Rooms, reply
from api.runs import turns
from api.sessions.documents import editing, versions
from api.sessions.documents.session import Session


async def duplicate(body: Copy, house: House, owner: Owner) -> Response:
    """Make a copy of a session."""
    made = await house.conversing.copy(body.session_id, title=body.title, kind="copy", owner=owner)
    return reply({"session": made.row()})


async def branch(body: Branch, house: House, owner: Owner) -> Response:
    """Make a session that begins like this one, up to a message."""
    made = await house.conversing.copy(body.session_id, up_to=body.message_id, title=body.title, owner=owner)
    return reply({"session": made.row()})


async def truncate(body: Truncate, house: House, owner: Owner) -> Response:
    """Take away everything after a message."""
    now = house.engine.clock()
    return await _take(house, owner, body, "truncate", lambda one: editing.truncate(one, body.message_id, now))


async def undo(body: TurnChange, house: House, owner: Owner) -> Response:
    """Take back the last message of a person, with its answer."""
    now = house.engine.clock()

    def take(session: Session) -> list[Message]:
        turns.check_last(session, body.message_id)
        return editing.undo_last_turn(session, now)

    return await _take(house, owner, body, "undo", take)


async def clear(body: Change, house: House, owner: Owner) -> Response:
    """Take away all messages."""
    now = house.engine.clock()
    return await _take(house, owner, body, "clear", lambda one: editing.clear(one, now))


async def put_back(body: Change, house: House, owner: Owner) -> Response:
    """Put back what was last taken away, unless the conversation has gone on since."""
    session, _ = await house.conversing.change(body.session_id, editing.put_back, revision=body.revision, owner=owner)
    return reply({"session": session.row()})


async def version(body: ChooseVersion, house: House, owner: Owner) -> Response:
    """Have another version of a turn stand in the conversation. What stood there becomes a version like the others."""

    def choose(session: Session) -> None:
        versions.choose(session, body.message_id, body.version)

    session, _ = await house.conversing.change(
        body.session_id, choose, revision=body.revision, reason="version", owner=owner
    )
    return reply({"session": session.row()})


async def _take(
    house: Rooms, owner: str, body: Change, reason: str, take: Callable[[Session], list[Message]]
) -> Response:
    session, removed = await house.conversing.change(
        body.session_id, take, revision=body.revision, reason=reason, owner=owner
    )
    return reply({"session": session.row(), "removed": [versions.shown(one) for one in removed]})
