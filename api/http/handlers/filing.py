"""Where sessions are filed: projects and tags; and what is typed into them and not sent."""

import asyncio
from typing import Any

from fastapi import Response

from api.http.bodies import DraftPut, Id, Move, OneSession, ProjectChange, ProjectCreate, ProjectDelete, Tag
from api.http.rooms import House, Owner, reply
from api.sessions.documents.session import Session
from api.sessions.projects import COLORS


async def move(body: Move, house: House, owner: Owner) -> Response:
    """File a session under a project, or under none."""
    await asyncio.to_thread(house.projects.check, body.project_id)

    def file(session: Session) -> None:
        session.project_id = body.project_id

    session, _ = await house.conversing.change(
        body.session_id, file, revision=body.revision, while_running=True, owner=owner
    )
    return reply({"session": session.row()})


async def tag(body: Tag, house: House, owner: Owner) -> Response:
    """Give a session its tags."""
    tags = list(dict.fromkeys(tag.strip().removeprefix("#") for tag in body.tags if tag.strip("# ")))

    def mark(session: Session) -> None:
        session.tags = tags

    session, _ = await house.conversing.change(
        body.session_id, mark, revision=body.revision, while_running=True, owner=owner
    )
    return reply({"session": session.row()})


async def read(body: OneSession, house: House, owner: Owner) -> Response:
    """Someone has seen what arrived in a session."""

    def see(session: Session) -> None:
        session.unread = False

    session, _ = await house.conversing.change(body.session_id, see, while_running=True, owner=owner)
    return reply({"session": session.row()})


async def projects(house: House) -> Response:
    """All projects, and the colours there are."""
    return reply({"projects": await asyncio.to_thread(house.projects.all), "colors": COLORS})


async def create_project(body: ProjectCreate, house: House) -> Response:
    """Make a project."""
    project = await asyncio.to_thread(house.projects.create, body.name, body.color)
    house.changes.note_topic("projects")
    return reply({"project": project})


async def change_project(body: ProjectChange, house: House) -> Response:
    """Give a project another name or colour."""
    project = await asyncio.to_thread(house.projects.change, body.project_id, name=body.name, color=body.color)
    house.changes.note_topic("projects")
    return reply({"project": project})


async def delete_project(body: ProjectDelete, house: House) -> Response:
    """Forget a project; its sessions stay."""
    await asyncio.to_thread(house.projects.delete, body.project_id)
    house.changes.note_topic("projects")
    return reply({"ok": True})


async def draft(session_id: Id, house: House, owner: Owner) -> Response:
    """What was typed into a session and not sent."""
    session = await asyncio.to_thread(house.store.get, session_id, owner=owner)
    return reply(await asyncio.to_thread(house.draft_of, session))


async def put_draft(body: DraftPut, house: House, owner: Owner) -> Response:
    """Keep what was typed, unless another page has written meanwhile."""
    session = await asyncio.to_thread(house.store.get, body.session_id, owner=owner)

    def keep() -> dict[str, Any]:
        known = [one.id for one in house.attachments.known(body.session_id, body.attachments)]
        return house.shown(body.session_id, house.drafts.put(session, body.text, known, revision=body.revision))

    kept = await asyncio.to_thread(keep)
    house.changes.note_topic(f"draft:{body.session_id}")
    return reply(kept)
