"""What handlers are handed: the rooms that `app.py` built, who is asking, and a response of ready bytes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request, Response

from api.access.limits import Limit
from api.access.tokens import Tokens
from api.agents.acp.agent import AcpAgent
from api.agents.acp.installing import Installer
from api.agents.mcp.tools import McpTools
from api.agents.providers import Providers
from api.agents.registry import Registry
from api.runs.asides import Asides
from api.runs.attaching import Attaching
from api.runs.conversing import Conversing
from api.runs.engine import Engine
from api.runs.permitting import Permitting
from api.runs.queueing import Queueing
from api.runs.spending import Spending
from api.runs.tasks import Tasks
from api.runs.undoing import Undoing
from api.runs.viewing import Viewing
from api.sessions.attachments import Attachments
from api.sessions.changes import Changes
from api.sessions.documents.session import Session
from api.sessions.drafts import Draft, Drafts
from api.sessions.keeping.trashcan import Trashcan
from api.sessions.keeping.unclaimed import Unclaimed
from api.sessions.projects import Projects
from api.sessions.store import SessionStore
from api.tools.memory import Memory
from api.tools.skills import Skills
from api.workspace.places import place_named, workable
from api.workspace.shell import Shell


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """Everything that a handler may use. `cookie` names the cookie of a browser's login.

    `shell` runs commands of agents, which reach others where `command_network` says so; `unreachable` are folders that
    no session may work in.
    """

    store: SessionStore
    changes: Changes
    engine: Engine
    attaching: Attaching
    conversing: Conversing
    queueing: Queueing
    permitting: Permitting
    undoing: Undoing
    asides: Asides
    tasks: Tasks
    projects: Projects
    drafts: Drafts
    trash: Trashcan
    unclaimed: Unclaimed
    viewing: Viewing
    agents: Registry
    acp: AcpAgent
    memory: Memory
    skills: Skills
    mcp: McpTools
    shell: Callable[[], Awaitable[Shell]]
    command_network: bool
    installer: Installer
    providers: Providers
    spending: Spending
    tokens: Tokens
    login_tries: Limit
    cookie: str
    workspace: str
    unreachable: tuple[Path, ...]
    uptime_s: Callable[[], float]

    @property
    def attachments(self) -> Attachments:
        return self.engine.attachments

    async def folder_chosen(self, path: str | None, *, field: str) -> str | None:
        """The true name of the folder that someone names in `field` to work in; None when that is none.

        Raises:
            FolderRefused, NotFound, BadRequest: it is none to work in.
        """
        return None if path is None else await asyncio.to_thread(workable, place_named(path, field), self.unreachable)

    async def forget_draft(self, session_id: str, sent: str, attachments: Sequence[str]) -> None:
        """Forget the draft that a message came from, and tell every open page."""

        def forget() -> bool:
            ids = self.drafts.attached_to(session_id)
            there = {one.id for one in self.attachments.known(session_id, ids)}
            return self.drafts.forget(session_id, sent, [*attachments, *(one for one in ids if one not in there)])

        if await asyncio.to_thread(forget):
            self.changes.note_topic(f"draft:{session_id}")

    def draft_of(self, session: Session) -> dict[str, Any]:
        """The draft of a session, with what is attached to it and still there. Reads the disk."""
        return self.shown(session.session_id, self.drafts.get(session))

    def shown(self, session_id: str, draft: Draft) -> dict[str, Any]:
        known = self.attachments.known(session_id, draft.attachments)
        return {"text": draft.text, "attachments": known, "revision": draft.revision}


def _rooms(request: Request) -> Rooms:
    return request.app.state.rooms


def _owner(request: Request) -> str:
    return request.state.owner


House = Annotated[Rooms, Depends(_rooms)]
Owner = Annotated[str, Depends(_owner)]


def reply(value: Any) -> Response:
    """`value` as JSON. Encoded once, by the fastest encoder here; the route's response model only describes it."""
    return Response(msgspec.json.encode(value), media_type="application/json")
