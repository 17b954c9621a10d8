"""What people do in a conversation: send, edit, retry, go on, change, copy. Each durable before it is answered."""

import asyncio
import logging
from collections.abc import Callable
from typing import Literal, TypeVar

from api.domain.errors import AppError, StorageFailed
from api.domain.ids import OWNER_LOCAL, RunId, SessionId, new_run_id
from api.runs import turns
from api.runs.engine import Engine
from api.runs.journal import Header, Journal
from api.runs.run import Run
from api.runs.turns import NewTurn, Started
from api.sessions.disk.files import explained, make_subfolder
from api.sessions.documents.branching import copied_fields
from api.sessions.documents.session import Session

log = logging.getLogger(__name__)

T = TypeVar("T")
Change = Callable[[RunId], None]
"""Makes a session ready for the run with the given id."""


class Conversing:
    """Everything here is called on the event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def start(self, session_id: str, new: NewTurn, *, owner: str = OWNER_LOCAL) -> Started:
        """Accept a message, durably, and begin the run that answers it.

        Raises:
            BadRequest, NotFound, Conflict, Unavailable, StorageFailed: nothing was changed.
            RunActive: a run is active in this session; `active_stream_id` names it.
        """
        new = turns.checked(new)
        async with self._engine.lock(session_id):
            session = await self._engine.load(session_id, owner)
            if repeated := turns.already_accepted(session, new):
                return turns.started(session, repeated)
            return await self.start_alone(session, new)

    async def start_alone(self, session: Session, new: NewTurn) -> Started:
        """As `start`, for a checked message that the session never had, by who holds the session's lock."""
        await self._engine.free(session)
        given = await self._engine.attached(session, new.attachments) or []

        def change(run_id: RunId) -> None:
            turns.add_message(session, new, given, run_id, self._engine.clock())

        return await self._begin(session, change, new.model, new.agent)

    async def retry(
        self,
        session_id: str,
        *,
        message_id: str | None = None,
        model: str | None = None,
        revision: int | None = None,
        owner: str = OWNER_LOCAL,
    ) -> Started:
        """Answer the last message anew, with another `model` if one is named.

        Raises as `start`, and Conflict when there is no message, or the last one is not `message_id`.
        """
        async with self._engine.lock(session_id):
            session = await self._engine.load(session_id, owner)
            await self._engine.free(session)
            turns.check_revision(session, revision)
            turns.check_last(session, message_id)
            return await self._answer_again(session, model)

    async def edit(
        self, session_id: str, message_id: str, new: NewTurn, *, revision: int | None, owner: str = OWNER_LOCAL
    ) -> Started:
        """Put another message in the place of one, durably, and begin the run that answers it. Raises as `start`."""
        new = turns.checked(new)
        async with self._engine.lock(session_id):
            session = await self._engine.load(session_id, owner)
            if repeated := turns.already_accepted(session, new):
                return turns.started(session, repeated)
            await self._engine.free(session)
            turns.check_revision(session, revision)
            given = await self._engine.attached(session, new.attachments)

            def change(run_id: RunId) -> None:
                turns.replace_message(session, message_id, new, given, run_id, self._engine.clock())

            return await self._begin(session, change, new.model, new.agent, reason="edit")

    async def change(
        self,
        session_id: str,
        make: Callable[[Session], T],
        *,
        revision: int | None = None,
        reason: str | None = None,
        while_running: bool = False,
        owner: str = OWNER_LOCAL,
    ) -> tuple[Session, T]:
        """Change a session, by default only one that no run holds, and save it.

        `make` decides; what it raises leaves everything as it was.

        Raises:
            NotFound, Conflict, StaleRevision, StorageFailed: nothing was changed.
            RunActive: a run is active in this session.
        """
        async with self._engine.lock(session_id):
            session = await self._engine.load(session_id, owner)
            if not while_running:
                await self._engine.free(session)
            turns.check_revision(session, revision)
            return session, await asyncio.to_thread(_make_and_save, session, make, reason)

    async def resume(
        self,
        session_id: str,
        *,
        message_id: str | None = None,
        model: str | None = None,
        revision: int | None = None,
        owner: str = OWNER_LOCAL,
    ) -> Started:
        """Go on with an answer that was cut off, or begin it anew when it had not a word; `model` as for `retry`.

        Raises as `start`, and Conflict when the last answer is complete.
        """
        async with self._engine.lock(session_id):
            session = await self._engine.load(session_id, owner)
            await self._engine.free(session)
            turns.check_revision(session, revision)
            turns.check_last(session, message_id)
            if not turns.was_cut_off_in_mid_sentence(session):
                return await self._answer_again(session, model)
            return await self._begin(session, lambda run_id: turns.hand_over(session, run_id), model, continuing=True)

    async def copy(
        self,
        session_id: str,
        *,
        up_to: str | None = None,
        title: str | None = None,
        kind: Literal["branch", "copy"] = "branch",
        owner: str = OWNER_LOCAL,
    ) -> Session:
        """A new session, saved, that begins like this one: all of it, or up to a message. A run in it is no obstacle.

        Without a `title` it has that of this one, and its `kind` behind.

        Raises:
            NotFound, Conflict, StorageFailed: nothing was made.
        """
        session = await self._engine.load(session_id, owner)
        return await asyncio.to_thread(self._copy, session, up_to, title, kind)

    async def delete(self, session_id: str, *, owner: str = OWNER_LOCAL) -> None:
        """Stop the run in a session and move it to the trash. Raises as `SessionStore.delete`."""
        # Locked, so that no message gets in between: its answer would find no session to enter.
        async with self._engine.lock(session_id):
            await self._engine.cancel_in(session_id)
            await asyncio.to_thread(self._engine.store.delete, session_id, owner=owner)

    async def restore(self, session_id: str, *, owner: str = OWNER_LOCAL) -> Session:
        """Take a session back out of the trash. Raises as `SessionStore.restore`."""
        async with self._engine.lock(session_id):
            return await asyncio.to_thread(self._engine.store.restore, session_id, owner=owner)

    def _copy(self, session: Session, up_to: str | None, title: str | None, kind: Literal["branch", "copy"]) -> Session:
        with session.lock:
            fields = copied_fields(session, up_to=up_to, title=title, kind=kind)
        copy = self._engine.store.new(owner=session.owner, **fields)
        self._engine.attachments.copy(session.session_id, copy)
        copy.save()
        return copy

    async def _answer_again(self, session: Session, model: str | None) -> Started:
        return await self._begin(session, lambda run_id: turns.drop_last_answer(session, run_id), model, reason="retry")

    async def _begin(
        self,
        session: Session,
        change: Change,
        model: str | None,
        agent: str | None = None,
        *,
        reason: str | None = None,
        continuing: bool = False,
    ) -> Started:
        """Begin a run on what `change` makes of the session, which remembers who answers from then on.

        Another model means its own agent, unless one is named too.
        """
        named = agent if agent or model else session.agent
        answering, chosen = await self._engine.choose(model or session.model, named)

        def make_ready(run_id: RunId) -> None:
            change(run_id)
            session.model, session.agent = chosen, named

        run_id = new_run_id()
        journal = await asyncio.to_thread(self._accept, session, make_ready, run_id, chosen, answering.name, reason)
        turn = self._engine.turn(session, journal.header, list(session.messages), continuing=continuing)
        self._engine.launch(Run(turn, answering, journal, self._engine.finish))
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
                    started_at=self._engine.clock(),
                )
                # Before the document, so that none ever names a run without a journal. A journal that no document
                # names is one of a run that was never accepted.
                make_subfolder(self._engine.folder)
                journal = Journal.create(self._engine.folder, header)
                session.save(reason)
            except BaseException as error:
                turns.put_back(session, state)
                if journal is not None:
                    journal.discard()
                _take_back(session, error)
                if isinstance(error, OSError):
                    raise explained(error, self._engine.folder) from error
                raise
            return journal


def _make_and_save(session: Session, make: Callable[[Session], T], reason: str | None) -> T:
    with session.lock:
        state = turns.before(session)
        try:
            made = make(session)
            # A session without a message stays in memory alone, whatever it is called.
            if session.messages or session.seen is not None:
                session.save(reason)
        except BaseException as error:
            turns.put_back(session, state)
            _take_back(session, error)
            raise
        return made


def _take_back(session: Session, error: BaseException) -> None:
    """A save that was written and not confirmed is told as failed, so the document must not keep what it changed."""
    if isinstance(error, StorageFailed) and error.code == "not_confirmed":
        try:
            session.save("undo")
        except AppError as again:
            log.warning("run.not_taken_back", extra={"session_id": session.session_id, "code": again.code})
