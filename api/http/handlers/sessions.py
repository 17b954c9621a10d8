"""Sessions: listing, opening, naming, putting away."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query, Response

from api.domain.parameters import parameters_of
from api.domain.titles import UNTITLED, split_tags
from api.http.bodies import Archive, Change, ChatSettings, Id, NewSession, OneSession, Pin, Rename
from api.http.rooms import House, Owner, Rooms, reply
from api.runs.tasks import public
from api.sessions.documents import versions
from api.sessions.documents.session import Session
from api.sessions.finding.search import SearchPage

DEFAULT_MESSAGES = 100
MAX_MESSAGES = 500

Limit = Annotated[int, Query(ge=1, description="At most this many; more than the maximum counts as the maximum.")]


async def new(body: NewSession, house: House, owner: Owner) -> Response:
    """Begin a session. It lives in memory until its first message, and writes nothing."""
    fields = body.model_dump(exclude_none=True, exclude={"request_id", "workspace"})
    workspace = await house.folder_chosen(body.workspace, field="workspace") or house.workspace
    session = house.store.new(owner=owner, workspace=workspace, **fields)
    return reply({"session": session.row() | _settings(session) | {"messages": []}})


async def list_sessions(
    house: House,
    owner: Owner,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    archived: Annotated[int, Query(ge=0, le=1)] = 0,
    q: Annotated[str | None, Query(max_length=1000)] = None,
    project_id: Id | None = None,
    tag: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """A page of the list: pinned first, then by the newest message."""
    # Taken before the rows: what changes in between is told twice rather than never.
    version = house.changes.version
    page = await asyncio.to_thread(
        house.store.rows,
        owner=owner,
        limit=min(limit, 200),
        cursor=cursor,
        archived=bool(archived),
        q=q,
        project_id=project_id,
        tag=tag,
    )
    answer = {"sessions": page.rows, "next_cursor": page.next_cursor, "counts": page.counts}
    return reply(answer | {"indexing": page.indexing, "version": version})


async def show(
    session_id: Id,
    house: House,
    owner: Owner,
    messages: Annotated[int, Query(ge=0, le=1)] = 1,
    msg_limit: Limit = DEFAULT_MESSAGES,
    msg_before: Annotated[int | None, Query(ge=0, le=2**31)] = None,
    msg_around: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """A session with its last messages, and the run it is in, as shown up to a number to go on from."""
    view = await house.viewing.session(session_id, owner=owner)
    limit = min(msg_limit, MAX_MESSAGES)
    end = min(len(view.messages), _end(view.messages, msg_before, msg_around, limit))
    start = max(0, end - limit) if messages else end
    shown = [versions.shown(one) for one in view.messages[start:end]]
    answer = {
        "session": view.row | _settings(view.session) | {"messages": shown},
        "_messages_offset": start,
        "_messages_after": len(view.messages) - end,
        "_messages_truncated": start > 0,
        "active_run": view.active_run,
        "asides": house.asides.of(session_id, owner=owner),
        "tasks": [public(task) for task in house.tasks.of(session_id, owner=owner)],
        "queue": await house.queueing.of(session_id, owner=owner),
        "draft": await asyncio.to_thread(house.draft_of, view.session),
    }
    return reply(answer)


def _end(messages: Sequence[Mapping[str, Any]], before: int | None, around: str | None, limit: int) -> int:
    """Where a page of messages ends: half a page after one of them, or before a number, or with the last."""
    if around is not None:
        place = next((place for place, message in enumerate(messages) if message["id"] == around), None)
        if place is not None:
            return max(limit, place + 1 + limit // 2)
    return len(messages) if before is None else before


async def search(
    house: House,
    owner: Owner,
    q: Annotated[str, Query(max_length=10_000)],
    limit: Limit = 20,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """Find words in titles and messages, best first."""

    def find() -> SearchPage:
        projects = {project.name.lower(): project.project_id for project in house.projects.all()}
        return house.store.search(q, owner=owner, limit=min(limit, 100), cursor=cursor, projects=projects)

    return reply(await asyncio.to_thread(find))


async def rename(body: Rename, house: House, owner: Owner) -> Response:
    """Give a session a name by hand, which nothing overwrites. `#words` in it become tags."""
    title, tags = split_tags(body.title)

    def name(session: Session) -> None:
        session.title, session.title_by = title or UNTITLED, "person"
        session.tags = [*session.tags, *(tag for tag in tags if tag not in session.tags)]

    return await _change(house, owner, body, name)


async def pin(body: Pin, house: House, owner: Owner) -> Response:
    """Keep a session at the top of the list, or no longer."""

    def mark(session: Session) -> None:
        session.pinned = body.pinned

    return await _change(house, owner, body, mark)


async def archive(body: Archive, house: House, owner: Owner) -> Response:
    """Put a session away, or take it back out."""

    def file(session: Session) -> None:
        session.archived = body.archived

    return await _change(house, owner, body, file)


async def set_parameters(body: ChatSettings, house: House, owner: Owner) -> Response:
    """Say how the model of a session is to answer, from its next turn on."""

    def choose(session: Session) -> None:
        session.system_prompt = body.system_prompt.strip() or None
        session.parameters = body.parameters.model_dump(exclude_none=True) or None

    return await _change(house, owner, body, choose)


async def delete(body: OneSession, house: House, owner: Owner) -> Response:
    """Move a session to the trash, from where it can be restored. A run in it is stopped first."""
    await house.conversing.delete(body.session_id, owner=owner)
    await house.asides.drop_all(body.session_id)
    await house.tasks.drop_all(body.session_id)
    return reply({"ok": True})


async def restore(body: OneSession, house: House, owner: Owner) -> Response:
    """Take a session back out of the trash."""
    return reply({"session": (await house.conversing.restore(body.session_id, owner=owner)).row()})


def _settings(session: Session) -> dict[str, Any]:
    """What is set for its model, as far as it can be used."""
    prompt = session.system_prompt if isinstance(session.system_prompt, str) else ""
    return {"system_prompt": prompt, "parameters": parameters_of(session.parameters)}


async def _change(house: Rooms, owner: str, body: Change, make: Callable[[Session], None]) -> Response:
    session, _ = await house.conversing.change(
        body.session_id, make, revision=body.revision, while_running=True, owner=owner
    )
    return reply({"session": session.row()})
