"""Builds everything, once: here rooms are constructed and handed to each other, what agents need in `equipment`."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from api import models
from api.access.hosts import Hosts
from api.access.limits import Limit
from api.access.tokens import Tokens
from api.agents.providers import Providers
from api.agents.registry import Registry
from api.equipment import equip
from api.http.gate import Gate
from api.http.openapi import describe as describe_routes
from api.http.page import Page
from api.http.rooms import Rooms
from api.http.routing import build, guarded
from api.routes import ROUTES
from api.runs import doctor, recovery
from api.runs.asides import Asides
from api.runs.attaching import Attaching
from api.runs.conversing import Conversing
from api.runs.engine import Engine
from api.runs.grounds import Grounds
from api.runs.journal import Header
from api.runs.naming import Naming
from api.runs.parking import take_up_turns
from api.runs.permitting import Permitting
from api.runs.queueing import Queueing
from api.runs.rules import Rules
from api.runs.spending import Spending
from api.runs.tasks import Tasks
from api.runs.undoing import Undoing
from api.runs.upkeep import Chore, Upkeep
from api.runs.viewing import Viewing
from api.sessions.changes import Changes
from api.sessions.disk.files import StateFile, make_folder, sweep_temps
from api.sessions.disk.rights import close_to_others
from api.sessions.drafts import Drafts
from api.sessions.keeping.trashcan import Trashcan
from api.sessions.keeping.unclaimed import Unclaimed
from api.sessions.projects import Projects
from api.sessions.queues import Queues
from api.settings import Settings
from api.workspace.processes import end_marked, mark_of

log = logging.getLogger(__name__)

PAGE = Path(__file__).parent / "static"


class House:
    """The built server: its rooms, and the application that answers for them at `port`."""

    def __init__(self, settings: Settings, port: int) -> None:
        """Reads what is kept of tokens and providers; opens nothing else until the application starts."""
        make_folder(settings.state_dir)
        models.use_folder(settings.sessions_dir)
        self.settings = settings
        self.rooms = _rooms(settings, port)
        self._upkeep = _upkeep(self.rooms, settings)
        self._naming = Naming(self.rooms.engine, self.rooms.conversing)
        if settings.titles:
            self.rooms.engine.on_retired.append(self._naming.consider)
        self.api = build(ROUTES, self.rooms, Page(PAGE), self._lifespan)
        self.asgi: Gate = guarded(self.api, self.rooms, Hosts(settings.host, port, settings.hosts))

    def begin_closing(self) -> None:
        """Let every open stream go; call before waiting for connections to end."""
        self.rooms.engine.begin_closing()
        self.rooms.changes.wake()

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        rooms = self.rooms
        make_folder(self.settings.sessions_dir)
        make_folder(self.settings.runs_dir)
        for folder in (self.settings.state_dir, self.settings.runs_dir):
            sweep_temps(folder)
        # What agents started in a former life of this server, if it was killed.
        await asyncio.to_thread(end_marked, mark_of(self.settings.state_dir))
        rooms.changes.open()
        rooms.store.on_change[:] = [rooms.changes.note_sessions]
        rooms.store.on_outside[:] = [lambda session_id: rooms.changes.note_topic(f"messages:{session_id}")]
        left = recovery.recover(
            rooms.store, self.settings.runs_dir, can_resume=rooms.agents.can_resume, count=rooms.spending.count
        )
        rooms.store.start_indexing()
        rooms.engine.open()
        await take_up_turns(rooms.engine, left.parked)
        rooms.asides.open()
        await rooms.queueing.open(self.settings.sessions_dir)
        await rooms.tasks.open()
        self._upkeep.open()
        try:
            yield
        finally:
            await self._upkeep.close()
            await self._naming.close()
            await rooms.tasks.close()
            await rooms.engine.close()
            await asyncio.to_thread(rooms.spending.close)
            await rooms.queueing.close()
            await rooms.agents.close()
            await rooms.mcp.close()
            await rooms.installer.close()
            rooms.store.close()


def describe() -> dict[str, Any]:
    """The OpenAPI description, without building a server."""
    return describe_routes(ROUTES)


def _rooms(settings: Settings, port: int) -> Rooms:
    store = models.store
    providers = Providers(
        StateFile(settings.state_dir / "providers.json"),
        StateFile(settings.state_dir / "secrets.json"),
        environment_url=settings.provider_url,
        environment_key=settings.provider_key,
        environment_model=settings.model,
    )
    equipment = equip(settings, store)
    acp, installer = equipment.acp, equipment.installer
    agents = Registry(providers, scripted=settings.scripted, acp=acp, toolkit=equipment.toolkit)
    rules = Rules(StateFile(settings.state_dir / "approvals.json"))
    spending = Spending(StateFile(settings.state_dir / "usage.json"), StateFile(settings.state_dir / "budget.json"))
    grounds = Grounds(equipment.mcp.grounds_of)
    engine = Engine(store, agents, settings.runs_dir, rules=rules, grounds_of=grounds.of, spending=spending)
    conversing, viewing = Conversing(engine), Viewing(engine)
    changes = Changes()
    installer.on_done += [acp.programs.look_again, lambda: changes.note_topic("models")]
    engine.on_retired.append(lambda header: _tell(changes, header))
    engine.on_asking.append(lambda _: changes.note_topic("approvals"))
    drafts, queues = Drafts(settings.state_dir / "drafts"), Queues(settings.state_dir / "queues")
    trash = Trashcan(store, settings.trash_days)
    trash.on_removed += [
        drafts.remove,
        queues.remove,
        engine.attachments.remove_all,
        rules.forget_session,
        *equipment.on_removed,
        lambda session_id: recovery.forget_ended(settings.runs_dir, session_id),
        lambda _: store.indexer.note_traces(),
    ]
    store.held = queues.held
    began = time.monotonic()
    return Rooms(
        store=store,
        changes=changes,
        engine=engine,
        attaching=Attaching(engine, queues),
        conversing=conversing,
        queueing=Queueing(
            engine,
            conversing,
            queues,
            lambda session_id: _tell_queue(changes, session_id),
        ),
        permitting=Permitting(engine, rules),
        undoing=Undoing(engine, equipment.checkpointing, [settings.state_dir]),
        viewing=viewing,
        asides=Asides(engine, conversing, viewing),
        tasks=Tasks(engine, conversing),
        projects=Projects(StateFile(settings.state_dir / "projects.json")),
        drafts=drafts,
        trash=trash,
        unclaimed=Unclaimed(
            store,
            engine.attachments,
            drafts,
            queues,
            told_in_journals=lambda session_id: recovery.told_in_journals(settings.runs_dir, session_id),
        ),
        agents=agents,
        acp=acp,
        memory=equipment.memory,
        skills=equipment.skills,
        mcp=equipment.mcp,
        shell=equipment.shell,
        command_network=settings.command_network,
        installer=installer,
        providers=providers,
        spending=spending,
        tokens=Tokens(StateFile(settings.state_dir / "access.json"), settings.token or None),
        login_tries=Limit(burst=20, every_s=3.0),
        # Cookies know no ports: without the number, two servers on this machine would sign each other's browsers out.
        cookie=f"fireside_{port}",
        workspace=str(settings.workspace),
        unreachable=(settings.state_dir,),
        uptime_s=lambda: time.monotonic() - began,
    )


def close_secrets(state_dir: Path) -> None:
    """Let nobody but their owner read what holds keys and tokens.

    Raises:
        PermissionError: one is open to others and belongs to someone else.
    """
    for name in doctor.SECRETS:
        if close_to_others(state_dir / name):
            log.warning("secrets.were_open_to_others", extra={"file": name})


def _upkeep(rooms: Rooms, settings: Settings) -> Upkeep:
    return Upkeep(
        Chore("open sessions", 2.0, rooms.store.look_outside),
        Chore("all sessions", 30.0, rooms.store.indexer.look_again),
        Chore("trash", 3600.0, rooms.trash.empty, at_once=True),
        Chore("half attachments", 86_400.0, rooms.attachments.sweep, at_once=True),
        Chore("attachments", 3600.0, rooms.unclaimed.remove),
        Chore("traces", 10.0, rooms.store.indexer.forget_traces, at_once=True),
        Chore("usage", 2.0, rooms.spending.write),
        Chore("journals", 3600.0, lambda: recovery.prune_ended(settings.runs_dir, now=time.time())),
    )


def _tell_queue(changes: Changes, session_id: str) -> None:
    """The row of its session tells whether a queue is held."""
    changes.note_topic(f"queue:{session_id}")
    changes.note_sessions([session_id], [])


def _tell(changes: Changes, header: Header) -> None:
    """A turn that ends is told by the save of its session; what runs beside the session is not."""
    if header.kind != "turn":
        changes.note_topic(f"{header.kind}s:{header.session_id}")
