"""How watchers follow a run: each at its own pace, none waited for."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from api.domain.events import Event

KEEP = 4096
"""Events of a running run kept in memory; who is further behind reads the journal, or is told to start afresh."""


class Shown:
    """The events of one run that may be shown, newest last, with a wake-up for those who wait for more."""

    def __init__(self, seq: int = 0, keep: int = KEEP) -> None:
        self.seq = seq
        self._recent: deque[Event] = deque(maxlen=keep)
        self._more = asyncio.Event()

    def add(self, events: Sequence[Event]) -> None:
        self._recent.extend(events)
        self.seq = events[-1].seq
        self.wake()

    def wake(self) -> None:
        """Let every waiting watcher look again."""
        self._more.set()
        self._more = asyncio.Event()

    def after(self, seq: int) -> list[Event] | None:
        """The events numbered above `seq`, or None when some of them are no longer in memory."""
        missing = self.seq - seq
        if missing > len(self._recent):
            return None
        return list(self._recent)[-missing:] if missing > 0 else []

    async def wait(self, seq: int, *, stop: Callable[[], bool], timeout_s: float) -> None:
        """Return when there are events above `seq`, when `stop()` holds after a wake-up, or after `timeout_s`."""
        more = self._more
        if self.seq > seq or stop():
            return
        try:
            async with asyncio.timeout(timeout_s):
                await more.wait()
        except TimeoutError:
            return
