"""Having an agent program do a turn: which of its sessions takes it, what is sent, what comes back, how it ends."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any

from acp import schema

from api.agents.acp import failures
from api.agents.acp.exchange import Exchange
from api.agents.acp.failures import AgentFailed
from api.agents.acp.opening import Opened, Opening
from api.agents.acp.pictures import Pictures
from api.agents.acp.program import Program
from api.agents.acp.prompting import Prompt, prompt_of
from api.agents.acp.running import Running
from api.agents.acp.sessions import Memory
from api.agents.acp.surroundings import Surroundings
from api.agents.acp.traces import Traces
from api.agents.base import Turn
from api.agents.continuation import Continuation
from api.domain import events as ev
from api.domain.messages import text_of

log = logging.getLogger(__name__)


class _Work:
    """One turn being done, and all that must be let go of afterwards."""

    def __init__(
        self, turn: Turn, exchange: Exchange, continuation: Continuation, traces: Traces, pictures: Pictures
    ) -> None:
        self.turn = turn
        self.exchange = exchange
        self.traces = traces
        self.continuation = continuation
        self.pictures = pictures
        self.opened: Opened | None = None
        self.prompt: asyncio.Task[dict[str, Any]] | None = None
        self.remembering: asyncio.Task[None] | None = None
        self.held = AsyncExitStack()


class Turns:
    """Does the turns of all sessions."""

    def __init__(self, running: Running, memory: Memory, around: Surroundings) -> None:
        self._running = running
        self._opening = Opening(memory, around.limits)
        self._around = around
        self._limits = around.limits
        self._stopping: set[asyncio.Task[None]] = set()

    async def run(self, turn: Turn, program: Program, folder: Path) -> AsyncGenerator[ev.Event, None]:
        """The events of the turn, as an agent yields them."""
        exchange = Exchange(turn, program.title, folder, self._around)
        continuation = Continuation(text_of(turn.messages[-1]) if turn.continuing else "")
        traces, pictures = Traces(turn, folder, self._around), Pictures(turn.attach, program.title)
        work = _Work(turn, exchange, continuation, traces, pictures)
        try:
            try:
                await self._begin(work, program, folder)
                async with aclosing(self._follow(work, program)) as events:
                    async for event in events:
                        yield event
                ending, remarks = _ending(await _answer(work), program, exchange)
            except AgentFailed as error:
                ending, remarks = ev.RunEnded(outcome="failed", failure=error.failure), []
            await work.traces.note()
            async with aclosing(self._rest(work, ending, remarks)) as rest:
                async for event in rest:
                    yield event
        finally:
            self._let_go(work)

    async def close(self) -> None:
        """Wait until what was stopped has stopped."""
        await asyncio.gather(*self._stopping)

    async def _begin(self, work: _Work, program: Program, folder: Path) -> None:
        """Send the prompt, if need be to a program that is started for it."""
        connection = await work.held.enter_async_context(self._running.used(program, folder))
        try:
            opened = await self._opening.open(connection, work.turn, folder)
        except AgentFailed:
            if not connection.is_closed:
                raise
            # It ended, or was ended for the sake of another turn, after it was found running.
            connection = await work.held.enter_async_context(self._running.used(program, folder))
            opened = await self._opening.open(connection, work.turn, folder)
        work.opened = opened
        await work.traces.looked()
        can = connection.capabilities.prompt_capabilities or schema.PromptCapabilities()
        prompt = await asyncio.to_thread(prompt_of, work.turn, opened.missed, program.title, can)
        self._send(work, opened, prompt)

    def _send(self, work: _Work, opened: Opened, prompt: Prompt) -> None:
        connection = opened.session.connection
        work.exchange.updates.know_modes(opened.session.modes, opened.session.mode)
        connection.listeners[opened.session.acp_id] = work.exchange
        work.exchange.say([*opened.notices, *prompt.notices])
        request = schema.PromptRequest.model_validate({"sessionId": opened.session.acp_id, "prompt": prompt.blocks})
        work.prompt = asyncio.create_task(connection.ask("session_prompt", request), name=f"acp.{work.turn.run_id}")
        work.prompt.add_done_callback(lambda _: work.exchange.stirred.set())
        work.remembering = asyncio.create_task(self._opening.remember(work.turn, opened))

    async def _follow(self, work: _Work, program: Program) -> AsyncGenerator[ev.Event, None]:
        """What is said until the program has ended its turn.

        Raises:
            AgentFailed: it says nothing any more, or without end.
        """
        exchange = work.exchange
        assert work.prompt is not None
        while True:
            event = exchange.take()
            if event is None and work.prompt.done():
                return
            if event is None:
                await self._stirred(exchange, program)
            elif isinstance(event, ev.TextDelta):
                if text := work.continuation.hear(event.text):
                    yield ev.TextDelta(text=text)
            else:
                for told in await work.pictures.told(event):
                    yield told
            if exchange.updates.characters > self._limits.answer_characters:
                raise AgentFailed(
                    failures.too_much(program, f"it passed {self._limits.answer_characters:,} characters")
                )

    async def _stirred(self, exchange: Exchange, program: Program) -> None:
        """Wait for something to happen. A person is waited for without end."""
        limits = self._limits
        limit_s = limits.tool_silence_s if exchange.runs_tool else limits.silence_s
        try:
            async with asyncio.timeout(None if exchange.waits_for_person else limit_s):
                await exchange.stirred.wait()
        except TimeoutError as error:
            if not exchange.waits_for_person:
                raise AgentFailed(failures.silent(program, limit_s)) from error

    async def _rest(self, work: _Work, ending: ev.RunEnded, remarks: list[ev.Event]) -> AsyncGenerator[ev.Event, None]:
        """What is still to be said, and the end."""
        exchange = work.exchange
        if text := work.continuation.rest():
            yield ev.TextDelta(text=text)
        exchange.finish(is_error=ending.outcome != "done")
        while (event := exchange.take()) is not None:
            for told in await work.pictures.told(event):
                yield told
        for remark in remarks:
            yield remark
        if work.opened is not None and (used := work.opened.session.usage(exchange.updates)) is not None:
            yield used
        yield ending

    def _let_go(self, work: _Work) -> None:
        """Stop what still goes on for the turn, beside everything else: nobody waits for a program that is slow to."""
        work.exchange.cancel()
        task = asyncio.create_task(self._stop(work), name=f"acp.{work.turn.run_id}.stop")
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    async def _stop(self, work: _Work) -> None:
        try:
            if work.opened is not None:
                await self._stop_prompt(work, work.opened)
                await work.exchange.close()
                await work.traces.note()  # before the session takes its next turn
                await self._opening.leave(work.turn, work.opened)
            await work.traces.note()
            if work.remembering is not None:
                await work.remembering
        except Exception:
            # The outer border of a task that nobody waits for.
            log.exception("acp.not_stopped", extra={"run_id": work.turn.run_id})
        finally:
            await work.held.aclose()

    async def _stop_prompt(self, work: _Work, opened: Opened) -> None:
        connection = opened.session.connection
        if work.prompt is not None and not work.prompt.done():
            notification = schema.CancelNotification(session_id=opened.session.acp_id)
            await connection.tell("session_cancel", notification)
            await asyncio.wait([work.prompt], timeout=self._limits.cancel_s)
        connection.listeners.pop(opened.session.acp_id, None)
        if work.prompt is not None and not work.prompt.done():
            log.warning("acp.cancel_ignored", extra={"agent": connection.program.name})
            await connection.close()
            await asyncio.wait([work.prompt])
        if work.prompt is not None and not work.prompt.cancelled():
            work.prompt.exception()  # Taken note of, or asyncio complains that nobody did.


async def _answer(work: _Work) -> dict[str, Any]:
    assert work.prompt is not None
    return await asyncio.shield(work.prompt)


def _ending(answer: dict[str, Any], program: Program, exchange: Exchange) -> tuple[ev.RunEnded, list[ev.Event]]:
    """How a turn ended that the program says has ended, and what is to be remarked about it."""
    exchange.updates.take_usage(answer.get("usage"))
    reason = answer.get("stopReason")
    done = ev.RunEnded(outcome="done")
    match reason:
        case "end_turn" if exchange.updates.characters == 0:
            message = f"{program.title} ended its answer without a word."
            hint = "Look whether it is signed in and has a model, then try again."
            return ev.RunEnded(outcome="failed", failure=ev.Failure("empty_answer", message, hint)), []
        case "end_turn":
            return done, []
        case "cancelled":
            return ev.RunEnded(outcome="cancelled"), []
        case "max_tokens":
            message = f"{program.title} stopped at its longest output. Ask it to go on."
            return done, [ev.Notice(code="output_limit", message=message)]
        case "max_turn_requests":
            message = f"{program.title} stopped after as many steps as it takes at once. Ask it to go on."
            return done, [ev.Notice(code="step_limit", message=message)]
        case "refusal":
            return ev.RunEnded(outcome="failed", failure=failures.withheld(program)), []
    return ev.RunEnded(outcome="failed", failure=failures.odd_ending(program, reason)), []
