"""Doing what a model asks for: each call is shown, asked about where that is due, and ended."""

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

from msgspec.structs import replace as replace_fields

from api.agents.base import Turn
from api.agents.native.lanes import SIDE_BY_SIDE, Lanes, side_by_side
from api.agents.native.own_tools import OwnTool
from api.agents.permissions import Asked
from api.domain import events as ev
from api.domain.approvals import Call, Decision
from api.domain.attachments import Attachment
from api.domain.errors import AppError, BadRequest
from api.tools.arguments import parsed
from api.tools.base import Context, Result, Tool
from api.workspace.triggers import sets_off

log = logging.getLogger(__name__)

MOST_AT_ONCE = 32
"""Calls of one step that are done; a model that asks for more is told so."""
LOOKS = ("read", "fetch")
"""The kinds of calls that change nothing, so that they may go side by side."""
SAME_IS_NOTED = 3
SAME_ENDS = 10
"""So often may a run make the same call to the same end before the model is told, and before the run is stopped."""


class ToolRequest(NamedTuple):
    """A call that the model asks for: its name, and its arguments as JSON text. `call_id` is unique in the run."""

    call_id: str
    name: str
    arguments: str


class Calls:
    """The calls of one run. `results`: what each came to, by its id, for the model to read; `attached`, its pictures.

    Those that only look go side by side, also with those of the run's sub-agents, with which it shares its `lanes`.
    Any other goes alone, from the question about it to its end: what a person reads is still so when they answer, and
    after a restart nothing else was half done.
    """

    def __init__(
        self, turn: Turn, tools: Sequence[Tool | OwnTool], context: Context, lanes: Lanes | None = None
    ) -> None:
        self.results: dict[str, Result] = {}
        self.attached: dict[str, tuple[Attachment, ...]] = {}
        self.is_looping = False
        self.tools = list(tools)
        self.context = context
        self.lanes = lanes or Lanes()
        self._turn = turn
        self._began: dict[str, float] = {}
        self._by_name = {tool.name: tool for tool in tools}
        self._seen: Counter[tuple[object, ...]] = Counter()

    async def perform(self, calls: Sequence[ToolRequest]) -> AsyncGenerator[ev.Event, None]:
        """Do them in order, those side by side that may and follow each other. Closing the generator ends all."""
        for company, group in groupby(calls[:MOST_AT_ONCE], self._company):
            streams = [self._one(asked) for asked in group]
            async with aclosing(side_by_side(streams, SIDE_BY_SIDE if company else 1)) as events:
                async for event in events:
                    yield event
        for asked in calls[MOST_AT_ONCE:]:
            self._refuse(asked, f"Not done: at most {MOST_AT_ONCE} calls are done at once. Ask for the rest again.")
            yield self._ended(asked)

    def _company(self, asked: ToolRequest) -> str:
        """With what a call may go side by side: with calls of the same word; with none where that is empty."""
        tool = self._by_name.get(asked.name)
        if isinstance(tool, OwnTool):
            return tool.name if tool.works_apart else ""
        return "looks" if tool is not None and tool.kind in LOOKS else ""

    async def _one(self, asked: ToolRequest) -> AsyncGenerator[ev.Event, None]:
        self._began[asked.call_id] = time.monotonic()
        async with aclosing(self._perform(asked)) as events:
            async for event in events:
                yield event
        await self._keep_pictures(asked)
        yield self._ended(asked)

    def _ended(self, asked: ToolRequest) -> ev.Event:
        result, now = self.results[asked.call_id], time.monotonic()
        return ev.ToolEnded(
            call_id=asked.call_id,
            output=result.output,
            is_error=result.is_error,
            duration_ms=int((now - self._began.get(asked.call_id, now)) * 1000),
            diff=result.diff,
            attachments=self.attached.get(asked.call_id, ()),
        )

    async def _keep_pictures(self, asked: ToolRequest) -> None:
        """Attach the pictures that a call gave to the session, before its end is told; where that fails, say so."""
        result, kept, words = self.results[asked.call_id], [], []
        for one in result.pictures:
            try:
                kept.append(await asyncio.to_thread(self._turn.attach, one.name, one.data))
            except AppError as error:
                words.append(f"[{one.name} could not be kept, so it is not shown. {error.message}]")
        self.attached[asked.call_id] = tuple(kept)
        output = "\n".join([result.output, *words])
        self.results[asked.call_id] = replace_fields(result, output=output, pictures=())

    def interrupted(self, asked: ToolRequest) -> ev.Event:
        """The end of a call that a restart cut off: it may have been done, so it is not done again."""
        self._refuse(asked, "Fireside was restarted while this was done. It may be done, in part or whole; look first.")
        return self._ended(asked)

    async def _perform(self, asked: ToolRequest) -> AsyncGenerator[ev.Event, None]:
        tool = self._by_name.get(asked.name)
        if tool is None:
            known = ", ".join(self._by_name) or "none"
            self._refuse(asked, f"There is no tool called {asked.name[:100]!r}. There are: {known}.")
            return
        try:
            arguments = parsed(asked.arguments)
        except BadRequest as error:
            self._refuse(asked, f"Not done: this is not a JSON object that can be taken. {error.message}")
            return
        call = self._call(tool, asked, arguments)
        leave = self._turn.permissions.unasked(call) if self._company(asked) else None
        async with self._lane(tool, alone=leave is None):
            self._began[asked.call_id] = time.monotonic()  # how long others took is not how long it took
            yield ev.ToolStarted(call_id=asked.call_id, name=tool.name, title=call.title, kind=tool.kind)
            if problem := tool.problem(arguments):
                self._refuse(asked, problem)
                return
            async with aclosing(self._asked_and_done(tool, asked, call, arguments, leave)) as events:
                async for event in events:
                    yield event

    async def _asked_and_done(
        self, tool: Tool | OwnTool, asked: ToolRequest, call: Call, arguments: dict[str, Any], leave: Decision | None
    ) -> AsyncGenerator[ev.Event, None]:
        permissions = self._turn.permissions
        if leave is None:
            diff = "" if isinstance(tool, OwnTool) else await tool.preview(arguments, self.context)
            decision = await permissions.request(replace_fields(call, diff=diff))
            while isinstance(decision, Asked):
                if decision.event is not None:
                    yield decision.event
                decision = await permissions.confirm(decision, await permissions.decided(decision.approval_id))
                self._began[asked.call_id] = time.monotonic()  # nor is how long a person thought
            leave = decision
        if not leave.allows:
            self._refuse(asked, f"This was not allowed, so it was not done. {leave.note}".strip())
            return
        async with aclosing(self._outcome(tool, asked, arguments)) as outcome:
            async for one in outcome:
                if isinstance(one, Result):
                    self.results[asked.call_id] = self._noted(asked, _with_word(one, leave.note))
                else:
                    yield one

    def _lane(self, tool: Tool | OwnTool, *, alone: bool) -> AbstractAsyncContextManager[None]:
        """Our own tools touch nothing; and what is done in a sub-agent's call takes lanes of its own."""
        return nullcontext() if isinstance(tool, OwnTool) else self.lanes.lane(alone=alone)

    def _call(self, tool: Tool | OwnTool, asked: ToolRequest, arguments: dict[str, Any]) -> Call:
        """What a person is asked about: the very arguments that the tool is then given."""
        sets_off = self._sets_off(tool, arguments)
        return Call(
            call_id=asked.call_id,
            name=tool.name,
            kind="other" if sets_off else tool.kind,  # such an edit is more than one of a text
            arguments=json.dumps(arguments, ensure_ascii=False),
            folder=self._turn.workspace or "",
            title=tool.title(arguments),
            sets_off=sets_off,
            runner="fireside" if tool.kind == "execute" else "",
        )

    def _sets_off(self, tool: Tool | OwnTool, arguments: dict[str, Any]) -> bool:
        """Is it an edit that has programs run something?"""
        folder, path = self.context.folder, arguments.get("path")
        return tool.kind == "edit" and folder is not None and isinstance(path, str) and sets_off(folder.path, path)

    def _outcome(
        self, tool: Tool | OwnTool, asked: ToolRequest, arguments: dict[str, Any]
    ) -> AsyncGenerator[ev.Event | Result, None]:
        """What a tool shows, and last its result."""
        if isinstance(tool, OwnTool):
            return tool.act(self._turn, asked.call_id, arguments)
        return self._run(tool, asked, arguments)

    async def _run(
        self, tool: Tool, asked: ToolRequest, arguments: dict[str, Any]
    ) -> AsyncGenerator[ev.Event | Result, None]:
        shown: asyncio.Queue[str | None] = asyncio.Queue()
        context = replace(self.context, emit=shown.put_nowait)
        task = asyncio.create_task(tool.run(arguments, context), name=f"tool.{tool.name}")
        task.add_done_callback(lambda _: shown.put_nowait(None))
        try:
            while (text := await shown.get()) is not None:
                yield ev.ToolOutput(call_id=asked.call_id, text=text)
            yield _outcome_of(tool, task)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    def _noted(self, asked: ToolRequest, result: Result) -> Result:
        """The result, and a word with it where the model goes round in circles."""
        same = (asked.name, asked.arguments, result.output, *(hash(one.data) for one in result.pictures))
        self._seen[same] += 1
        self.is_looping = self.is_looping or self._seen[same] >= SAME_ENDS
        if self._seen[same] < SAME_IS_NOTED:
            return result
        times = self._seen[same]
        note = f"This same call came to this same result {times} times. Do something else, or say what is wrong."
        return replace_fields(result, output=f"{result.output}\n\n[{note}]")

    def _refuse(self, asked: ToolRequest, why: str) -> None:
        self.results[asked.call_id] = self._noted(asked, Result(why, is_error=True))


def _outcome_of(tool: Tool, task: "asyncio.Task[Result]") -> Result:
    error = task.exception()
    if error is None:
        return task.result()
    # A tool that breaks its word must not end the run with it.
    log.error("tool.failed", extra={"tool": tool.name, "error": type(error).__name__}, exc_info=error)
    return Result(f"The tool {tool.name} failed because of a fault in Fireside: {error}", is_error=True)


def _with_word(result: Result, note: str) -> Result:
    """The result, with what the person said when they allowed it."""
    if not note:
        return result
    return replace_fields(result, output=f"The person allowed this and said: {note}\n\n{result.output}")
