"""How often someone may try: token buckets by key."""

import time
from collections.abc import Callable

MAX_KEYS = 10_000


class Limit:
    """`burst` tries at once, then one more every `every_s` seconds, for each key."""

    def __init__(self, burst: int, every_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._every_s = every_s
        self._clock = clock
        self._full_at: dict[str, float] = {}

    def take(self, key: str) -> float:
        """Use one try. Returns 0 when it may go ahead, else the seconds to wait."""
        now = self._clock()
        full_at = max(self._full_at.get(key, now), now)
        wait = full_at + self._every_s - now - self._burst * self._every_s
        if wait > 0:
            return wait
        if len(self._full_at) >= MAX_KEYS:
            self._full_at = {one: at for one, at in self._full_at.items() if at > now}
        self._full_at[key] = full_at + self._every_s
        return 0.0
