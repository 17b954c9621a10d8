"""The stream that tells an open page what changed in the list of sessions."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import Header, Query, Response

from api.domain.errors import NotFound
from api.http import sse
from api.http.rooms import House, Owner, Rooms
from api.sessions.changes import RESYNC_ABOVE, Change


async def events(
    house: House,
    owner: Owner,
    after: Annotated[str | None, Query(max_length=100)] = None,
    last_event_id: Annotated[str | None, Header(max_length=100)] = None,
) -> Response:
    """Changes after a version, then as they come."""
    return sse.EventStream(_frames(house, owner, last_event_id or after))


async def _frames(house: Rooms, owner: str, after: str | None) -> AsyncGenerator[bytes, None]:
    def is_closing() -> bool:
        return house.engine.is_closing

    if after is not None and not house.changes.is_known(after):
        yield _resync(house)
        after = house.changes.version
    async for change in house.changes.follow(after, is_closing):
        if change is None:
            yield sse.PING
        elif len(change.session_ids) > RESYNC_ABOVE:
            yield _resync(house)
        else:
            yield await _change(house, owner, change)
    yield sse.BYE if is_closing() else _resync(house)


def _resync(house: Rooms) -> bytes:
    version = house.changes.version
    return sse.frame("resync", {"version": version}, version)


async def _change(house: Rooms, owner: str, change: Change) -> bytes:
    frames = b"".join([await _topic(house, topic) for topic in change.topics])
    if not change.session_ids:
        return frames
    rows, removed = await asyncio.to_thread(_look_up, house, owner, change.session_ids)
    data = {"rows": rows, "removed": removed, "version": change.version}
    return frames + sse.frame("sessions_changed", data, change.version)


async def _topic(house: Rooms, topic: str) -> bytes:
    """`models`, or something of one session: `draft:<session_id>`, told with its number so that nobody asks in vain."""
    name, _, session_id = topic.partition(":")
    data: dict[str, Any] = {"session_id": session_id} if session_id else {}
    if name == "draft":
        data["revision"] = await asyncio.to_thread(house.drafts.revision, session_id)
    return sse.frame(f"{name}_changed", data)


def _look_up(house: Rooms, owner: str, session_ids: list[str]) -> tuple[list[dict[str, Any]], list[str]]:
    rows: list[dict[str, Any]] = []
    removed: list[str] = []
    for session_id in session_ids:
        try:
            session = house.store.get(session_id, owner=owner)
        except NotFound:
            removed.append(session_id)
            continue
        if not session.is_blank:
            rows.append(session.row())
    return rows, removed
