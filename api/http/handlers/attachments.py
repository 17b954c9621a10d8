"""What is given along with messages: files that are sent, or taken out of the folder of a session."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, BinaryIO

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from api.domain.attachments import Attachment
from api.domain.errors import AppError, Conflict, NotFound, UnsupportedMedia
from api.http.bodies import FromWorkspace, Id, OneAttachment
from api.http.rooms import House, Owner, Rooms, reply
from api.http.sending import called, chunks
from api.sessions.documents.session import Session
from api.workspace.completing import fitting
from api.workspace.folder import Folder

AS_BYTES = "application/octet-stream"
ALONE = "sandbox; default-src 'none'"
"""Even where a browser can be brought to show it as a page, it may do nothing, and is of no origin."""
_PIECE = 1 << 20


async def upload(
    request: Request,
    session_id: Id,
    house: House,
    owner: Owner,
    name: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """Attach a file to what is about to be said in a session. Its bytes are the body."""
    # No form of a page from elsewhere can be sent like this, and nothing that is sent is taken apart.
    if request.headers.get("content-type", "").strip().lower() != AS_BYTES:
        raise UnsupportedMedia(f"Send the bytes of the file themselves, as {AS_BYTES}.")
    await asyncio.to_thread(house.store.get, session_id, owner=owner)
    size = int(request.headers.get("content-length", "0"))
    arriving = await asyncio.to_thread(house.attachments.begin, session_id, size)
    try:
        async for piece in _gathered(request):
            await asyncio.to_thread(house.attachments.write, arriving, piece)
        kept = await asyncio.to_thread(house.attachments.keep, session_id, arriving, name)
    finally:
        await asyncio.to_thread(arriving.discard)
    return reply({"attachment": kept})


async def _gathered(request: Request) -> AsyncIterator[bytes]:
    """The body in pieces that are worth a thread."""
    piece = bytearray()
    async for chunk in request.stream():
        piece += chunk
        if len(piece) >= _PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


async def take_from_workspace(body: FromWorkspace, house: House, owner: Owner) -> Response:
    """Attach a copy of a file of the session's folder."""
    session = await asyncio.to_thread(house.store.get, body.session_id, owner=owner)
    return reply({"attachment": await asyncio.to_thread(_take, house, session, body.path)})


def _take(house: Rooms, session: Session, path: str) -> Attachment:
    with _folder_of(house, session) as folder, _opened(folder, path) as file:
        size = os.fstat(file.fileno()).st_size
        arriving = house.attachments.begin(session.session_id, size)
        try:
            while piece := file.read(_PIECE):
                house.attachments.write(arriving, piece)
            return house.attachments.keep(session.session_id, arriving, path)
        finally:
            arriving.discard()


def _opened(folder: Folder, path: str) -> BinaryIO:
    try:
        return folder.open(folder.name_of(path))
    except NotFound:
        message = "There is no such file in the folder of this session any more."
        raise NotFound(message, code="file_not_found", field="path") from None
    except AppError as error:
        error.message = f"This cannot be attached: {error.message}"
        raise


async def files(
    session_id: Id,
    house: House,
    owner: Owner,
    q: Annotated[str, Query(max_length=1000)] = "",
    limit: Annotated[int, Query(ge=1)] = 20,
) -> Response:
    """The files of the session's folder whose names fit some letters best."""
    session = await asyncio.to_thread(house.store.get, session_id, owner=owner)

    def look() -> list[str]:
        with _folder_of(house, session) as folder:
            return fitting(folder, q, min(limit, 100))

    return reply({"files": await asyncio.to_thread(look)})


def _folder_of(house: Rooms, session: Session) -> Folder:
    if not session.workspace:
        raise Conflict("This session works in no folder. Choose one first.", code="no_folder")
    return Folder(Path(session.workspace), house.unreachable)


async def show(session_id: Id, id: Id, house: House, owner: Owner) -> Response:
    """The bytes of one. Pictures are shown, all else is to be kept as a file."""
    await asyncio.to_thread(house.store.get, session_id, owner=owner)
    attachment, file = await asyncio.to_thread(house.attachments.open, session_id, id)
    headers = {"content-length": str(attachment.size), "content-security-policy": ALONE}
    headers |= called(attachment.name, inline=attachment.is_picture)
    kind = attachment.media_type if attachment.is_picture else AS_BYTES
    return StreamingResponse(chunks(file), headers=headers, media_type=kind)


async def remove(body: OneAttachment, house: House, owner: Owner) -> Response:
    """Forget one that was taken out again before it was sent. What is named somewhere stays."""
    await house.attaching.remove(body.session_id, body.id, owner=owner)
    return reply({"ok": True})
