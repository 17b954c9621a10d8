"""The engine: which runs are active, how they begin and how they end.

One run is active per session. A run belongs to the server, never to the request that began it or a tab that shows it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from api.agents.base import Agent, Turn
from api.agents.permissions import Permissions
from api.domain import compactions
from api.domain.approvals import Call, Mode, mode_of
from api.domain.attachments import Attachment
from api.domain.budgets import freely
from api.domain.compactions import Compaction
from api.domain.errors import AppError, NotFound, RunActive, Unavailable
from api.domain.ids import RunId
from api.domain.messages import Message
from api.domain.parameters import parameters_of
from api.domain.transcript import Transcript
from api.runs import recovery
from api.runs.folding import fold_into, keep_compaction
from api.runs.journal import Header
from api.runs.rules import Rules
from api.runs.run import Run
from api.runs.spending import Spending
from api.sessions.attachments import Attachments
from api.sessions.documents.session import Session
from api.sessions.store import SessionStore

log = logging.getLogger(__name__)

SYNC_S = 0.25
REFOLD_S = 5.0
RELEASE_S = 1.0


class Agents(Protocol):
    """Where agents come from: `agents.registry.Registry`."""

    async def choose(self, model: str | None, agent: str | None) -> tuple[Agent, str]:
        """The agent to use, and the model it is to use, when a session asks for these."""
        ...

    def can_resume(self, agent: str) -> bool:
        """See `Agent.can_resume`."""
        ...


class Engine:
    """Begins and ends runs. Everything here is called on the event loop; `viewing` shows what it holds."""

    def __init__(
        self,
        store: SessionStore,
        agents: Agents,
        folder: Path,
        *,
        rules: Rules | None = None,
        grounds_of: Callable[[Call], dict[str, str]] = lambda _: {},
        spending: Spending | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`folder` holds the journals of runs not yet in their session, and in `ended/` those of the others.

        `rules`: what need not be asked about, as long as `grounds_of` tells the same of it. `spending` counts what runs
        take, and holds them to the budget.
        """
        self.store = store
        self.attachments = Attachments(store, clock=clock)
        self.folder = folder
        self.clock = clock
        self.is_closing = False
        self.on_retired: list[Callable[[Header], None]] = []
        self.on_asking: list[Callable[[Header], None]] = []
        self._rules = rules
        self._grounds_of = grounds_of
        self._spending = spending
        self._agents = agents
        self._active: dict[RunId, Run] = {}
        self._unfolded: dict[RunId, Run] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._keeper: asyncio.Task[None] | None = None

    def find(self, run_id: str | None) -> Run | None:
        """A run that is active, or that ended and could not enter its session yet."""
        key = RunId(run_id or "")
        return self._active.get(key) or self._unfolded.get(key)

    def active(self, kind: str, session_id: str | None = None) -> list[Run]:
        """The active runs of one kind, `turn`, `aside` or `task`: in one session, or in all."""
        runs = (run for run in self._active.values() if run.header.kind == kind)
        return [run for run in runs if session_id in (None, run.header.session_id)]

    def runs(self, owner: str) -> list[Run]:
        """All active runs of an owner, the first begun first."""
        return [run for run in self._active.values() if run.header.owner == owner]

    @property
    def active_count(self) -> int:
        return len(self._active)

    # Holding sessions

    async def load(self, session_id: str, owner: str) -> Session:
        """A session that is to be changed.

        Raises:
            NotFound: there is none.
            Unavailable: the server is stopping.
        """
        if self.is_closing:
            raise Unavailable("Fireside is stopping. Nothing was sent; send it again in a moment.", code="stopping")
        return await asyncio.to_thread(self.store.get, session_id, owner=owner)

    async def attached(self, session: Session, ids: Sequence[str] | None) -> list[Attachment] | None:
        """What is given along with a message, by its ids; None for None.

        Raises:
            NotFound: one is not there.
        """
        if not ids:
            return None if ids is None else []
        return await asyncio.to_thread(self.attachments.named, session.session_id, ids)

    async def free(self, session: Session) -> None:
        """Make sure that no run holds the session."""
        active = session.active_stream_id
        if active in self._active:
            raise RunActive("An answer is being written in this conversation.", active_stream_id=active)
        if active is not None:
            await self.settle(session)

    async def settle(self, session: Session) -> None:
        """Free a session from a run that is over: one not yet folded, or one whose process died.

        Raises:
            StorageFailed: the session cannot be written just now; nothing has changed.
        """
        run = self.find(session.active_stream_id)
        if run is not None:
            await asyncio.to_thread(self._fold, run)
            self._unfolded.pop(run.header.run_id, None)
        else:
            await asyncio.to_thread(recovery.settle, self.store, self.folder, session, now=self.clock())

    async def settle_if_abandoned(self, session: Session) -> None:
        """As `settle`, where it is needed, for someone who only wants to look: a full disk is no obstacle."""
        if session.active_stream_id is None or session.active_stream_id in self._active:
            return
        async with self.lock(session.session_id):
            if session.active_stream_id is None or session.active_stream_id in self._active:
                return
            try:
                await self.settle(session)
            except AppError as error:
                log.warning("run.not_settled", extra={"session_id": session.session_id, "code": error.code})

    def turn(
        self,
        session: Session,
        header: Header,
        messages: list[Message],
        *,
        mode: Mode | None = None,
        continuing: bool = False,
        resumes: Transcript | None = None,
    ) -> Turn:
        """What the agent of a run is given; by default it may do what the session lets it."""
        rules, session_id, owner = self._rules, header.session_id, header.owner
        permissions = Permissions(
            header.run_id,
            mode=mode or mode_of(session.approval_mode),
            find_rule=lambda call: rules.find(call, session_id, owner) if rules is not None else None,
            grounds_of=self._grounds_of,
            pending=resumes.pending_approvals if resumes else (),
        )
        return Turn(
            session_id=session_id,
            run_id=header.run_id,
            messages=messages,
            model=header.model,
            workspace=session.workspace,
            system_prompt=session.system_prompt if isinstance(session.system_prompt, str) else "",
            parameters=parameters_of(session.parameters),
            compaction=compactions.holding(session.extra.get(compactions.FIELD), messages),
            compacts=session.extra.get(compactions.WANTED) is True,
            keep=lambda made: self._keep(session, made),
            open=lambda attachment: self.attachments.read(session_id, attachment),
            attach=lambda name, data: self.attachments.take(session_id, name, data),
            spend=self._spending.gate(session, header.run_id) if self._spending else freely,
            continuing=continuing,
            resumes=resumes,
            permissions=permissions,
        )

    async def _keep(self, session: Session, made: Compaction) -> None:
        """Keep a summary with its session. Where that cannot be written now, the end of the run writes it."""
        try:
            await asyncio.to_thread(keep_compaction, session, made)
        except AppError as error:
            log.warning("compaction.not_kept", extra={"session_id": session.session_id, "code": error.code})

    def launch(self, run: Run) -> None:
        """Begin a run, to be found, followed and stopped here until `retire`."""
        header = run.header
        run.on_asking.append(self._tell_asking)
        self._active[header.run_id] = run
        run.begin()
        log.info("run.started", extra={"run_id": header.run_id, "kind": header.kind, "agent": header.agent})

    def retire(self, run: Run) -> None:
        """Let go of a run that has ended, and tell those who wait for its session to be free."""
        self._active.pop(run.header.run_id, None)
        if self._spending is not None:
            self._spending.count(run.header, run.transcript.usage)
        for tell in self.on_retired:
            tell(run.header)

    async def choose(self, model: str | None, agent: str | None) -> tuple[Agent, str]:
        """See `Agents.choose`."""
        return await self._agents.choose(model, agent)

    def can_resume(self, agent: str) -> bool:
        """See `Agent.can_resume`."""
        return self._agents.can_resume(agent)

    def _tell_asking(self, run: Run) -> None:
        for tell in self.on_asking:
            tell(run.header)

    # Ending

    async def cancel(self, run: Run) -> bool:
        """Stop a run, keeping what was shown; False when it had ended already."""
        return await run.stop("cancelled")

    async def cancel_in(self, session_id: str) -> bool:
        """Stop the run that answers in a session; False when there is none."""
        return any([await run.stop("cancelled") for run in self.active("turn", session_id)])

    async def finish(self, run: Run) -> None:
        """Fold a run that has ended into its session, as well as can be, and let go of it."""
        await self._try_to_fold(run)
        self.retire(run)

    async def _try_to_fold(self, run: Run) -> None:
        """Fold an ended run into its session; one that cannot be folded now is kept and tried again."""
        run_id = run.header.run_id
        try:
            await asyncio.to_thread(self._fold, run)
            self._unfolded.pop(run_id, None)
        except Exception as error:
            # The outer border of somebody's answer: whatever went wrong, the journal still has it.
            log.error("run.fold_failed", extra={"run_id": run_id}, exc_info=not isinstance(error, AppError))
            self._unfolded[run_id] = run

    def _fold(self, run: Run) -> None:
        header = run.header
        try:
            session = self.store.get(header.session_id, owner=header.owner)
            fold_into(session, header, run.transcript, now=self.clock())
        except NotFound:
            log.info("run.session_gone", extra={"run_id": header.run_id})
        run.journal.close()
        if run.journal.path.exists():
            recovery.file_as_ended(self.folder, run.journal.path)

    # Keeping house

    def open(self) -> None:
        """Begin to keep house: make journals durable, and try again to fold what could not be folded."""
        self._keeper = asyncio.create_task(self._keep_house(), name="engine.keeper")

    async def _keep_house(self) -> None:
        refold_at = time.monotonic() + REFOLD_S
        synced: dict[RunId, int] = {}
        while True:
            await asyncio.sleep(SYNC_S)
            unsynced = {run.header.run_id: run for run in self._active.values() if not run.is_sealed}
            for run_id, run in unsynced.items():
                if run.journal.seq != synced.get(run_id, 0):
                    synced[run_id] = run.journal.seq
                    await self._sync(run)
            synced = {run_id: seq for run_id, seq in synced.items() if run_id in self._active}
            if time.monotonic() >= refold_at:
                for run in list(self._unfolded.values()):
                    await self._try_to_fold(run)
                refold_at = time.monotonic() + REFOLD_S

    async def _sync(self, run: Run) -> None:
        try:
            await asyncio.to_thread(run.journal.sync)
        except (OSError, ValueError) as error:
            # ValueError: the run ended and its file was closed meanwhile.
            log.warning("run.sync_failed", extra={"run_id": run.header.run_id, "why": str(error)})

    def begin_closing(self) -> None:
        """Let every watcher go and accept no more messages; runs go on until `close`."""
        self.is_closing = True
        for run in self._active.values():
            run.shown.wake()

    async def close(self) -> None:
        """End every run as interrupted, what was shown kept. The next process goes on with those that wait."""
        self.begin_closing()
        parked = [run for run in self._active.values() if run.is_waiting and self.can_resume(run.header.agent)]
        runs = [run for run in self._active.values() if run not in parked]
        await asyncio.gather(*(run.stop("interrupted") for run in runs))
        await asyncio.gather(*(run.release(RELEASE_S) for run in runs), *(run.park(RELEASE_S) for run in parked))
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})

    def lock(self, session_id: str) -> asyncio.Lock:
        """The lock under which a session's turns begin."""
        if len(self._locks) > 1000:
            self._locks = {key: lock for key, lock in self._locks.items() if lock.locked()}
        return self._locks.setdefault(session_id, asyncio.Lock())
