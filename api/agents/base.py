"""What every agent is: something that turns a turn into events."""

from collections.abc import AsyncGenerator
from typing import Protocol

import msgspec

from api.domain.events import Event
from api.domain.ids import RunId, SessionId
from api.domain.messages import Message


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent is given. `messages` is the whole history, oldest first; the last one is the user's.

    With `continuing`, the last message is instead an answer of the agent's own that was cut off, to be gone on with.
    `model` is `<provider>/<name>`, as `GET /api/models` lists it.
    """

    session_id: SessionId
    run_id: RunId
    messages: list[Message]
    model: str
    workspace: str | None = None
    continuing: bool = False


class Agent(Protocol):
    """Produces events. One object serves many runs at once.

    Held by `tests/agents/conformance.py`, which every agent passes.
    """

    name: str

    def run(self, turn: Turn) -> AsyncGenerator[Event, None]:
        """Yield what happens, as events with `seq` 0, as soon as each is known.

        Must not raise for anything that the outside world does: a provider's refusal, silence or nonsense becomes a
        last `run.ended` with the outcome `failed` and a failure with a sentence. Returning without `run.ended` means
        done. Closing the generator, or cancelling the task that drives it, ends all work for this turn at once.
        """
        ...

    async def prepare(self, model: str = "") -> None:
        """Load what the first turn with `model` will need, off the event loop. Must not raise for anything outside.

        Called when someone first types; may be repeated.
        """
        ...

    async def close(self) -> None:
        """End child processes and connections. No run is active then."""
        ...
