"""What may be tried again in another way: an answer that failed before its first word."""

from collections.abc import AsyncGenerator

from api.domain import events as ev

FALLS_BACK = frozenset(
    {
        "empty_answer",
        "key_refused",
        "model_not_connected",
        "model_not_found",
        "provider_cut",
        "provider_failed",
        "provider_nonsense",
        "provider_redirects",
        "provider_refused",
        "provider_silent",
        "provider_unreachable",
        "quota_used_up",
        "rate_limited",
    }
)
"""Failures that another model may be spared. What a budget or a person refuses is refused to all."""


class Try:
    """Lets the events of a try through, but keeps back an ending that failed before anything was said.

    `step` is that of the last request, `usage` what all tries took.
    """

    def __init__(self, step: int = 0, usage: ev.Usage | None = None) -> None:
        self.step = step
        self.usage = usage
        self.ending: ev.RunEnded | None = None
        self._has_spoken = False

    @property
    def code(self) -> str:
        """Why it failed before its first word; empty where it did not."""
        return self.ending.failure.code if self.ending and self.ending.failure else ""

    async def through(self, events: AsyncGenerator[ev.Event, None]) -> AsyncGenerator[ev.Event, None]:
        async for event in events:
            match event:
                case ev.StepStarted(step=step):
                    self.step = step
                case ev.TextDelta() | ev.ThinkingDelta() | ev.ToolStarted() | ev.ToolEnded():
                    self._has_spoken = True
                case ev.UsageUpdated(usage=usage):
                    self.usage = usage
                case ev.RunEnded() if not self._has_spoken:
                    self.ending = event
                    return
            yield event
