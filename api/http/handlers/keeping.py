"""What is not among the sessions any more: deleted ones, and files that cannot be shown."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, BinaryIO
from urllib.parse import quote

from fastapi import Query, Response
from fastapi.responses import StreamingResponse

from api.domain.messages import clean_text
from api.http.bodies import OneSession
from api.http.rooms import House, Owner, reply

CHUNK = 1 << 16


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
        return [
            {"name": name, "reason": one.reason, "can_download": name == one.name and one.is_file}
            for one in house.store.quarantined()
            for name in [clean_text(one.name)]
        ]

    return reply({"files": await asyncio.to_thread(look)})


async def unreadable_file(house: House, name: Annotated[str, Query(max_length=300)]) -> Response:
    """One of those files, as it is."""
    file = await asyncio.to_thread(house.store.open_quarantined, name)
    # Never shown by a browser, whatever it holds.
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    return StreamingResponse(_chunks(file), headers=headers, media_type="application/octet-stream")


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk
