"""What pydantic-ai says while a model answers, as our events. Imports pydantic-ai, so it is itself imported late."""

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic_ai.messages import (
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
    ToolCallPartDelta,
)

from api.agents.continuation import Continuation
from api.agents.limits import Limits
from api.agents.native.calls import ToolRequest
from api.agents.transport import AnswerTooBig, Watch
from api.domain import events as ev


class Speech:
    """One attempt at a step: turns pieces into events and keeps count of them.

    `started`: when the run was, in monotonic seconds; `began`: when this was. `taken`: the ids that calls of the run
    have already. `prefix` stands before the ids of calls.
    """

    def __init__(
        self,
        *,
        started: float,
        step: int,
        attempt: int,
        limits: Limits,
        continues: str,
        taken: Iterable[str] = (),
        prefix: str = "",
    ) -> None:
        self.started = started
        self.began = time.monotonic()
        self.has_text = False
        self.has_thinking = False
        self.watch = Watch()
        self._step = step
        self._attempt = attempt
        self._taken = set(taken)
        self._prefix = prefix
        self._is_open = False
        self._limits = limits
        self._characters = 0
        self._continuation = Continuation(continues)
        self._calls: dict[int, ToolRequest] = {}

    @property
    def calls(self) -> list[ToolRequest]:
        """What the model asks for, in its order."""
        return [self._calls[index] for index in sorted(self._calls)]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said; white space alone is nothing."""
        return not (self.has_text or self.has_thinking or self._calls)

    def open(self, event: ev.Event) -> Iterator[ev.Event]:
        """`event`, and before the first one the beginning of the step."""
        if not self._is_open:
            self._is_open = True
            yield ev.StepStarted(step=self._step, attempt=self._attempt)
        yield event

    def hear(self, piece: Any) -> Iterator[ev.Event]:
        if isinstance(piece, PartStartEvent):
            yield from self._started(piece.index, piece.part)
        elif isinstance(piece, PartDeltaEvent):
            yield from self._continued(piece.index, piece.delta)

    def rest(self) -> Iterator[ev.Event]:
        """What was held back."""
        yield from self._shown(self._continuation.rest())

    def _started(self, index: int, part: Any) -> Iterator[ev.Event]:
        if isinstance(part, TextPart):
            yield from self._text(part.content)
        elif isinstance(part, ThinkingPart):
            yield from self._thinking(part.content)
        elif isinstance(part, ToolCallPart):
            yield from self._call(index, part)

    def _continued(self, index: int, delta: Any) -> Iterator[ev.Event]:
        if isinstance(delta, TextPartDelta):
            yield from self._text(delta.content_delta)
        elif isinstance(delta, ThinkingPartDelta):
            yield from self._thinking(delta.content_delta or "")
        elif isinstance(delta, ToolCallPartDelta) and index in self._calls:
            yield from self._arguments(index, delta.args_delta)

    def _text(self, text: str) -> Iterator[ev.Event]:
        self._count(text)
        yield from self._shown(self._continuation.hear(text))

    def _shown(self, text: str) -> Iterator[ev.Event]:
        if text:
            self.has_text = self.has_text or not text.isspace()
            yield from self.open(ev.TextDelta(text=text))

    def _thinking(self, text: str) -> Iterator[ev.Event]:
        self._count(text)
        if text:
            self.has_thinking = self.has_thinking or not text.isspace()
            at_ms = int((time.monotonic() - self.started) * 1000)
            yield from self.open(ev.ThinkingDelta(text=text, at_ms=at_ms))

    def _call(self, index: int, part: ToolCallPart) -> Iterator[ev.Event]:
        call_id = f"{self._prefix}{part.tool_call_id}"
        if call_id in self._taken:
            call_id = f"{call_id}-{self._step}-{index}"
        self._taken.add(call_id)
        self._calls[index] = ToolRequest(call_id, part.tool_name, "")
        yield from self.open(ev.ToolStarted(call_id=call_id, name=part.tool_name))
        yield from self._arguments(index, part.args)

    def _arguments(self, index: int, arguments: Any) -> Iterator[ev.Event]:
        text = arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments else ""
        self._count(text)
        if text:
            asked = self._calls[index]
            self._calls[index] = asked._replace(arguments=asked.arguments + text)
            yield ev.ToolArguments(call_id=asked.call_id, text=text)

    def _count(self, text: str) -> None:
        self._characters += len(text)
        if self._characters > self._limits.answer_characters:
            raise AnswerTooBig(f"{self._characters} characters")
