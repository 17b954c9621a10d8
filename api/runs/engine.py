"""The engine: which runs are active, how they begin and how they end.

One run is active per session. A run belongs to the server, never to the request that began it or a tab that shows it.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from api.agents.base import Agent, Turn
from api.domain.errors import AppError, NotFound, RunActive, StorageFailed, Unavailable
from api.domain.ids import OWNER_LOCAL, RunId, SessionId, new_run_id
from api.runs import recovery, turns
from api.runs.folding import fold_into
from api.runs.journal import Header, Journal
from api.runs.run import Run
from api.runs.turns import NewTurn, Started
from api.sessions.files import explained, make_folder
from api.sessions.session import Session
from api.sessions.store import SessionStore

log = logging.getLogger(__name__)

SYNC_S = 0.25
REFOLD_S = 5.0
RELEASE_S = 1.0

Change = Callable[[RunId], None]
"""Makes a session ready for the run with the given id."""


class Agents(Protocol):
    """Where agents come from: `agents.registry.Registry`."""

    async def choose(self, model: str | None, agent: str | None) -> tuple[Agent, str]:
        """The agent to use, and the model it is to use, when a session asks for these."""
        ...


class Engine:
    """Begins and ends runs. Everything here is called on the event loop; `viewing` shows what it holds."""

    def __init__(
        self, store: SessionStore, agents: Agents, folder: Path, *, clock: Callable[[], float] = time.time
    ) -> None:
        """`folder` holds the journals of runs not yet in their session, and in `ended/` those of the others."""
        self.store = store
        self.folder = folder
        self.clock = clock
        self.is_closing = False
        self._agents = agents
        self._active: dict[RunId, Run] = {}
        self._unfolded: dict[RunId, Run] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._keeper: asyncio.Task[None] | None = None

    def find(self, run_id: str | None) -> Run | None:
        """A run that is active, or that ended and could not enter its session yet."""
        key = RunId(run_id or "")
        return self._active.get(key) or self._unfolded.get(key)

    @property
    def active_count(self) -> int:
        return len(self._active)

    # Beginning

    async def start(self, session_id: str, new: NewTurn, *, owner: str = OWNER_LOCAL) -> Started:
        """Accept a message, durably, and begin the run that answers it.

        Raises:
            BadRequest, NotFound, Conflict, Unavailable, StorageFailed: nothing was changed.
            RunActive: a run is active in this session; `active_stream_id` names it.
        """
        new = turns.checked(new)
        async with self._lock(session_id):
            session = await self._load(session_id, owner)
            if repeated := turns.already_accepted(session, new):
                return turns.started(session, repeated)
            await self._free(session)
            agent, model, named = await self._chosen(session, new.model, new.agent)

            def change(run_id: RunId) -> None:
                turns.add_message(session, new, run_id, self.clock())
                session.model, session.agent = model, named

            return await self._begin(session, agent, model, change)

    async def retry(
        self, session_id: str, *, model: str | None = None, revision: int | None = None, owner: str = OWNER_LOCAL
    ) -> Started:
        """Answer the last message anew, with another `model` if one is named.

        Raises as `start`, and Conflict when there is no message.
        """
        async with self._lock(session_id):
            session = await self._load(session_id, owner)
            await self._free(session)
            turns.check_revision(session, revision)
            return await self._answer_again(session, model)

    async def resume(
        self, session_id: str, *, model: str | None = None, revision: int | None = None, owner: str = OWNER_LOCAL
    ) -> Started:
        """Go on with an answer that was cut off, or begin it anew when it had not a word; `model` as for `retry`.

        Raises as `start`, and Conflict when the last answer is complete.
        """
        async with self._lock(session_id):
            session = await self._load(session_id, owner)
            await self._free(session)
            turns.check_revision(session, revision)
            if not turns.was_cut_off_in_mid_sentence(session):
                return await self._answer_again(session, model)
            agent, model, named = await self._chosen(session, model)

            def change(run_id: RunId) -> None:
                turns.hand_over(session, run_id)
                session.model, session.agent = model, named

            return await self._begin(session, agent, model, change, continuing=True)

    async def _answer_again(self, session: Session, model: str | None) -> Started:
        agent, chosen, named = await self._chosen(session, model)

        def change(run_id: RunId) -> None:
            turns.drop_last_answer(session, run_id)
            session.model, session.agent = chosen, named

        return await self._begin(session, agent, chosen, change, reason="retry")

    async def _chosen(
        self, session: Session, model: str | None, agent: str | None = None
    ) -> tuple[Agent, str, str | None]:
        """Who answers, with which model, and the agent that the session is to remember.

        Another model means its own agent, unless one is named too.
        """
        named = agent if agent or model else session.agent
        return *await self._agents.choose(model or session.model, named), named

    async def _load(self, session_id: str, owner: str) -> Session:
        if self.is_closing:
            raise Unavailable("Fireside is stopping. Nothing was sent; send it again in a moment.", code="stopping")
        return await asyncio.to_thread(self.store.get, session_id, owner=owner)

    async def _free(self, session: Session) -> None:
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
        async with self._lock(session.session_id):
            if session.active_stream_id is None or session.active_stream_id in self._active:
                return
            try:
                await self.settle(session)
            except AppError as error:
                log.warning("run.not_settled", extra={"session_id": session.session_id, "code": error.code})

    async def _begin(
        self,
        session: Session,
        agent: Agent,
        model: str,
        change: Change,
        *,
        reason: str | None = None,
        continuing: bool = False,
    ) -> Started:
        run_id = new_run_id()
        journal = await asyncio.to_thread(self._accept, session, change, run_id, model, agent.name, reason)
        turn = Turn(
            session_id=SessionId(session.session_id),
            run_id=run_id,
            messages=list(session.messages),
            model=model,
            workspace=session.workspace,
            continuing=continuing,
        )
        run = Run(turn, agent, journal, self._finish)
        self._active[run_id] = run
        run.begin()
        log.info("run.started", extra={"run_id": run_id, "session_id": session.session_id, "agent": agent.name})
        return turns.started(session, turns.last_user_message(session), run_id)

    def _accept(
        self, session: Session, change: Change, run_id: RunId, model: str, agent: str, reason: str | None
    ) -> Journal:
        """Make the change durable and open the journal. In a thread: it waits for the disk."""
        with session.lock:
            state = turns.before(session)
            journal: Journal | None = None
            try:
                change(run_id)
                header = Header(
                    run_id=run_id,
                    session_id=SessionId(session.session_id),
                    owner=session.owner,
                    message_id=turns.last_user_message(session)["id"],
                    model=model,
                    agent=agent,
                    started_at=self.clock(),
                )
                # Before the document, so that none ever names a run without a journal. A journal that no document
                # names is one of a run that was never accepted.
                make_folder(self.folder)
                journal = Journal.create(self.folder, header)
                session.save(reason)
            except BaseException as error:
                turns.put_back(session, state)
                if journal is not None:
                    journal.discard()
                _take_back(session, error)
                if isinstance(error, OSError):
                    raise explained(error, self.folder) from error
                raise
            return journal

    # Ending

    async def cancel(self, run: Run) -> bool:
        """Stop a run, keeping what was shown; False when it had ended already."""
        return await run.stop("cancelled")

    async def cancel_in(self, session_id: str) -> None:
        """Stop whatever runs in a session."""
        for run in list(self._active.values()):
            if run.header.session_id == session_id:
                await run.stop("cancelled")

    async def _finish(self, run: Run) -> None:
        await self._try_to_fold(run)
        self._active.pop(run.header.run_id, None)

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
        """End every run as interrupted, what was shown kept."""
        self.begin_closing()
        runs = list(self._active.values())
        await asyncio.gather(*(run.stop("interrupted") for run in runs))
        await asyncio.gather(*(run.release(RELEASE_S) for run in runs))
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})

    def _lock(self, session_id: str) -> asyncio.Lock:
        """The lock under which a session's turns begin."""
        if len(self._locks) > 1000:
            self._locks = {key: lock for key, lock in self._locks.items() if lock.locked()}
        return self._locks.setdefault(session_id, asyncio.Lock())


def _take_back(session: Session, error: BaseException) -> None:
    """A save that was written and not confirmed is told as failed, so the document must not keep what it changed."""
    if isinstance(error, StorageFailed) and error.code == "not_confirmed":
        try:
            session.save("undo")
        except AppError as again:
            log.warning("run.not_taken_back", extra={"session_id": session.session_id, "code": again.code})
