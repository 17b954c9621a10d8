"""One execution of an agent on a turn: from the agent's first word to its one ending."""

import asyncio
import copy
import errno
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from api.agents.base import Agent, Turn
from api.domain.approvals import Decision
from api.domain.errors import Conflict, NotFound, StorageFailed
from api.domain.events import (
    ApprovalRequested,
    ApprovalResolved,
    Event,
    Failure,
    Outcome,
    QuestionAnswered,
    QuestionAsked,
    RunEnded,
    Steered,
    ToolEnded,
    ToolStarted,
)
from api.domain.transcript import Transcript, fold
from api.runs.coalescing import Coalescer
from api.runs.journal import Header, Journal
from api.runs.watching import Shown

log = logging.getLogger(__name__)

AGENT_FAILED = Failure(
    code="agent_failed",
    message="The agent stopped with an error of its own. What it had said is kept.",
    hint="Retry; if it happens again, the server's log has the details.",
)


class Run:
    """Drives an agent, journals what it says, shows it, and ends exactly once.

    `transcript` is all that was said; `shown` is what watchers may have. The ending is shown last, after `finish` has
    folded the run into its session, so that whoever sees the end finds the messages in the document.

    A run that waits for a person's word can be parked, and gone on with in another process: `turn.resumes` then is
    what it had said, and its agent is started when the word has come.
    """

    def __init__(self, turn: Turn, agent: Agent, journal: Journal, finish: Callable[["Run"], Awaitable[None]]) -> None:
        self.turn = turn
        self.journal = journal
        self.transcript = copy.deepcopy(turn.resumes) or Transcript()
        self.shown = Shown(self.transcript.seq)
        self.ended = asyncio.Event()
        self.on_asking: list[Callable[[Run], None]] = []
        self._decided: dict[str, tuple[ApprovalRequested, Decision]] = {}
        self._has_word = asyncio.Event()
        self._agent = agent
        self._finish = finish
        self._is_parked = False
        self._ending: RunEnded | None = None
        self._before_ending: Transcript | None = None
        self._out = Coalescer(self._record)
        self._began = time.monotonic()
        self._task: asyncio.Task[None] | None = None

    @property
    def header(self) -> Header:
        return self.journal.header

    @property
    def is_sealed(self) -> bool:
        """Has the ending been decided? What the agent says from then on is refused."""
        return self._ending is not None

    @property
    def is_waiting(self) -> bool:
        """Does it wait for a person's word?"""
        return not self.is_sealed and bool(self.transcript.pending_approvals or self.transcript.question)

    def as_shown(self) -> Transcript:
        """A copy of what watchers have been shown: without the ending, until they are shown that."""
        if self._before_ending is not None and not self.ended.is_set():
            return copy.deepcopy(self._before_ending)
        return copy.deepcopy(self.transcript)

    def begin(self) -> None:
        self._task = asyncio.create_task(self._drive(), name=self.header.run_id)

    async def stop(self, outcome: Outcome) -> bool:
        """End the run with `outcome`, keeping what was shown; False when it had ended already.

        Does not wait for an agent that is slow to give up: it is fenced off, and let go of by `release`.
        """
        if self.is_sealed:
            await self.ended.wait()
            return False
        if self._task is not None:
            self._task.cancel()
        await self._end(RunEnded(outcome=outcome))
        return True

    async def park(self, timeout_s: float) -> None:
        """Stop a run that waits, without ending it: the next process goes on with it."""
        self._is_parked = True
        if self._task is not None:
            self._task.cancel()
        await self.release(timeout_s)
        await asyncio.to_thread(self.journal.sync)
        self.journal.close()

    def asked(self, approval_id: str) -> ApprovalRequested | None:
        """What waits for a person's word under this id, or was given it in this process."""
        settled = self._decided.get(approval_id)
        pending = (one for one in self.transcript.pending_approvals if one.approval_id == approval_id)
        return settled[0] if settled else next(pending, None)

    async def decide(self, approval_id: str, arguments_sha256: str, decision: Decision) -> ApprovalRequested:
        """Give the agent a person's word on a call that it asked about, durably first.

        The same word again does nothing.

        Raises:
            NotFound: this was not asked, or by a run that has ended.
            Conflict: another word was given already, or it is about something else than what was shown.
            StorageFailed: the word could not be written down, so nothing was done.
        """
        asked = self.asked(approval_id)
        if asked is None or self.is_sealed:
            raise NotFound("This is not asked any more.", code="approval_not_found")
        if asked.arguments_sha256 != arguments_sha256:
            raise Conflict("What is asked is not what you were shown. Look at it again.", code="approval_changed")
        if approval_id in self._decided:
            if self._decided[approval_id][1].choice != decision.choice:
                raise Conflict("This was answered already, with another word.", code="approval_settled")
            return asked
        self._decided[approval_id] = asked, decision
        await self._write_down(ApprovalResolved(approval_id=approval_id, choice=decision.choice, note=decision.note))
        self.turn.permissions.decisions.tell(approval_id, decision)
        self._tell_asking()
        return asked

    async def answer(self, question_id: str, text: str) -> None:
        """Give the agent a person's answer to its question, durably first. Raises as `decide`."""
        question = self.transcript.question
        if question is None or question.question_id != question_id or self.is_sealed:
            raise NotFound("This is not asked any more.", code="question_not_found")
        await self._write_down(QuestionAnswered(question_id=question_id, text=text))
        self.turn.answers.tell(question_id, text)
        self._tell_asking()

    async def _write_down(self, word: ApprovalResolved | QuestionAnswered) -> None:
        self._out.add(word)
        try:
            if not self.is_sealed:
                await asyncio.to_thread(self.journal.sync)
        except OSError as error:
            self._seal_after_disk_error(error)
        if self.is_sealed:
            raise StorageFailed("Your answer could not be written down, so nothing was done.")
        self._has_word.set()

    async def release(self, timeout_s: float) -> None:
        """Wait for the agent to let go of what it held."""
        if self._task is None:
            return
        _, pending = await asyncio.wait({self._task}, timeout=timeout_s)
        if pending:
            log.warning("run.agent_lingers", extra={"run_id": self.header.run_id})

    async def _drive(self) -> None:
        try:
            ending = await self._listen()
        except asyncio.CancelledError:
            if self._is_parked:
                raise
            # Whoever cancelled this task has decided the ending; a cancel from elsewhere is the loop going down.
            await asyncio.shield(self._end(RunEnded(outcome="interrupted")))
            raise
        except Exception:
            log.exception("run.agent_raised", extra={"run_id": self.header.run_id})
            ending = RunEnded(outcome="failed", failure=AGENT_FAILED)
        await asyncio.shield(self._end(ending))

    async def _listen(self) -> RunEnded:
        if self.turn.resumes is not None:
            await self._has_word.wait()
        async with aclosing(self._agent.run(self.turn)) as events:
            async for event in events:
                if isinstance(event, RunEnded):
                    return event
                self._out.add(event)
                if self.is_sealed:
                    break
                if isinstance(event, Steered):
                    self.turn.steering.journaled(event.message_id)
                if isinstance(event, ApprovalRequested | QuestionAsked):
                    self._tell_asking()
                if isinstance(event, ToolStarted | ToolEnded | ApprovalRequested | QuestionAsked | Steered):
                    await asyncio.to_thread(self.journal.sync)
        return RunEnded(outcome="done")

    def _tell_asking(self) -> None:
        for tell in self.on_asking:
            tell(self)

    def _record(self, events: list[Event]) -> None:
        """Journal, then show. Called by the coalescer, on the event loop."""
        if self.is_sealed:
            return
        written: list[Event] = []
        try:
            for event in events:
                written.append(self.journal.append(event))
        except OSError as error:
            log.error("run.journal_failed", extra={"run_id": self.header.run_id, "errno": error.errno})
            self._seal_after_disk_error(error)
        if written:
            fold(written, onto=self.transcript)
            self.shown.add(written)

    def _seal_after_disk_error(self, error: OSError) -> None:
        ending = RunEnded(outcome="failed", failure=_disk_failure(error))
        self._ending = ending
        if self._task is not None:
            self._task.cancel()
        self._ending_task = asyncio.create_task(self._close_with(ending))

    async def _end(self, ending: RunEnded) -> None:
        if not self.is_sealed:
            self._out.flush()
        if self.is_sealed:  # flushing can meet a full disk
            await self.ended.wait()
            return
        self._ending = ending
        await self._close_with(ending)

    async def _close_with(self, ending: RunEnded) -> None:
        duration_ms = int((time.monotonic() - self._began) * 1000)
        ending = RunEnded(outcome=ending.outcome, failure=ending.failure, duration_ms=duration_ms)
        shown_last = await self._journal_ending(ending)
        self._before_ending = copy.deepcopy(self.transcript)
        fold([shown_last], onto=self.transcript)
        await self._finish(self)
        self.shown.add([shown_last])
        self.ended.set()
        log.info("run.ended", extra={"run_id": self.header.run_id, "outcome": ending.outcome, "ms": duration_ms})

    async def _journal_ending(self, ending: RunEnded) -> Event:
        try:
            numbered = self.journal.append(ending)
            await asyncio.to_thread(self.journal.sync)
        except OSError as error:
            # The one event that is shown though it is not on disk: people must learn that the disk refuses. The next
            # start finds a journal with no ending and writes one.
            log.error("run.ending_not_journaled", extra={"run_id": self.header.run_id, "errno": error.errno})
            return RunEnded(
                seq=self.transcript.seq + 1,
                outcome="failed",
                failure=_disk_failure(error),
                duration_ms=ending.duration_ms,
            )
        return numbered


def _disk_failure(error: OSError) -> Failure:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    what = "The disk is full" if full else "The disk refused to store the answer"
    return Failure(
        code="disk_full" if full else "storage_failed",
        message=f"{what}, so the answer stopped here. What was shown is kept.",
        hint="Free some space, then continue."
        if full
        else "Check the disk that holds Fireside's folder, then continue.",
    )
