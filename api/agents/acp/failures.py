"""What went wrong with an agent program, as a sentence for a person."""

from api.agents.acp.program import Program
from api.agents.murmur import clean, sentence
from api.domain.events import Failure

_KEPT = "What came is kept. Send it again: the agent is started anew."


class AgentFailed(Exception):
    """An agent program did not do what was asked of it. `failure` says so to a person."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def not_there(name: str) -> Failure:
    message = f"The agent {name!r} is not installed on this machine any more."
    return Failure("agent_not_installed", message, "Choose another one, or look at the agents in Settings.")


def not_started(program: Program, why: str) -> Failure:
    message = f"{program.title} could not be started. {sentence(why)}".rstrip()
    return Failure("agent_not_started", message, "Check it among the agents in Settings, then try again.")


def needs_login(program: Program) -> Failure:
    message = f"{program.title} is not signed in to what it answers with."
    hint = f"Sign in with its own program in a terminal ({program.argv[0]}), then try again."
    return Failure("agent_not_signed_in", message, hint)


def stopped(program: Program, why: str) -> Failure:
    message = f"{program.title} stopped in the middle of its answer. {sentence(why)}".rstrip()
    return Failure("agent_stopped", message, _KEPT)


def silent(program: Program, seconds: float) -> Failure:
    message = f"{program.title} said nothing for {max(1, round(seconds / 60))} minutes, so it was stopped."
    return Failure("agent_silent", message, _KEPT)


def too_much(program: Program, what: str) -> Failure:
    return Failure("answer_too_long", f"{program.title} was stopped: {what}.", "What came is kept.")


def refused(program: Program, words: str) -> Failure:
    said = f": {sentence(words)}" if words else "."
    return Failure("agent_reports", f"{program.title} reports a problem{said}", "See to it, then try again.")


def withheld(program: Program) -> Failure:
    message = f"{program.title} declined to answer."
    return Failure("answer_withheld", message, "Put it in other words, or choose another model.")


def odd_ending(program: Program, reason: object) -> Failure:
    message = f"{program.title} ended its answer for a reason that is not known here ({clean(str(reason))[:60]!r})."
    return Failure("agent_nonsense", message, "What came is kept. Ask it to go on, or update Fireside.")
