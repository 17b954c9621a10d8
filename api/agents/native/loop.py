"""A run of the built-in agent: requests to the model, and what it asks for in between, until it asks for nothing more.

Imports pydantic-ai, so it is itself imported late.
"""

import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import count

from msgspec.structs import replace as replace_fields
from pydantic_ai.messages import (
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.tools import ToolDefinition

from api.agents.base import Steering, Turn
from api.agents.native.calls import Calls, ToolRequest
from api.agents.native.clipping import clipped
from api.agents.native.delegating import INSTRUCTIONS
from api.agents.native.metering import Meter
from api.agents.native.own_tools import OwnTool
from api.agents.native.request import Request, ToolsRefused, answer
from api.agents.native.spending import wanted
from api.agents.native.weighing import CHARACTERS, counted_before, is_too_full, since, weigh
from api.domain import events as ev
from api.domain.errors import BadRequest
from api.tools.arguments import parsed
from api.tools.base import Tool

MOST_STEPS = 200
MOST_STEPS_OF_ALL = 500
"""Of a run with its sub-agents."""

ROOMY = 0.5
"""So much of the window is filled after something was left out, so that it is not done anew at every step."""

CLIPPED = ev.Notice(
    code="clipped", message="Older results of tools were left out for the model, for want of room; you still see all."
)

NO_TOOLS = "No tools are offered in this session, so this call was not run."


_HINT = "Say what it should do differently, or ask it to go on."
LOOPS = ev.Failure("agent_loops", "The agent made the same call again and again, so it was stopped.", _HINT)


class Loop:
    """One run. `first` is the first request, from which the others are made; `instructions` go with each.

    `meter` counts what it takes.
    """

    def __init__(self, turn: Turn, first: Request, calls: Calls, instructions: str, meter: Meter) -> None:
        self.are_tools_refused = False
        self._turn = turn
        self._steering = turn.steering
        self._request = first
        self._calls = calls
        self._instructions = instructions
        self._spend = turn.spend
        self._counted = counted_before(turn)
        self._meter = meter

    async def run(self) -> AsyncGenerator[ev.Event, None]:
        self._steering.is_open = bool(self._request.tools)
        for done in count():
            if failure := self._limit(done):
                yield _stopped(failure)
                return
            async with aclosing(self._hear()) as heard:
                async for event in heard:
                    yield event
            request = self._request
            if request.response is None:
                return
            async with aclosing(self._perform(request.calls)) as performed:
                async for event in performed:
                    yield event
            if self._calls.is_looping:
                yield _stopped(LOOPS)
                return
            if not self._steering.has_waiting and not (request.calls and request.tools):
                self._steering.is_open = False
                return
            steers = list(iter(self._steering.take, None))
            for steer in steers:
                yield ev.Steered(message_id=steer.message_id, text=steer.text)
            self._request = self._following(request, request.response, [steer.text for steer in steers])

    def _limit(self, done: int) -> ev.Failure | None:
        """Why there is no further step after so many."""
        if done == MOST_STEPS or self._meter.steps >= MOST_STEPS_OF_ALL:
            return _too_many(self._meter.steps)
        worked_s = self._meter.seconds - self._turn.permissions.decisions.waited_s - self._turn.answers.waited_s
        return _worked_too_long(worked_s) if done and worked_s > self._request.limits.work_s else None

    async def _hear(self) -> AsyncGenerator[ev.Event, None]:
        """Send the request, without tools where the model takes none, and yield what comes of it."""
        try:
            async with aclosing(self._answer_in_window()) as events:
                async for event in events:
                    yield event
        except ToolsRefused:
            self.are_tools_refused = True
            self._steering.is_open = False
            self._request.tools = []
            yield told_toolless(self._request.model.model_name)
            async with aclosing(self._answer()) as events:
                async for event in events:
                    yield event

    async def _answer_in_window(self) -> AsyncGenerator[ev.Event, None]:
        """As `_answer`, with less of what the calls gave where all of it is too much for the model."""
        filled, window = self._weighed().filled, self._request.window
        if window and is_too_full(filled, window) and self._calls.results and self._clip(filled - int(window * ROOMY)):
            yield CLIPPED
        refused: ev.Event | None = None
        async with aclosing(self._answer()) as events:
            async for event in events:
                if self._calls.results and _is_too_long(event):
                    refused = event
                else:
                    yield event
        if refused is None:
            return
        if not self._clip(self._weighed().filled // 2):
            yield refused
            return
        yield CLIPPED
        async with aclosing(self._answer()) as events:
            async for event in events:
                yield event

    def _weighed(self) -> ev.Context:
        return since(self._counted, weigh(self._request.messages, self._request.tools))

    def _clip(self, tokens: int) -> bool:
        """Make the request shorter by so many tokens; False where nothing is left to be left out."""
        self._request.messages, saved = clipped(self._request.messages, tokens * CHARACTERS)
        return saved > 0

    async def _answer(self) -> AsyncGenerator[ev.Event, None]:
        """What comes of the request, if the budget has room for it.

        What all requests of the run took stands before an ending.
        """
        context = self._weighed()
        asked = wanted(self._request, self._meter.total, context.filled)
        leave = self._spend(asked)
        if leave.failure is not None:
            yield _stopped(leave.failure)
            return
        self._request.most_output = leave.most_output
        ending: ev.Event | None = None
        with self._meter.under_way(asked):
            async with aclosing(answer(self._request)) as events:
                async for event in events:
                    if isinstance(event, ev.RunEnded):
                        ending = event
                    else:
                        yield event
        if self._request.usage is not None:
            used = self._meter.told(self._request.usage)
            context = replace_fields(context, filled=self._request.usage.input_tokens, window=self._request.window)
            self._counted = context
            yield ev.UsageUpdated(usage=used, context=context)
        else:
            self._meter.not_told(context.filled)
        if ending is not None:
            yield ending

    async def _perform(self, calls: Sequence[ToolRequest]) -> AsyncGenerator[ev.Event, None]:
        if self._request.tools:
            async with aclosing(self._calls.perform(calls)) as events:
                async for event in events:
                    # How full a sub-agent's window is says nothing of the one of this run.
                    yield ev.UsageUpdated(usage=event.usage) if isinstance(event, ev.UsageUpdated) else event
        else:
            for asked in calls:
                yield ev.ToolEnded(call_id=asked.call_id, output=NO_TOOLS, is_error=True)

    def below(self, call_id: str, task: str) -> AsyncGenerator[ev.Event, None]:
        """The run of a sub-agent that is made in a call of this one, with the same tools for the world around."""
        turn = replace_fields(self._turn, messages=[], steering=Steering(), resumes=None, continuing=False)
        tools = [tool for tool in self._calls.tools if not isinstance(tool, OwnTool)]
        asked = ModelRequest(parts=[UserPromptPart(content=task)], instructions=INSTRUCTIONS)
        first = Request(
            self._request.provider,
            self._request.model,
            [asked],
            limits=self._request.limits,
            parameters=self._request.parameters,
            tools=definitions(tools),
            prefix=f"{call_id}/",
            window=self._request.window,
            showing=self._request.showing.below() if self._request.showing is not None else None,
        )
        calls = Calls(turn, tools, self._calls.context, self._calls.lanes)
        return Loop(turn, first, calls, INSTRUCTIONS, self._meter).run()

    def _following(self, request: Request, response: ModelResponse, told: Sequence[str]) -> Request:
        """The next request: what became of the calls, and what a person told the agent meanwhile."""
        parts: list[ModelRequestPart] = [
            ToolReturnPart(
                tool_name=one.name, content=self._calls.results[one.call_id].output, tool_call_id=one.call_id
            )
            for one in request.calls
        ]
        for one in request.calls:
            if (attached := self._calls.attached.get(one.call_id)) and request.showing is not None:
                parts.append(UserPromptPart(content=request.showing.of_tool(attached)))
        parts += [UserPromptPart(content=text) for text in told]
        said = ModelRequest(parts=parts, instructions=self._instructions)
        return Request(
            request.provider,
            request.model,
            [*request.messages, _as_shown(response, request.calls), said],
            limits=request.limits,
            parameters=request.parameters,
            tools=request.tools,
            number=request.number + 1,
            taken=request.taken | {one.call_id for one in request.calls},
            prefix=request.prefix,
            started=request.started,
            window=request.window,
            showing=request.showing,
        )


def told_toolless(name: str) -> ev.Notice:
    return ev.Notice(code="no_tools", message=f"{name} cannot use tools, so it answers without them.")


def definitions(tools: Sequence[Tool | OwnTool]) -> list[ToolDefinition]:
    """Tools as a request offers them."""
    return [
        ToolDefinition(name=tool.name, description=tool.description, parameters_json_schema=tool.schema)
        for tool in tools
    ]


def _as_shown(response: ModelResponse, calls: Sequence[ToolRequest]) -> ModelResponse:
    """The response with the ids that its calls have here, and with arguments that every provider takes back."""
    given = iter(calls)
    return replace(
        response, parts=[_call_as_shown(p, given) if isinstance(p, ToolCallPart) else p for p in response.parts]
    )


def _call_as_shown(part: ToolCallPart, given: Iterator[ToolRequest]) -> ToolCallPart:
    asked = next(given, None)
    if asked is None:
        return part
    try:
        text = json.dumps(parsed(asked.arguments))
    except BadRequest:
        text = json.dumps({"unreadable": asked.arguments[:1000]})
    return replace(part, tool_call_id=asked.call_id, args=text)


def _too_many(steps: int) -> ev.Failure:
    """`steps` are those of the run with its sub-agents."""
    return ev.Failure("too_many_steps", f"The agent was not done after {steps} steps, so it was stopped.", _HINT)


def _worked_too_long(seconds: float) -> ev.Failure:
    said = f"The agent was not done after {seconds / 60:,.0f} minutes of work, so it was stopped."
    return ev.Failure("worked_too_long", said, _HINT)


def _is_too_long(event: ev.Event) -> bool:
    return isinstance(event, ev.RunEnded) and event.failure is not None and event.failure.code == "context_too_long"


def _stopped(failure: ev.Failure) -> ev.RunEnded:
    return ev.RunEnded(outcome="failed", failure=failure)
