"""When the deltas of a stream are written: at once while they come slowly, gathered while they come in a flood."""

import asyncio
from collections.abc import Callable

import msgspec

from api.domain.events import Event, TextDelta, ThinkingDelta, ToolArguments, ToolOutput

WINDOW_S = 0.002


class Coalescer:
    """Passes events on in order, merging neighbouring deltas of one kind that come within `WINDOW_S` of the last write.

    The first delta after a pause goes through without delay, so that a token is shown as soon as it came; a provider
    that sends thousands a second costs at most 500 writes. Everything that is no delta flushes and goes through at
    once.
    """

    def __init__(self, emit: Callable[[list[Event]], None]) -> None:
        """`emit` is called on the event loop, and must not raise."""
        self._emit = emit
        self._waiting: list[Event] = []
        self._timer: asyncio.TimerHandle | None = None
        self._last_emit = float("-inf")

    def add(self, event: Event) -> None:
        merged = _merge(self._waiting[-1], event) if self._waiting else None
        if merged is not None:
            self._waiting[-1] = merged
        else:
            self._waiting.append(event)
        now = asyncio.get_running_loop().time()
        if not _is_delta(event) or now - self._last_emit >= WINDOW_S:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(self._last_emit + WINDOW_S, self.flush)

    def flush(self) -> None:
        """Emit what waits, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._last_emit = asyncio.get_running_loop().time()
            self._emit(waiting)


def _is_delta(event: Event) -> bool:
    return isinstance(event, TextDelta | ThinkingDelta | ToolArguments | ToolOutput)


def _merge(first: Event, second: Event) -> Event | None:
    """Both as one delta, or None when they do not belong together."""
    match first, second:
        case TextDelta(), TextDelta():
            return msgspec.structs.replace(first, text=first.text + second.text)
        case ThinkingDelta(), ThinkingDelta():
            return msgspec.structs.replace(second, text=first.text + second.text)
        case (ToolArguments(), ToolArguments()) | (ToolOutput(), ToolOutput()) if first.call_id == second.call_id:
            return msgspec.structs.replace(first, text=first.text + second.text)
    return None
