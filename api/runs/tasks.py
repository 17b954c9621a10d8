"""Background tasks: prompts that are worked on while the conversation goes on, and answered into it, once.

A task is a record on disk from the moment it is accepted until its answer is in the conversation. It outlives its page,
its process and its conversation's other turns; a task whose process died is begun again. At most `AT_ONCE` are begun at
the same time, the others wait in order. One that waits for a person gives its place to the next; once it has its answer
it goes on at once, above that number if need be, because a person is there who waits for it.
"""

import asyncio
import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Literal

import msgspec

from api.domain.errors import AppError, BadRequest, NotFound, TooMany
from api.domain.ids import OWNER_LOCAL, MessageId, RunId, SessionId, new_run_id, new_task_id
from api.domain.messages import Message, clean_text
from api.domain.titles import UNTITLED, title_from
from api.domain.transcript import Transcript, fold, messages_of
from api.runs import recovery
from api.runs.conversing import Conversing
from api.runs.engine import Engine
from api.runs.journal import Header, Journal, JournalUnreadable, Recovered, read_journal
from api.runs.parking import take_up
from api.runs.run import Run
from api.sessions.disk.files import StateFile, make_subfolder, remove_file
from api.sessions.documents.session import Session

log = logging.getLogger(__name__)

AT_ONCE = 3
MAX_WAITING = 50
KEEP_S = 24 * 3600.0

State = Literal["waiting", "running", "answered"]


class Task(msgspec.Struct, kw_only=True):
    """`answered` means that the agent is done and the answer waits for its conversation to be free."""

    task_id: str
    session_id: str
    owner: str
    prompt: str
    model: str
    agent: str | None = None
    created_at: float
    state: State = "waiting"
    stream_id: RunId = RunId("")
    attempt: int = 0


def public(task: Task) -> dict[str, Any]:
    """What may be shown of a task: all but whose it is."""
    return {name: value for name, value in msgspec.structs.asdict(task).items() if name not in ("owner", "agent")}


class Tasks:
    """Accepts, runs and delivers. Called on the event loop."""

    def __init__(self, engine: Engine, conversing: Conversing) -> None:
        self._engine = engine
        self._conversing = conversing
        self._folder = engine.folder / recovery.TASKS
        self._tasks: dict[str, Task] = {}
        self._transcripts: dict[str, Transcript] = {}
        self._working: set[asyncio.Task[None]] = set()
        self._is_closing = False
        engine.on_retired.append(self._on_retired)
        engine.on_asking.append(self._on_asking)

    # Accepting

    async def accept(self, session_id: str, prompt: str, *, model: str | None = None, owner: str = OWNER_LOCAL) -> Task:
        """Take on a task, durably. Its conversation may be a blank session, which then has its first content.

        Raises:
            BadRequest, NotFound, TooMany, StorageFailed: nothing was taken on.
        """
        prompt = clean_text(prompt)
        if not prompt.strip():
            raise BadRequest("Write what is to be done first.", code="empty_message", field="prompt")
        if len(self._tasks) >= MAX_WAITING:
            raise TooMany(
                f"{MAX_WAITING} tasks are waiting already. Cancel one first.", code="too_many_tasks", most=MAX_WAITING
            )
        session = await asyncio.to_thread(self._engine.store.get, session_id, owner=owner)
        agent = None if model else session.agent
        _, chosen = await self._engine.choose(model or session.model, agent)
        task = Task(
            task_id=new_task_id(),
            session_id=session.session_id,
            owner=owner,
            prompt=prompt,
            model=chosen,
            agent=agent,
            created_at=self._engine.clock(),
        )
        await asyncio.to_thread(self._keep_with_session, task, session)
        self._tasks[task.task_id] = task
        await self._begin_waiting()
        return task

    def _keep_with_session(self, task: Task, session: Session) -> None:
        """The record first: a conversation without its task is fine, a task without its conversation would be lost."""
        self._keep(task)
        if session.title == UNTITLED and not session.messages:
            session.title, session.title_by = title_from(task.prompt), "message"
            session.save()

    # Looking

    def of(self, session_id: str, *, owner: str = OWNER_LOCAL) -> list[Task]:
        """The tasks of a session whose answers are not in it yet, oldest first."""
        return [one for one in self._tasks.values() if one.session_id == session_id and one.owner == owner]

    def find(self, task_id: str, *, owner: str = OWNER_LOCAL) -> Task:
        """Raises:
        NotFound: there is no such task, or its answer was delivered.
        """
        task = self._tasks.get(task_id)
        if task is None or task.owner != owner:
            message = "There is no such task; its answer may be in the conversation already."
            raise NotFound(message, code="task_not_found")
        return task

    async def cancel(self, task_id: str, *, owner: str = OWNER_LOCAL) -> str:
        """Give up a task. What it had said is delivered, if it was begun. Returns the id of its session.

        Raises:
            NotFound: there is no such task, or it was delivered.
        """
        task = self.find(task_id, owner=owner)
        run = self._engine.find(task.stream_id)
        if run is not None:
            await run.stop("cancelled")
        elif task.state == "waiting":
            self._forget(task)
        return task.session_id

    async def drop_all(self, session_id: str) -> None:
        """Give up the tasks of a session that is deleted."""
        for task in [one for one in self._tasks.values() if one.session_id == session_id]:
            run = self._engine.find(task.stream_id)
            self._forget(task)
            if run is not None:
                await run.stop("cancelled")

    # Working

    async def open(self) -> None:
        """Take up what a former process left: tasks that it did not finish begin again."""
        for path in sorted(self._folder.glob("task-*.json")):
            task = _task(await asyncio.to_thread(StateFile(path).read))
            if task is None:
                log.error("task.unreadable", extra={"file": path.name})
                continue
            parked = await asyncio.to_thread(self._take_up, task)
            if parked is not None:
                await self._wait_on(task, parked)
        await asyncio.to_thread(self._prune)
        for task in list(self._tasks.values()):
            await self._deliver_if_free(task)
        await self._begin_waiting()

    def _prune(self) -> None:
        """Remove the journals that no page will ask for any more."""
        needed = {task.stream_id for task in self._tasks.values()}
        for path in self._folder.glob("*.jsonl"):
            if path.stem not in needed and path.stat().st_mtime < self._engine.clock() - KEEP_S:
                remove_file(path)

    def _take_up(self, task: Task) -> Recovered | None:
        """Decide how to go on with a task; its run, if that waits for a person's word."""
        self._tasks[task.task_id] = task
        if not task.stream_id:
            return None
        try:
            recovered = read_journal(self._journal_path(task))
            if recovery.is_parked(self._engine.store, recovered, self._engine.can_resume):
                return recovered
        except (OSError, JournalUnreadable):
            task.state = "waiting"
            return None
        if recovered.ending is not None and recovered.ending.outcome != "interrupted":
            task.state = "answered"
            self._transcripts[task.task_id] = fold(recovered.events)
        else:
            task.state = "waiting"
        return None

    async def _wait_on(self, task: Task, parked: Recovered) -> None:
        """Go on with a run that waits for a person's word; from the beginning, where it cannot be gone on with."""
        task.state = "waiting"
        try:
            session = await asyncio.to_thread(self._engine.store.get, task.session_id, owner=task.owner)
            await take_up(self._engine, self._folder, parked, session, _asked(session, task), self._finish)
            task.state = "running"
        except (AppError, OSError) as error:
            log.warning("task.not_taken_up", extra={"task_id": task.task_id, "why": str(error)})

    async def _begin_waiting(self) -> None:
        # Looked at anew for each, because others may be at it meanwhile.
        while (task := self._next()) is not None:
            task.state = "running"
            try:
                await self._begin(task)
            except AppError as error:
                log.warning("task.not_begun", extra={"task_id": task.task_id, "code": error.code})
                task.state = "waiting"
                return

    def _next(self) -> Task | None:
        """The task that is to be begun now."""
        if self._is_closing or sum(map(self._has_place, self._tasks.values())) >= AT_ONCE:
            return None
        return next((task for task in self._tasks.values() if task.state == "waiting"), None)

    def _has_place(self, task: Task) -> bool:
        run = self._engine.find(task.stream_id)
        return task.state == "running" and not (run is not None and run.is_waiting)

    async def _begin(self, task: Task) -> None:
        agent, model = await self._engine.choose(task.model, task.agent)
        session = await asyncio.to_thread(self._engine.store.get, task.session_id, owner=task.owner)
        task.stream_id, task.attempt = new_run_id(), task.attempt + 1
        header = Header(
            run_id=task.stream_id,
            session_id=SessionId(task.session_id),
            owner=task.owner,
            message_id=MessageId(task.task_id),
            model=model,
            agent=agent.name,
            started_at=self._engine.clock(),
            kind="task",
            prompt=task.prompt,
        )
        journal = await asyncio.to_thread(self._create, task, header)
        turn = self._engine.turn(session, header, _asked(session, task))
        self._engine.launch(Run(turn, agent, journal, self._finish))

    def _create(self, task: Task, header: Header) -> Journal:
        self._keep(task)
        return Journal.create(self._folder, header)

    async def _finish(self, run: Run) -> None:
        await asyncio.to_thread(run.journal.close)
        task = self._tasks.get(run.header.message_id)
        self._engine.retire(run)
        if task is None or run.transcript.outcome == "interrupted":
            return
        task.state = "answered"
        self._transcripts[task.task_id] = run.transcript
        await self._deliver_if_free(task)

    def _on_retired(self, header: Header) -> None:
        """Some run has ended: a conversation may be free now, and a place for a waiting task is."""
        self._work(self._after(header))

    def _on_asking(self, header: Header) -> None:
        if header.kind == "task":
            self._work(self._begin_waiting())

    def _work(self, what: Coroutine[Any, Any, None]) -> None:
        work = asyncio.create_task(what)
        self._working.add(work)
        work.add_done_callback(self._working.discard)

    async def _after(self, header: Header) -> None:
        for task in self.of(header.session_id, owner=header.owner):
            await self._deliver_if_free(task)
        await self._begin_waiting()

    # Delivering

    async def _deliver_if_free(self, task: Task) -> None:
        """Put the answer into its conversation, unless that is answering something else just now."""
        transcript = self._transcripts.get(task.task_id)
        if task.state != "answered" or transcript is None:
            return
        try:
            now = self._engine.clock()
            await self._conversing.change(
                task.session_id, lambda session: _deliver(session, task, transcript, now), owner=task.owner
            )
        except NotFound:
            log.info("task.session_gone", extra={"task_id": task.task_id})
        except AppError as error:
            log.info("task.waits", extra={"task_id": task.task_id, "code": error.code})
            return
        self._forget(task)

    async def close(self) -> None:
        """Begin nothing more. What runs is interrupted by the engine, and begun again by the next process."""
        self._is_closing = True
        for work in self._working:
            work.cancel()

    # Keeping

    def _keep(self, task: Task) -> None:
        make_subfolder(self._folder)
        StateFile(self._folder / f"{task.task_id}.json").write(msgspec.to_builtins(task))

    def _forget(self, task: Task) -> None:
        self._tasks.pop(task.task_id, None)
        self._transcripts.pop(task.task_id, None)
        remove_file(self._folder / f"{task.task_id}.json")

    def _journal_path(self, task: Task) -> Path:
        return self._folder / f"{task.stream_id}.jsonl"


def _asked(session: Session, task: Task) -> list[Message]:
    """What the agent is given: the conversation, and then what is to be done."""
    return [*session.messages, {"id": task.task_id, "role": "user", "content": task.prompt}]


def _task(kept: dict[str, Any]) -> Task | None:
    try:
        return msgspec.convert(kept, Task)
    except msgspec.ValidationError:
        return None


def _deliver(session: Session, task: Task, transcript: Transcript, now: float) -> None:
    """Append the answer as one message; once, however often a crash makes it be tried."""
    if any(message.get("id") == task.task_id for message in session.messages):
        return
    said = messages_of(transcript, task.stream_id, model=task.model, now=now)
    answer = said[-1] | {"id": task.task_id, "content": transcript.text, "task": {"prompt": task.prompt}}
    answer.pop("tool_calls", None)
    if told := [note for message in said for note in message.get("notices", ())]:
        # The words are all here, so that places among a part of them tell nothing.
        answer["notices"] = [{"code": note["code"], "message": note["message"]} for note in told]
    session.messages = [*session.messages, answer]
    session.unread = True
