"""The queue of a session: messages that wait for the answer before them, and those told to the agent at work.

A message is in the queue, on disk, before it is answered for. When an answer is done, the first one is sent as a turn
of its own; after one that was stopped, failed or was interrupted they wait until a person decides. A message leaves the
queue only once it is in its session or in the journal of a run, and one that is found there is never sent again: so it
is sent once, wherever a crash falls.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec

from api.agents.base import Steer
from api.domain.attachments import Attachment
from api.domain.errors import AppError, Conflict, StorageFailed, Unavailable
from api.domain.ids import OWNER_LOCAL, new_message_id
from api.runs import turns
from api.runs.conversing import Conversing
from api.runs.engine import Engine
from api.runs.journal import Header
from api.runs.run import Run
from api.runs.turns import NewTurn, Started
from api.sessions import waiting
from api.sessions.documents.session import Session
from api.sessions.documents.versions import find_message
from api.sessions.queues import Item, Queue, Queues
from api.sessions.waiting import changed

log = logging.getLogger(__name__)


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A message that waits, as it is shown. `steers`: the agent is told it at its next step, unless it ends before."""

    message_id: str
    text: str
    model: str | None
    agent: str | None
    created_at: float
    revision: int
    attachments: list[Attachment]
    steers: bool


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A queue, as it is shown. `is_held`: nothing of it is sent before someone says so."""

    session_id: str
    revision: int
    is_held: bool
    can_put_back: bool
    items: list[Waiting]


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message: it waits (`queue`), or nothing had to be waited for and it was sent (`started`)."""

    message_id: str
    queue: Line
    started: Started | None = None
    accepted: bool = False
    """Is an agent at work told it at its next step?"""


class Queueing:
    """Called on the event loop. Whatever changes a queue holds the lock of its session."""

    def __init__(self, engine: Engine, conversing: Conversing, queues: Queues, tell: Callable[[str], None]) -> None:
        """`tell` is called with the id of a session whose queue changed."""
        self._engine = engine
        self._conversing = conversing
        self._queues = queues
        self._tell = tell
        self._taken: dict[str, set[str]] = {}
        self._working: set[asyncio.Task[None]] = set()
        engine.on_retired.append(self._on_retired)

    async def open(self, sessions: Path) -> None:
        """Go on with what a former process left: send what was next, hold what a person has to decide about.

        `sessions` is the folder of the documents.
        """
        for queue in await asyncio.to_thread(lambda: list(self._queues.kept(sessions))):
            await self._go_on(queue.session_id, queue.owner)

    # Looking

    async def of(self, session_id: str, *, owner: str = OWNER_LOCAL) -> Line:
        """The queue of a session.

        Raises:
            NotFound: there is no such session.
        """
        await asyncio.to_thread(self._engine.store.get, session_id, owner=owner)
        return self._shown(await self._get(session_id))

    async def _get(self, session_id: str) -> Queue:
        """The queue, without what was taken out of it since it was last written."""
        queue = await asyncio.to_thread(self._queues.get, session_id)
        taken = self._taken.get(session_id, ())
        return changed(queue, items=[one for one in queue.items if one.message_id not in taken])

    def _shown(self, queue: Queue) -> Line:
        run = self._run_in(queue.session_id)
        items = [
            Waiting(**msgspec.structs.asdict(one), steers=run is not None and _is_told(run, one.message_id))
            for one in queue.items
        ]
        return Line(
            session_id=queue.session_id,
            revision=queue.revision,
            is_held=queue.is_held,
            can_put_back=queue.removed is not None,
            items=items,
        )

    def _run_in(self, session_id: str) -> Run | None:
        return next(iter(self._engine.active("turn", session_id)), None)

    # Adding

    async def add(self, session_id: str, new: NewTurn, *, steer: bool = False, owner: str = OWNER_LOCAL) -> Added:
        """Have a message wait, durably; sent at once where nothing is to be waited for.

        With `steer` it is told to the agent at work at its next step. Where there is none, it is the first to wait.

        Raises:
            BadRequest, NotFound, Conflict, TooMany, Unavailable, StorageFailed: nothing was taken on.
        """
        new = turns.checked(new)
        async with self._engine.lock(session_id):
            session = await self._engine.load(session_id, owner)
            queue = await self._get(session_id)
            if (known := self._known(session, queue, new)) is not None:
                return known
            run = self._run_in(session_id)
            if run is None and not queue.items:
                started = await self._conversing.start_alone(session, new)
                return Added(message_id=started.message_id, queue=self._shown(queue), started=started)
            item = Item(
                message_id=new.message_id or new_message_id(),
                text=new.text,
                model=new.model,
                agent=new.agent,
                created_at=self._engine.clock(),
                attachments=await self._engine.attached(session, new.attachments) or [],
            )
            queue = await self._put(changed(waiting.added(queue, item, first=steer), owner=owner))
            # Nothing is waited for between the look at the run and here but the disk: it may have ended meanwhile.
            accepted = steer and run is not None and self._steer(run, item)
            return Added(message_id=item.message_id, queue=self._shown(queue), accepted=accepted)

    def _known(self, session: Session, queue: Queue, new: NewTurn) -> Added | None:
        """What to answer when the same message comes again."""
        if new.message_id is None:
            return None
        item = queue.find(new.message_id)
        if item is not None:
            is_so = (item.text, [one.id for one in item.attachments]) == (new.text, new.attachments)
            if item.revision == 1 and not is_so:
                raise Conflict("Another message already has this id. Nothing was changed.", code="message_id_reused")
            shown = self._shown(queue)
            accepted = any(one.steers for one in shown.items if one.message_id == item.message_id)
            return Added(message_id=item.message_id, queue=shown, accepted=accepted)
        repeated = turns.already_accepted(session, new)
        if repeated is not None:
            return Added(message_id=new.message_id, queue=self._shown(queue), started=turns.started(session, repeated))
        if new.message_id in self._taken.get(session.session_id, ()):
            return Added(message_id=new.message_id, queue=self._shown(queue), accepted=True)
        return None

    def _steer(self, run: Run, item: Item) -> bool:
        def taken() -> None:
            self._taken.setdefault(run.header.session_id, set()).add(item.message_id)
            self._begin(self._forget_taken(run))

        if item.attachments:
            return False  # an agent at work is told words alone
        return not run.is_sealed and run.turn.steering.tell(Steer(item.message_id, item.text), taken)

    async def _forget_taken(self, run: Run) -> None:
        """What the agent has taken leaves the file, once the journal that has it would survive a power cut."""
        session_id = run.header.session_id
        try:
            await asyncio.to_thread(run.journal.sync)
        except OSError as error:
            log.warning("queue.not_kept", extra={"session_id": session_id, "why": str(error)})
            return
        except ValueError:
            log.debug("queue.run_ended", extra={"session_id": session_id})  # and with it, its journal was synced
        async with self._engine.lock(session_id):
            gone = set(self._taken.get(session_id, ()))
            await self._let_go(await self._get(session_id))
            self._taken[session_id] = self._taken.get(session_id, set()) - gone
            if not self._taken[session_id]:
                del self._taken[session_id]

    # Changing

    async def edit(
        self,
        session_id: str,
        message_id: str,
        text: str,
        *,
        attachments: list[str] | None = None,
        revision: int | None = None,
        owner: str = OWNER_LOCAL,
    ) -> Line:
        """Give a message that waits another text, and other `attachments` where they are named.

        Raises as `waiting.edited`, and NotFound for an attachment that is not there, and StorageFailed.
        """
        session = await self._engine.load(session_id, owner)
        given = await self._engine.attached(session, attachments)

        def change(queue: Queue) -> Queue:
            return waiting.edited(queue, message_id, text, given, revision=revision)

        return await self._change(session_id, owner, change)

    async def reorder(self, session_id: str, message_id: str, before: str | None, *, owner: str = OWNER_LOCAL) -> Line:
        """Have a message wait just before another one. Raises as `waiting.moved`, and StorageFailed."""
        return await self._change(session_id, owner, lambda queue: waiting.moved(queue, message_id, before))

    async def delete(self, session_id: str, message_ids: list[str], *, owner: str = OWNER_LOCAL) -> Line:
        """Take messages out. Raises as `waiting.without`, and StorageFailed."""
        return await self._change(session_id, owner, lambda queue: waiting.without(queue, message_ids))

    async def put_back(self, session_id: str, *, owner: str = OWNER_LOCAL) -> Line:
        """Put back what was last taken out. Where nothing is being answered, it waits to be sent by a person.

        Raises as `waiting.put_back`, and StorageFailed.
        """

        def change(queue: Queue) -> Queue:
            is_held = queue.is_held or self._run_in(session_id) is None
            return changed(waiting.put_back(queue), is_held=is_held)

        return await self._change(session_id, owner, change)

    async def _change(self, session_id: str, owner: str, make: Callable[[Queue], Queue]) -> Line:
        async with self._engine.lock(session_id):
            await self._engine.load(session_id, owner)
            before = await self._get(session_id)
            after = make(before)
            if after is before:
                return self._shown(before)
            told = self._withdraw(before, after)
            try:
                after = await self._put(changed(after, owner=owner))
            finally:
                # An agent is told what stands in the queue, and nothing that was taken out of it.
                now = await self._get(session_id)
                for run, message_id in told:
                    if item := now.find(message_id):
                        self._steer(run, item)
            return self._shown(after)

    def _withdraw(self, before: Queue, after: Queue) -> list[tuple[Run, str]]:
        """Have an agent not be told what is about to change; gives what it would have been told."""
        run = self._run_in(before.session_id)
        if run is None:
            return []
        told = [one for one in before.items if _is_told(run, one.message_id) and after.find(one.message_id) != one]
        for one in told:
            run.turn.steering.withdraw(one.message_id)
        return [(run, one.message_id) for one in told]

    # Sending

    async def resume(self, session_id: str, *, owner: str = OWNER_LOCAL) -> tuple[Line, Started | None]:
        """Send the first message that waits, and the others after it; while an answer is written, after that.

        Raises:
            Conflict: none waits. NotFound, Unavailable, StorageFailed: nothing was sent.
        """
        async with self._engine.lock(session_id):
            session = await self._engine.load(session_id, owner)
            queue = await self._without_sent(session, await self._get(session_id))
            if not queue.items:
                raise Conflict("No message waits any more.", code="nothing_waits")
            if self._run_in(session_id) is not None:
                return self._shown(await self._put(changed(queue, is_held=False))), None
            started = await self._send_first(session, queue)
            return self._shown(await self._get(session_id)), started

    async def forget(self, session_id: str, message_id: str, *, owner: str = OWNER_LOCAL) -> None:
        """A message was sent in another way than through here, so that it need not wait any more."""
        if (await asyncio.to_thread(self._queues.get, session_id)).find(message_id) is None:
            return
        async with self._engine.lock(session_id):
            session = await self._engine.load(session_id, owner)
            await self._without_sent(session, await self._get(session_id))

    def _on_retired(self, header: Header) -> None:
        if header.kind == "turn":
            self._begin(self._go_on(header.session_id, header.owner))

    async def _go_on(self, session_id: str, owner: str) -> None:
        """An answer has ended: send what waits for it, if it is done, and hold it otherwise."""
        async with self._engine.lock(session_id):
            queue = await self._get(session_id)
            if not queue.items:
                return
            try:
                session = await self._engine.load(session_id, owner)
                queue = await self._without_sent(session, queue)
                if not queue.items or self._run_in(session_id) is not None:
                    return
                await self._engine.free(session)
                if not queue.is_held and turns.was_answered(session):
                    await self._send_first(session, queue)
                    return
            except Unavailable:
                return  # its document tells the next process what to do
            except AppError as error:
                log.warning("queue.not_sent", extra={"session_id": session_id, "code": error.code})
            await self._hold(queue)

    async def _send_first(self, session: Session, queue: Queue) -> Started:
        first = queue.items[0]
        new = NewTurn(
            text=first.text,
            message_id=first.message_id,
            model=first.model,
            agent=first.agent,
            attachments=[one.id for one in first.attachments],
        )
        started = await self._conversing.start_alone(session, new)
        await self._let_go(changed(queue, items=queue.items[1:], is_held=False))
        return started

    async def _hold(self, queue: Queue) -> None:
        if not queue.is_held:
            await self._let_go(changed(queue, is_held=True))

    async def _without_sent(self, session: Session, queue: Queue) -> Queue:
        """The queue without the messages that the session has, or had."""
        left = [one for one in queue.items if find_message(session, one.message_id) is None]
        if len(left) == len(queue.items):
            return queue
        return await self._let_go(changed(queue, items=left))

    # Keeping

    async def _let_go(self, queue: Queue) -> Queue:
        """Keep what is left of a queue, also where the disk refuses: what is gone from it is in its session."""
        queue = changed(queue, is_held=queue.is_held and bool(queue.items))
        try:
            return await self._put(queue)
        except StorageFailed as error:
            log.warning("queue.not_kept", extra={"session_id": queue.session_id, "code": error.code})
            self._tell(queue.session_id)
            return self._queues.put_in_memory(queue)

    async def _put(self, queue: Queue) -> Queue:
        """Keep a queue and tell of it. To be waited for by whoever holds the lock, though its client goes away."""
        kept = await asyncio.to_thread(self._queues.put, queue)
        self._tell(queue.session_id)
        return kept

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def close(self) -> None:
        """Wait for what is being kept. What is left waits for the next process."""
        await asyncio.gather(*self._working, return_exceptions=True)


def _is_told(run: Run, message_id: str) -> bool:
    return not run.is_sealed and run.turn.steering.is_waiting(message_id)
