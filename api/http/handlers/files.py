"""Conversations as files: out, and back in."""

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from api.domain.errors import TooLarge
from api.http.bodies import Id
from api.http.rooms import House, Owner, reply
from api.http.sending import called
from api.runs.viewing import SessionView
from api.sessions.attachments import FILES
from api.sessions.documents.exporting import to_html, to_markdown
from api.sessions.importing import import_json

MAX_IMPORT_BYTES = 256 * 1024 * 1024
KINDS = {
    "json": ("json", "application/json"),
    "markdown": ("md", "text/markdown; charset=utf-8"),
    "html": ("html", "text/html; charset=utf-8"),
}


async def export(
    session_id: Id,
    house: House,
    owner: Owner,
    format: Annotated[str, Query(pattern="^(json|markdown|html)$")] = "json",
) -> Response:
    """A conversation as a file. JSON is the whole document, with what is attached, and can be imported again."""
    view = await house.viewing.session(session_id, owner=owner)
    data = await asyncio.to_thread(_written, view, format)
    ending, kind = KINDS[format]
    headers = called(f"{view.session.title}.{ending}")
    named = await asyncio.to_thread(house.attachments.named_in, session_id, data) if isinstance(data, bytes) else {}
    if isinstance(data, str) or not named:
        return Response(data, headers=headers, media_type=kind)
    return StreamingResponse(house.attachments.exported(session_id, data, named), headers=headers, media_type=kind)


async def import_sessions(request: Request, house: House, owner: Owner) -> Response:
    """Conversations out of a JSON file, sent as the body. What is here already is passed over."""
    too_large = TooLarge("The file is larger than 256 MB. Nothing was imported.", max_bytes=MAX_IMPORT_BYTES)
    if int(request.headers.get("content-length", "0")) > MAX_IMPORT_BYTES:
        raise too_large
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MAX_IMPORT_BYTES:
            raise too_large
    done = await asyncio.to_thread(import_json, house.store, bytes(received), owner=owner)
    return reply({"imported": [session.row() for session in done.sessions], "skipped": done.skipped})


def _written(view: SessionView, format: str) -> bytes | str:
    session = view.session
    if format == "markdown":
        return to_markdown(session.title, view.messages)
    if format == "html":
        return to_html(session.title, view.messages, created_at=session.row()["created_at"])
    document: dict[str, Any] = session.document() | {"messages": view.messages}
    document.pop(FILES, None)
    return msgspec.json.format(msgspec.json.encode(document))
