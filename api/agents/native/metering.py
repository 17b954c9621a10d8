"""What a run takes: counted in one place for it and for all its sub-agents, which may ask at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from api.domain.budgets import Wanted
from api.domain.events import Usage, add_usage


class Meter:
    """`used` is what providers told; `steps` how many requests were made."""

    def __init__(self, used: Usage | None = None) -> None:
        self.used = used
        self.steps = 0
        self._began = monotonic()
        self._estimated = Usage(cost=0.0)
        """Of requests of which nothing was told: those under way, and those whose provider tells nothing."""

    @property
    def total(self) -> Usage:
        """What the budget is held to."""
        return add_usage(self.used, self._estimated)

    @property
    def seconds(self) -> float:
        """How long it has taken, a person's time included."""
        return monotonic() - self._began

    @contextmanager
    def under_way(self, wanted: Wanted) -> Iterator[None]:
        """Count a request as what it was estimated at while it is made, so that two cannot pass the budget together."""
        self.steps += 1
        tokens, dollars = wanted.input_tokens, wanted.input_tokens * (wanted.input_price or 0.0)
        self._add(tokens, dollars)
        try:
            yield
        finally:
            self._add(-tokens, -dollars)

    def told(self, usage: Usage) -> Usage:
        """Count what a provider told. Returns what all took by now."""
        self.used = add_usage(self.used, usage)
        return self.used

    def not_told(self, input_tokens: int) -> None:
        self._add(input_tokens, 0.0)

    def _add(self, tokens: int, dollars: float) -> None:
        before = self._estimated
        self._estimated = Usage(input_tokens=before.input_tokens + tokens, cost=(before.cost or 0.0) + dollars)
