"""How runs are shown: a session with the run it is in, and a run's events from any number on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from api.domain.errors import NotFound
from api.domain.events import Event, RunEnded
from api.domain.ids import OWNER_LOCAL, MessageId, RunId, is_safe_id
from api.domain.messages import Message
from api.domain.transcript import Transcript, fold, messages_of
from api.runs import recovery
from api.runs.engine import Engine
from api.runs.folding import messages_by
from api.runs.journal import Header, JournalUnreadable, Recovered, events_after, read_journal
from api.runs.run import Run
from api.sessions.documents.rows import Row
from api.sessions.documents.session import Session

PING_S = 15.0


class Resync(msgspec.Struct, frozen=True):
    """To a watcher: the number you gave, or your place in the line, is lost; look at the session afresh."""


class Bye(msgspec.Struct, frozen=True):
    """To a watcher: the server is stopping; come back with the last number you saw."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A run as watchers have been shown it up to `seq`; following it after `seq` misses and repeats nothing."""

    stream_id: RunId
    session_id: str
    message_id: MessageId
    seq: int
    started_at: float
    transcript: Transcript


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session with all that is known of it: the document, and the run that has not entered it yet."""

    session: Session
    row: Row
    """As it was when the messages were read: its revision is theirs."""
    messages: list[Message]
    active_run: Snapshot | None


class Viewing:
    """Shows what the engine holds and what its journals keep. Changes nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def session(self, session_id: str, *, owner: str = OWNER_LOCAL) -> SessionView:
        """A session as it is to be shown now, with a number to follow its run from.

        Raises:
            NotFound: there is no such session.
        """
        engine = self._engine
        session = await asyncio.to_thread(engine.store.get, session_id, owner=owner)
        await engine.settle_if_abandoned(session)
        while True:
            row, run_id, messages = await asyncio.to_thread(_read_together, session)
            # No await from here on to the snapshot: the messages were read as still without this run's, and the run's
            # words and its number belong together.
            run = engine.find(run_id)
            if run is not None and not run.ended.is_set():
                return SessionView(session=session, row=row, messages=messages, active_run=_snapshot(run))
            if run is not None:
                header = run.header
                messages += messages_of(run.transcript, header.run_id, model=header.model, now=header.started_at)
            elif run_id != session.active_stream_id:
                continue  # the run entered the document just after it was read
            elif run_id is not None:
                now = engine.clock()
                messages += await asyncio.to_thread(recovery.unsettled_messages, engine.folder, session, now=now)
            return SessionView(session=session, row=row, messages=messages, active_run=None)

    async def follow(
        self, run_id: str, after: int = 0, *, owner: str = OWNER_LOCAL
    ) -> AsyncIterator[list[Event] | Resync | Bye]:
        """Yield the run's events numbered above `after`, in batches, then follow it until it ends.

        An empty batch means that nothing happened for a while. The last event is always `run.ended`, unless the
        iteration ends with `Resync` or `Bye`.

        Raises:
            NotFound: there is no such run, or its journal has been pruned.
        """
        run = self._find(run_id, owner)
        source = self._live(run, after) if run is not None else self._replay(run_id, after, owner)
        async for batch in source:
            yield batch

    async def _live(self, run: Run, after: int) -> AsyncIterator[list[Event] | Resync | Bye]:
        is_caught_up = False
        if after > max(run.journal.seq, run.shown.seq):
            yield Resync()
            return
        while True:
            batch = run.shown.after(after)
            if batch is None and is_caught_up:
                yield Resync()
                return
            if batch is None:
                batch = await asyncio.to_thread(events_after, run.journal.path, after, until=run.shown.seq)
            if batch:
                yield list(batch)
                after = batch[-1].seq
                if isinstance(batch[-1], RunEnded):
                    return
                continue
            is_caught_up = True
            if self._engine.is_closing:
                yield Bye()
                return
            await run.shown.wait(after, stop=lambda: self._engine.is_closing, timeout_s=PING_S)
            if run.shown.seq <= after:
                yield []

    async def _replay(self, run_id: str, after: int, owner: str) -> AsyncIterator[list[Event] | Resync]:
        events = (await asyncio.to_thread(self._read_ended, run_id, owner)).events
        if after > len(events):
            yield Resync()
        elif events:
            # A client that has it all and asks again gets the ending once more: it tells it to stop asking.
            yield events[after:] or events[-1:]

    async def status(self, run_id: str, *, owner: str = OWNER_LOCAL) -> dict[str, Any]:
        """`{active, outcome, last_seq}` of a run.

        Raises:
            NotFound: there is no such run.
        """
        run = self._find(run_id, owner)
        if run is not None:
            return {"active": not run.ended.is_set(), "outcome": run.transcript.outcome, "last_seq": run.shown.seq}
        recovered = await asyncio.to_thread(self._read_ended, run_id, owner)
        outcome = recovered.ending.outcome if recovered.ending else None
        return {"active": False, "outcome": outcome, "last_seq": len(recovered.events)}

    async def said(self, run_id: str, *, owner: str = OWNER_LOCAL) -> tuple[Session | None, list[Message]]:
        """The session of an ended run, and the messages the run left there; no session when it was deleted since.

        A run that answers no message of its session leaves none there; what it said is given all the same.

        Raises:
            NotFound: there is no such run.
        """
        run = self._find(run_id, owner)
        header, transcript = (
            (run.header, run.transcript) if run else await asyncio.to_thread(self._told_by_journal, run_id, owner)
        )
        try:
            view = await self.session(header.session_id, owner=owner)
        except NotFound:
            return None, []
        if header.kind != "turn":
            return view.session, messages_of(transcript, header.run_id, model=header.model, now=header.started_at)
        return view.session, messages_by(view.messages, RunId(run_id))

    async def cancel(self, run_id: str, *, owner: str = OWNER_LOCAL) -> bool:
        """Stop a run, keeping what was shown; False when it had ended already.

        Raises:
            NotFound: there is no such run.
        """
        run = self._find(run_id, owner)
        if run is None:
            await asyncio.to_thread(self._read_ended, run_id, owner)
            return False
        return await self._engine.cancel(run)

    def _find(self, run_id: str, owner: str) -> Run | None:
        run = self._engine.find(run_id)
        if run is not None and run.header.owner != owner:
            raise _no_run()
        return run

    def _told_by_journal(self, run_id: str, owner: str) -> tuple[Header, Transcript]:
        recovered = self._read_ended(run_id, owner)
        return recovered.header, fold(recovered.events)

    def _read_ended(self, run_id: str, owner: str) -> Recovered:
        if not is_safe_id(run_id):
            raise _no_run()
        paths = (self._engine.folder / shelf / f"{run_id}.jsonl" for shelf in recovery.SHELVES)
        path = next((path for path in paths if path.is_file()), None)
        try:
            recovered = read_journal(path) if path else None
        except (OSError, JournalUnreadable):
            recovered = None
        if recovered is None:
            raise _no_run()
        if recovered.header.owner != owner:
            raise _no_run()
        return recovered


def _read_together(session: Session) -> tuple[Row, str | None, list[Message]]:
    with session.lock:
        return session.row(), session.active_stream_id, list(session.messages)


def _snapshot(run: Run) -> Snapshot:
    header, transcript = run.header, run.as_shown()
    return Snapshot(
        stream_id=header.run_id,
        session_id=header.session_id,
        message_id=header.message_id,
        seq=transcript.seq,
        started_at=header.started_at,
        transcript=transcript,
    )


def _no_run() -> NotFound:
    return NotFound("There is no such run, or it ended long ago.", code="run_not_found")
