"""Questions asked aside: answered with the conversation as their context, and no part of it unless someone keeps them.

An aside is a run like any other, journaled and followed by number, but it holds no session: it may be asked while the
session answers something else. Its journal is all there is of it; keeping it moves its words into the session, dropping
it removes the journal, and one that nobody decided about goes after a day.
"""

import asyncio
import logging
from pathlib import Path

import msgspec

from api.domain.errors import BadRequest, Conflict, NotFound, TooMany
from api.domain.events import RunEnded
from api.domain.ids import OWNER_LOCAL, MessageId, RunId, SessionId, new_run_id
from api.domain.messages import Message, clean_text
from api.domain.transcript import Transcript, fold, messages_of
from api.runs import recovery
from api.runs.conversing import Conversing
from api.runs.engine import Engine
from api.runs.journal import Header, Journal, JournalUnreadable, read_journal, reopen
from api.runs.run import Run
from api.runs.viewing import Snapshot, Viewing
from api.sessions.disk.files import make_subfolder, remove_file
from api.sessions.documents.session import Session

log = logging.getLogger(__name__)

KEEP_S = 24 * 3600.0
MAX_OPEN = 8


class Aside(msgspec.Struct, frozen=True, kw_only=True):
    """A question asked aside, with its answer as shown up to `seq`."""

    stream_id: RunId
    session_id: str
    question: str
    model: str
    started_at: float
    seq: int
    is_active: bool
    transcript: Transcript


class Asides:
    """Asks, lists, keeps and drops. Called on the event loop."""

    def __init__(self, engine: Engine, conversing: Conversing, viewing: Viewing) -> None:
        self._engine = engine
        self._conversing = conversing
        self._viewing = viewing
        self._folder = engine.folder / recovery.ASIDES
        self._ended: dict[RunId, Aside] = {}
        self._owners: dict[RunId, str] = {}

    def open(self) -> None:
        """Take up what a former process left: asides that it did not finish are interrupted. Reads the disk."""
        now = self._engine.clock()
        for path in sorted(self._folder.glob("*.jsonl")):
            if path.stat().st_mtime < now - KEEP_S:
                remove_file(path)
                continue
            try:
                self._take_up(path)
            except (OSError, JournalUnreadable) as error:
                log.error("aside.unreadable", extra={"file": path.name, "why": str(error)})

    def _take_up(self, path: Path) -> None:
        recovered = read_journal(path)
        transcript = fold(recovered.events)
        if recovered.ending is None:
            with reopen(path, recovered) as journal:
                fold([journal.append(RunEnded(outcome="interrupted"))], onto=transcript)
        self._remember(recovered.header, transcript)

    async def ask(self, session_id: str, question: str, *, model: str | None = None, owner: str = OWNER_LOCAL) -> Aside:
        """Begin to answer a question about a session, which may be answering something else meanwhile.

        Raises:
            BadRequest: the question is empty.
            NotFound: there is no such session.
            TooMany: too many asides of this session wait to be kept or dropped.
            StorageFailed: nothing was begun.
        """
        question = clean_text(question)
        if not question.strip():
            raise BadRequest("Write a question first.", code="empty_message", field="question")
        view = await self._viewing.session(session_id, owner=owner)
        if len(self.of(session_id, owner=owner)) >= MAX_OPEN:
            raise TooMany("Keep or drop one of the questions asked aside first.", code="too_many_asides")
        session = view.session
        agent, chosen = await self._engine.choose(model or session.model, None if model else session.agent)
        header = self._header(session, question, chosen, agent.name)
        messages = [*_context(view.messages, view.active_run), {"id": "q", "role": "user", "content": question}]
        turn = self._engine.turn(session, header, messages, mode="read")
        journal = await asyncio.to_thread(self._create, header)
        run = Run(turn, agent, journal, self._finish)
        self._engine.launch(run)
        return _aside(header, run.as_shown(), is_active=True)

    def of(self, session_id: str, *, owner: str = OWNER_LOCAL) -> list[Aside]:
        """The asides of a session that nobody has kept or dropped, oldest first."""
        active = [
            _aside(run.header, run.as_shown(), is_active=True)
            for run in self._engine.active("aside", session_id)
            if run.header.owner == owner
        ]
        ended = [
            one
            for one in self._ended.values()
            if one.session_id == session_id and self._owners.get(one.stream_id) == owner
        ]
        return sorted([*ended, *active], key=lambda one: one.started_at)

    async def keep(self, stream_id: str, *, owner: str = OWNER_LOCAL) -> Session:
        """Put the question and its answer at the end of the session.

        Raises:
            NotFound: there is no such aside, or it was kept or dropped.
            Conflict: it or the session is still answering.
            StorageFailed: nothing was changed.
        """
        aside = self._find(stream_id, owner)
        if aside.is_active:
            raise Conflict("It is still being answered. Keep it when it is complete.", code="still_active")
        said = _as_messages(aside, now=self._engine.clock())

        def add(session: Session) -> None:
            known = {message.get("id") for message in session.messages}
            session.messages = [*session.messages, *(one for one in said if one["id"] not in known)]

        session, _ = await self._conversing.change(aside.session_id, add, owner=owner)
        await self._forget(aside)
        return session

    async def drop(self, stream_id: str, *, owner: str = OWNER_LOCAL) -> str:
        """Forget an aside, whether it is complete or not. Returns the id of its session.

        Raises:
            NotFound: there is no such aside.
        """
        aside = self._find(stream_id, owner)
        run = self._engine.find(stream_id)
        if run is not None:
            await run.stop("cancelled")
        await self._forget(aside)
        return aside.session_id

    async def drop_all(self, session_id: str) -> None:
        """Forget the asides of a session that is deleted."""
        for run in self._engine.active("aside", session_id):
            await run.stop("cancelled")
        for aside in [one for one in self._ended.values() if one.session_id == session_id]:
            await self._forget(aside)

    async def _finish(self, run: Run) -> None:
        self._remember(run.header, run.transcript)
        self._engine.retire(run)
        await asyncio.to_thread(run.journal.close)

    async def _forget(self, aside: Aside) -> None:
        self._ended.pop(aside.stream_id, None)
        self._owners.pop(aside.stream_id, None)
        await asyncio.to_thread(remove_file, self._folder / f"{aside.stream_id}.jsonl")

    def _remember(self, header: Header, transcript: Transcript) -> None:
        self._ended[header.run_id] = _aside(header, transcript, is_active=False)
        self._owners[header.run_id] = header.owner

    def _find(self, stream_id: str, owner: str) -> Aside:
        run = self._engine.find(stream_id)
        if run is not None and run.header.kind == "aside" and run.header.owner == owner:
            return _aside(run.header, run.as_shown(), is_active=True)
        aside = self._ended.get(RunId(stream_id))
        if aside is None or self._owners.get(aside.stream_id) != owner:
            raise NotFound("There is no such question; it was kept or dropped.", code="aside_not_found")
        return aside

    def _header(self, session: Session, question: str, model: str, agent: str) -> Header:
        return Header(
            run_id=new_run_id(),
            session_id=SessionId(session.session_id),
            owner=session.owner,
            message_id=MessageId(""),
            model=model,
            agent=agent,
            started_at=self._engine.clock(),
            kind="aside",
            prompt=question,
        )

    def _create(self, header: Header) -> Journal:
        make_subfolder(self._folder)
        return Journal.create(self._folder, header)


def _context(messages: list[Message], active: Snapshot | None) -> list[Message]:
    """What has been said so far, the answer being written included."""
    if active is None or not active.transcript.blocks:
        return messages
    so_far = messages_of(active.transcript, active.stream_id, model="", now=active.started_at)
    return [*messages, *so_far]


def _aside(header: Header, transcript: Transcript, *, is_active: bool) -> Aside:
    return Aside(
        stream_id=header.run_id,
        session_id=header.session_id,
        question=header.prompt,
        model=header.model,
        started_at=header.started_at,
        seq=transcript.seq,
        is_active=is_active,
        transcript=transcript,
    )


def _as_messages(aside: Aside, *, now: float) -> list[Message]:
    question = {"id": f"{aside.stream_id}.q", "role": "user", "content": aside.question, "timestamp": now}
    return [question | {"aside": True}, *messages_of(aside.transcript, aside.stream_id, model=aside.model, now=now)]
