"""What is not among the sessions any more: deleted ones, and files that cannot be shown."""

import asyncio
from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import StreamingResponse

from api.domain.messages import clean_text
from api.http.bodies import OneFile, OneSession
from api.http.rooms import House, Owner, Rooms, reply
from api.http.sending import called, chunks
from api.runs.rescue import rescuable, rescue
from api.sessions.disk.quarantine import Quarantined
from api.sessions.disk.rights import may_read


async def trash(house: House, owner: Owner) -> Response:
    """What was deleted and can be restored, the newest first."""
    return reply(await asyncio.to_thread(house.trash.look, owner=owner))


async def remove(body: OneSession, house: House, owner: Owner) -> Response:
    """Remove a deleted session for good. Removing it again succeeds."""
    await asyncio.to_thread(house.trash.remove, body.session_id, owner=owner)
    return reply({"ok": True})


async def unreadable(house: House) -> Response:
    """The files that look like sessions and cannot be shown, with the reason. None of them was touched."""

    def look() -> list[dict[str, object]]:
        return [_unreadable(house, one) for one in house.store.quarantined()]

    return reply({"files": await asyncio.to_thread(look)})


def _unreadable(house: Rooms, one: Quarantined) -> dict[str, object]:
    name = clean_text(one.name)
    can_read = name == one.name and one.is_file and may_read(house.store.folder / name)
    count = len(rescuable(house.store, house.engine.folder, name).messages) if can_read else 0
    return {"name": name, "reason": one.reason, "can_download": can_read, "readable_messages": count}


async def rescue_file(body: OneFile, house: House, owner: Owner) -> Response:
    """Make a session of what can still be read of one of those files, which stays as it is."""
    session = await asyncio.to_thread(rescue, house.store, house.engine.folder, body.name, owner=owner)
    return reply({"session": session.row()})


async def unreadable_file(house: House, name: Annotated[str, Query(max_length=300)]) -> Response:
    """One of those files, as it is."""
    file = await asyncio.to_thread(house.store.open_quarantined, name)
    return StreamingResponse(chunks(file), headers=called(name), media_type="application/octet-stream")
