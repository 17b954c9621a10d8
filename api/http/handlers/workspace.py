"""The folder that a session works in, and finding one."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

from fastapi import Query, Response

from api.domain.errors import AppError
from api.http.bodies import ChooseFolder
from api.http.rooms import House, Owner, Rooms, reply
from api.sessions.documents.session import Session
from api.workspace.places import look_into, place_named, workable


async def folders(
    house: House, owner: Owner, path: Annotated[str, Query(max_length=4096, pattern=r"^[^\x00]*$")] = "~"
) -> Response:
    """The folders in one, by name, to choose one from. Begins at home."""
    return reply(await asyncio.to_thread(_listing, house, place_named(path)))


async def choose(body: ChooseFolder, house: House, owner: Owner) -> Response:
    """Have a session work in a folder from its next turn on, or with null in none."""
    chosen = await house.folder_chosen(body.path, field="path")

    def settle(session: Session) -> None:
        session.workspace = chosen

    session, _ = await house.conversing.change(
        body.session_id, settle, revision=body.revision, while_running=True, owner=owner
    )
    return reply({"session": session.row()})


def _listing(house: Rooms, path: Path) -> dict[str, Any]:
    place = look_into(path)
    return {
        "path": str(place.path),
        "parent": None if place.path.parent == place.path else str(place.path.parent),
        "folders": place.folders,
        "is_cut": place.is_cut,
        "refusal": _refusal(place.path, house.unreachable),
        "home": str(Path.home()),
        "default": None if _refusal(Path(house.workspace), house.unreachable) else house.workspace,
    }


def _refusal(path: Path, unreachable: tuple[Path, ...]) -> str | None:
    """Why nothing may be worked at in a folder, or None."""
    try:
        workable(path, unreachable)
    except AppError as error:
        return error.message
    return None
