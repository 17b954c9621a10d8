"""How long and how much an agent program may take."""

import msgspec

from api.workspace.shell import MOST_S


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds and characters."""

    start_s: float = 60.0
    """From its start to its first answer. A first start of some installs what they need."""
    session_s: float = 120.0
    """To begin a session, or to take one up again: a long one is read from the agent's own disk."""
    silence_s: float = 900.0
    """Nothing reported for so long, while no tool of the agent runs, ends the turn."""
    tool_silence_s: float = 7200.0
    """The same while one runs: a build or a test suite may be long and say nothing. A person is waited for longer."""
    command_s: float = MOST_S
    """A command that the agent has us run is ended after this."""
    cancel_s: float = 2.0
    """A turn that was cancelled must have ended within this, or else the program is ended."""
    end_s: float = 1.0
    """A program is asked to end, and made to after this."""
    idle_s: float = 600.0
    """A program that nobody has used for so long is ended, and its memory given back."""
    ahead_s: float = 60.0
    """The same for one that was started because someone began to type, and then was sent nothing."""
    answer_characters: int = 2_000_000
    waiting_events: int = 1000
    """So many events wait for the journal at most; more wait in the agent's pipe."""
