"""What a run can say: a closed union of small values, each with its number.

Numbers (`seq`) rise by one from 1, without gaps. A run ends with exactly one `run.ended`. An agent yields events with
`seq` 0; the journal gives each its number when it is written, and nobody is shown an event before that.
"""

from typing import Literal

import msgspec

from api.domain.approvals import Choice, Runner, ToolKind
from api.domain.attachments import Attachment

Outcome = Literal["done", "cancelled", "failed", "interrupted"]


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a run failed, for a person: what happened, and what to do next."""

    code: str
    message: str
    hint: str = ""


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a run has used so far. Tokens; `cost` in US dollars, absent where the price is not known."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None


def add_usage(before: Usage | None, more: Usage) -> Usage:
    """Both together; the price is known where each is."""
    if before is None:
        return more
    is_priced = before.cost is not None and more.cost is not None
    return Usage(
        input_tokens=before.input_tokens + more.input_tokens,
        output_tokens=before.output_tokens + more.output_tokens,
        cost=(before.cost or 0) + (more.cost or 0) if is_priced else None,
    )


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """How full a model's window was with the last request: tokens, `window` absent where it is not known.

    `filled` is what the provider counted. The rest tells roughly what it is made of, in estimated tokens.
    """

    filled: int
    window: int | None = None
    instructions: int = 0
    conversation: int = 0
    tool_results: int = 0
    files: int = 0


class PlanEntry(msgspec.Struct, frozen=True):
    text: str
    status: Literal["pending", "in_progress", "completed"]


class _Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    seq: int = 0


class StepStarted(_Event, frozen=True, kw_only=True, tag="step.started"):
    """A request to the model begins. A second `attempt` of a step replaces all that the first one showed."""

    step: int
    attempt: int = 1


class TextDelta(_Event, frozen=True, kw_only=True, tag="text.delta"):
    """The next piece of the answer."""

    text: str


class ThinkingDelta(_Event, frozen=True, kw_only=True, tag="thinking.delta"):
    """The next piece of the model's reasoning. `at_ms`: milliseconds since the run began."""

    text: str
    at_ms: int = 0


class PictureShown(_Event, frozen=True, kw_only=True, tag="picture.shown"):
    """A picture in the answer, kept with the session before this is said."""

    attachment: Attachment


class ToolStarted(_Event, frozen=True, kw_only=True, tag="tool.started"):
    """A tool call appears. Known again by `call_id`; a second one with the same id updates the first.

    `parent`: the call that it is made in, by a sub-agent.
    """

    call_id: str
    name: str
    title: str = ""
    kind: ToolKind | None = None
    parent: str = ""


class ToolArguments(_Event, frozen=True, kw_only=True, tag="tool.arguments"):
    """The next piece of a call's arguments, as JSON text."""

    call_id: str
    text: str


class ToolOutput(_Event, frozen=True, kw_only=True, tag="tool.output"):
    """The next piece of a running call's output."""

    call_id: str
    text: str


class ToolEnded(_Event, frozen=True, kw_only=True, tag="tool.ended"):
    """A call has its result. `duration_ms` is wall time; `diff` is a unified diff of the files it changed.

    `attachments` are pictures that it gave, kept with the session before this is said.
    """

    call_id: str
    output: str = ""
    is_error: bool = False
    duration_ms: int = 0
    diff: str = ""
    attachments: tuple[Attachment, ...] = ()


class ApprovalRequested(_Event, frozen=True, kw_only=True, tag="approval.requested"):
    """May this exact call run? `arguments_sha256` binds the answer to all that is shown, as `approvals.binding` says.

    `kind`, `title`, `folder`, `diff`, `grounds`, `sets_off` and `runner` are those of `approvals.Call`. `changed` names
    those grounds because of which it is asked again.
    """

    approval_id: str
    call_id: str
    name: str
    arguments: str
    arguments_sha256: str
    kind: ToolKind = "other"
    title: str = ""
    folder: str = ""
    diff: str = ""
    grounds: dict[str, str] = {}
    changed: tuple[str, ...] = ()
    sets_off: bool = False
    runner: Runner = ""


class ApprovalResolved(_Event, frozen=True, kw_only=True, tag="approval.resolved"):
    """What a person said, and their `note` to the agent. The call runs after this, or never."""

    approval_id: str
    choice: Choice
    note: str = ""


class QuestionAsked(_Event, frozen=True, kw_only=True, tag="question.asked"):
    """The agent asks the person something."""

    question_id: str
    text: str
    options: tuple[str, ...] = ()


class QuestionAnswered(_Event, frozen=True, kw_only=True, tag="question.answered"):
    """The person has answered."""

    question_id: str
    text: str


class PlanUpdated(_Event, frozen=True, kw_only=True, tag="plan.updated"):
    """The agent's whole plan as it stands now; replaces the one before."""

    entries: tuple[PlanEntry, ...]


class Steered(_Event, frozen=True, kw_only=True, tag="steered"):
    """The agent has taken, before its next step, what a person told it while it worked."""

    message_id: str
    text: str


class UsageUpdated(_Event, frozen=True, kw_only=True, tag="usage.updated"):
    """Totals of the run so far, and how full the model's window was last; replaces the one before."""

    usage: Usage
    context: Context | None = None


class TitleChanged(_Event, frozen=True, kw_only=True, tag="title.changed"):
    title: str


class Notice(_Event, frozen=True, kw_only=True, tag="notice"):
    """Something the person should know that is no failure."""

    code: str
    message: str


class RunEnded(_Event, frozen=True, kw_only=True, tag="run.ended"):
    """The last event of every run. `failure` is there when the outcome is `failed`."""

    outcome: Outcome
    failure: Failure | None = None
    duration_ms: int = 0


Event = (
    StepStarted
    | TextDelta
    | ThinkingDelta
    | PictureShown
    | ToolStarted
    | ToolArguments
    | ToolOutput
    | ToolEnded
    | ApprovalRequested
    | ApprovalResolved
    | QuestionAsked
    | QuestionAnswered
    | PlanUpdated
    | Steered
    | UsageUpdated
    | TitleChanged
    | Notice
    | RunEnded
)

_decoder = msgspec.json.Decoder(Event)
_encoder = msgspec.json.Encoder()


def decode_event(data: bytes | msgspec.Raw) -> Event:
    """The event in `data`.

    Raises:
        msgspec.DecodeError: it is none of the union.
    """
    return _decoder.decode(data)


def encode_event(event: Event) -> bytes:
    return _encoder.encode(event)
