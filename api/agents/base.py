"""What every agent is: something that turns a turn into events."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import NamedTuple, Protocol

import msgspec

from api.agents.permissions import Permissions, Replies
from api.domain.attachments import Attachment, attachments_of
from api.domain.budgets import Spend, freely
from api.domain.compactions import Compaction
from api.domain.errors import NotFound
from api.domain.events import Event
from api.domain.ids import RunId, SessionId
from api.domain.messages import Message, is_said
from api.domain.parameters import Parameters
from api.domain.transcript import Transcript

Keep = Callable[[Compaction], Awaitable[None]]
"""Keeps a summary with its session, where that can be written."""


async def keep_nothing(made: Compaction) -> None:
    """Where there is no session to keep it in."""


Open = Callable[[Attachment], bytes]
"""Reads an attachment whole, off the event loop. Raises OSError when it is not there or cannot be read."""


def open_nothing(attachment: Attachment) -> bytes:
    """Where nothing can be attached."""
    raise FileNotFoundError(attachment.id)


Attach = Callable[[str, bytes], Attachment]
"""Keeps a picture under a name with the session, durably, off the event loop. Raises AppError with a sentence."""


def attach_nothing(name: str, data: bytes) -> Attachment:
    """Where there is no session to keep it with."""
    raise NotFound("There is no conversation to keep it with.")


class Steer(NamedTuple):
    """What a person tells a running agent, under the id that it has as a message."""

    message_id: str
    text: str


class Steering:
    """What a person has told a running agent and the agent has not taken yet, oldest first.

    An agent that has a further step sets `is_open`, takes all there is before each step, and yields `steered` for each
    at once; before its last step it sets `is_open` to False. One that never sets it is never told anything.
    """

    def __init__(self) -> None:
        self.is_open = False
        self._waiting: list[tuple[Steer, Callable[[], None]]] = []
        self._taken: dict[str, Callable[[], None]] = {}

    def tell(self, steer: Steer, when_taken: Callable[[], None]) -> bool:
        """Have the agent told at its next step; False when it has none. `when_taken`: called once it is journaled."""
        if self.is_open:
            self._waiting.append((steer, when_taken))
        return self.is_open

    @property
    def has_waiting(self) -> bool:
        return bool(self._waiting)

    def is_waiting(self, message_id: str) -> bool:
        return self.is_open and any(steer.message_id == message_id for steer, _ in self._waiting)

    def withdraw(self, message_id: str) -> None:
        """Do not tell it after all."""
        self._waiting = [one for one in self._waiting if one[0].message_id != message_id]

    def take(self) -> Steer | None:
        """For the agent: the oldest that waits, to be yielded before anything is awaited."""
        if not self._waiting:
            return None
        steer, when_taken = self._waiting.pop(0)
        self._taken[steer.message_id] = when_taken
        return steer

    def journaled(self, message_id: str) -> None:
        """What the agent took is in the journal."""
        when_taken = self._taken.pop(message_id, None)
        if when_taken is not None:
            when_taken()


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent is given. `messages` is the whole history, oldest first; the last one is the user's.

    With `continuing`, the last message is instead an answer of the agent's own that was cut off, to be gone on with.
    With `resumes`, the run goes on after a restart: that is all it had said, and its last words wait for a person's.
    `model` is `<provider>/<name>`, as `GET /api/models` lists it. `workspace` is the folder to work in. `steering` is
    what is told to the agent while it works, `permissions` what it asks before it acts, `answers` what a person says to
    the questions that it asked, by their ids. `system_prompt` stands in place of the agent's own instructions, where
    there is one; `parameters` are for its requests to the model. `spend` is asked before each of them.
    `open` reads what is attached to a message, see `attachments_of`; `attach` keeps a picture that the agent gives,
    which is done before an event names it.
    `compaction` stands for the older messages; `compacts` asks for a newer one, and `keep` keeps one that was made.
    """

    session_id: SessionId
    run_id: RunId
    messages: list[Message]
    model: str
    workspace: str | None = None
    system_prompt: str = ""
    parameters: Parameters = Parameters()
    spend: Spend = freely
    open: Open = open_nothing
    attach: Attach = attach_nothing
    compaction: Compaction | None = None
    compacts: bool = False
    keep: Keep = keep_nothing
    continuing: bool = False
    resumes: Transcript | None = None
    steering: Steering = msgspec.field(default_factory=Steering)
    permissions: Permissions = msgspec.field(default_factory=Permissions)
    answers: Replies[str] = msgspec.field(default_factory=Replies)


def just_given(turn: Turn) -> list[Attachment]:
    """What came with the message that is answered now for the first time."""
    if turn.continuing or turn.resumes is not None:
        return []
    return attachments_of(next((one for one in reversed(turn.messages) if is_said(one)), {}))


class Agent(Protocol):
    """Produces events. One object serves many runs at once.

    Held by `tests/agents/conformance.py`, which every agent passes. `can_resume`: whether it can go on, in another
    process, with a run that waits for a person's word; see `Turn.resumes`.
    """

    name: str
    can_resume: bool

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
