"""Which session of an agent program goes with which of ours, also after either of them was started anew."""

import logging
from collections.abc import Callable

import msgspec

from api.agents.providers import DocumentFile
from api.domain.ids import RunId, SessionId
from api.domain.messages import Message

log = logging.getLogger(__name__)


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """The agent's own session for one of ours. `run_id`: the last turn that it was given; `folder`: where it works."""

    agent: str
    acp_session_id: str
    folder: str
    run_id: RunId


class Memory:
    """`file_of` gives the file for one of our sessions; `forget` removes what is kept of it. Both block."""

    def __init__(self, file_of: Callable[[SessionId], DocumentFile]) -> None:
        self._file_of = file_of

    def recall(self, session_id: SessionId) -> Held | None:
        try:
            return msgspec.convert(self._file_of(session_id).read(), Held)
        except msgspec.ValidationError:
            return None

    def remember(self, session_id: SessionId, held: Held) -> None:
        """Keep it. Where the disk refuses, the next process is told the conversation as text instead."""
        try:
            self._file_of(session_id).write(msgspec.to_builtins(held))
        except OSError as error:
            log.warning("acp.not_remembered", extra={"session_id": session_id, "errno": error.errno})


def is_own_turn(messages: list[Message], run_id: RunId, *, continuing: bool) -> bool:
    """Is this a turn of the conversation itself? A question aside or a task in the background is in no message yet."""
    return continuing or messages[-1].get("run_id") == run_id


def missed(messages: list[Message], last_run: RunId) -> list[Message] | None:
    """What of `messages` came after the turn `last_run`; None when that is not among them.

    What comes before a turn is what it was given: an edit above it would have taken it away too.
    """
    positions = (n for n in range(len(messages) - 1, -1, -1) if messages[n].get("run_id") == last_run)
    position = next(positions, None)
    return None if position is None else messages[position + 1 :]
