"""What pydantic-ai says while a model answers, as our events. Imports pydantic-ai, so it is itself imported late."""

import json
import time
from collections.abc import Iterator
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
from api.agents.transport import AnswerTooBig, Watch
from api.domain import events as ev

NO_TOOLS = "No tools are offered in this session, so this call was not run."


class Speech:
    """One attempt at an answer: turns pieces into events and keeps count of them. `started`: monotonic seconds."""

    def __init__(self, *, started: float, attempt: int, limits: Limits, continues: str) -> None:
        self.started = started
        self.has_text = False
        self.has_thinking = False
        self.watch = Watch()
        self._attempt = attempt
        self._is_open = False
        self._limits = limits
        self._characters = 0
        self._continuation = Continuation(continues)
        self._calls: dict[int, str] = {}

    @property
    def has_calls(self) -> bool:
        return bool(self._calls)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said; white space alone is nothing."""
        return not (self.has_text or self.has_thinking or self._calls)

    def open(self, event: ev.Event) -> Iterator[ev.Event]:
        """`event`, and before the first one the beginning of the step."""
        if not self._is_open:
            self._is_open = True
            yield ev.StepStarted(step=1, attempt=self._attempt)
        yield event

    def hear(self, piece: Any) -> Iterator[ev.Event]:
        if isinstance(piece, PartStartEvent):
            yield from self._started(piece.index, piece.part)
        elif isinstance(piece, PartDeltaEvent):
            yield from self._continued(piece.index, piece.delta)

    def rest(self) -> Iterator[ev.Event]:
        """What was held back, and an end for every call."""
        yield from self._shown(self._continuation.rest())
        for call_id in self._calls.values():
            yield ev.ToolEnded(call_id=call_id, output=NO_TOOLS, is_error=True)

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
            yield from self._arguments(self._calls[index], delta.args_delta)

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
        taken = self._calls.values()
        call_id = part.tool_call_id if part.tool_call_id not in taken else f"{part.tool_call_id}-{index}"
        self._calls[index] = call_id
        yield from self.open(ev.ToolStarted(call_id=call_id, name=part.tool_name))
        yield from self._arguments(call_id, part.args)

    def _arguments(self, call_id: str, arguments: Any) -> Iterator[ev.Event]:
        text = arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments else ""
        self._count(text)
        if text:
            yield ev.ToolArguments(call_id=call_id, text=text)

    def _count(self, text: str) -> None:
        self._characters += len(text)
        if self._characters > self._limits.answer_characters:
            raise AnswerTooBig(f"{self._characters} characters")
