"""What a run's events amount to: the one fold from events to what a person reads and what a document keeps.

Folding a prefix and then the rest, with any overlap, equals folding all at once: an event whose number is not the next
one is ignored. The front end's reducer (`web/src/run/`) is its twin; `tests/contract/runs/` holds both to the same
cases.
"""

from collections.abc import Iterable
from typing import Any, Literal, assert_never

import msgspec

from api.domain import events as ev
from api.domain.approvals import Choice, ToolKind
from api.domain.attachments import Attachment, field_of
from api.domain.ids import MessageId, RunId


class TextBlock(msgspec.Struct, tag="text", tag_field="kind"):
    text: str


class ThinkingBlock(msgspec.Struct, tag="thinking", tag_field="kind", omit_defaults=True):
    """Reasoning. `started_ms` and `ended_ms` are milliseconds since the run began."""

    text: str
    started_ms: int = 0
    ended_ms: int = 0


class PictureBlock(msgspec.Struct, tag="picture", tag_field="kind"):
    """A picture in the answer."""

    attachment: Attachment


class ToolBlock(msgspec.Struct, tag="tool", tag_field="kind", omit_defaults=True):
    call_id: str
    name: str
    title: str = ""
    tool_kind: ToolKind | None = None
    arguments: str = ""
    output: str = ""
    state: Literal["running", "done", "error"] = "running"
    duration_ms: int = 0
    diff: str = ""
    approval: Choice | None = None
    """What a person said when they were asked about it."""
    parent: str = ""
    """The call that it was made in, by a sub-agent."""
    attachments: list[Attachment] = []
    """Pictures that it gave."""


class NoticeBlock(msgspec.Struct, tag="notice", tag_field="kind"):
    code: str
    message: str


class SaidBlock(msgspec.Struct, tag="said", tag_field="kind"):
    """What a person told the agent while it worked, where the agent took it."""

    message_id: str
    text: str


Block = TextBlock | ThinkingBlock | PictureBlock | ToolBlock | NoticeBlock | SaidBlock


class Transcript(msgspec.Struct, omit_defaults=True):
    """A run as far as its events tell. `seq` is the number of the last event folded in.

    `steps` holds, for each request to the model, where in `blocks` it begins; a repeated attempt cuts back to there.
    """

    seq: int = 0
    blocks: list[Block] = msgspec.field(default_factory=list)
    steps: dict[int, int] = msgspec.field(default_factory=dict)
    plan: list[ev.PlanEntry] = msgspec.field(default_factory=list)
    pending_approvals: list[ev.ApprovalRequested] = msgspec.field(default_factory=list)
    question: ev.QuestionAsked | None = None
    usage: ev.Usage | None = None
    context: ev.Context | None = None
    title: str | None = None
    outcome: ev.Outcome | None = None
    failure: ev.Failure | None = None
    duration_ms: int = 0

    @property
    def text(self) -> str:
        """The whole answer, without thinking and tools."""
        return "".join(block.text for block in self.blocks if isinstance(block, TextBlock))


def fold(events: Iterable[ev.Event], onto: Transcript | None = None) -> Transcript:
    """Fold `events`, in order, onto a transcript, which is changed in place and returned."""
    transcript = onto if onto is not None else Transcript()
    for event in events:
        if event.seq == transcript.seq + 1:
            _apply(transcript, event)
            transcript.seq = event.seq
    return transcript


def _apply(t: Transcript, event: ev.Event) -> None:
    match event:
        case ev.StepStarted(step=step):
            if step in t.steps:
                # What a person said stays said, whatever the agent makes of it the second time.
                again = t.steps[step]
                t.blocks[again:] = [block for block in t.blocks[again:] if isinstance(block, SaidBlock)]
            t.steps[step] = len(t.blocks)
        case ev.TextDelta(text=text):
            _append_text(t, text)
        case ev.ThinkingDelta(text=text, at_ms=at_ms):
            _append_thinking(t, text, at_ms)
        case ev.PictureShown(attachment=attachment):
            t.blocks.append(PictureBlock(attachment))
        case ev.ToolStarted(call_id=call_id, name=name, title=title):
            block = _tool(t, call_id)
            block.name, block.title = name or block.name, title or block.title
            block.tool_kind = event.kind or block.tool_kind
            block.parent = event.parent or block.parent
        case ev.ToolArguments(call_id=call_id, text=text):
            _tool(t, call_id).arguments += text
        case ev.ToolOutput(call_id=call_id, text=text):
            _tool(t, call_id).output += text
        case ev.ToolEnded(call_id=call_id):
            block = _tool(t, call_id)
            block.output = event.output or block.output
            block.state = "error" if event.is_error else "done"
            block.duration_ms = event.duration_ms
            block.diff = event.diff or block.diff
            block.attachments = list(event.attachments) or block.attachments
        case ev.ApprovalRequested():
            t.pending_approvals.append(event)
        case ev.ApprovalResolved(approval_id=approval_id, choice=choice):
            _resolve(t, approval_id, choice)
        case ev.QuestionAsked():
            t.question = event
        case ev.QuestionAnswered(question_id=question_id):
            if t.question and t.question.question_id == question_id:
                t.question = None
        case ev.PlanUpdated(entries=entries):
            t.plan = list(entries)
        case ev.Steered(message_id=message_id, text=text):
            t.blocks.append(SaidBlock(message_id=message_id, text=text))
        case ev.UsageUpdated(usage=usage):
            t.usage, t.context = usage, event.context or t.context
        case ev.TitleChanged(title=title):
            t.title = title
        case ev.Notice(code=code, message=message):
            t.blocks.append(NoticeBlock(code=code, message=message))
        case ev.RunEnded():
            _end(t, event)
        case _:
            assert_never(event)


def _append_text(t: Transcript, text: str) -> None:
    last = t.blocks[-1] if t.blocks else None
    if isinstance(last, TextBlock) and len(t.blocks) > _step_start(t):
        last.text += text
    else:
        t.blocks.append(TextBlock(text=text))


def _append_thinking(t: Transcript, text: str, at_ms: int) -> None:
    last = t.blocks[-1] if t.blocks else None
    if isinstance(last, ThinkingBlock) and len(t.blocks) > _step_start(t):
        last.text += text
        last.ended_ms = at_ms
    else:
        t.blocks.append(ThinkingBlock(text=text, started_ms=at_ms, ended_ms=at_ms))


def _step_start(t: Transcript) -> int:
    return max(t.steps.values(), default=0)


def _tool(t: Transcript, call_id: str) -> ToolBlock:
    for block in reversed(t.blocks):
        if isinstance(block, ToolBlock) and block.call_id == call_id:
            return block
    block = ToolBlock(call_id=call_id, name="")
    t.blocks.append(block)
    return block


def _resolve(t: Transcript, approval_id: str, choice: Choice) -> None:
    for asked in t.pending_approvals:
        if asked.approval_id == approval_id:
            block = _tool(t, asked.call_id)
            block.name, block.approval = block.name or asked.name, choice
    t.pending_approvals = [one for one in t.pending_approvals if one.approval_id != approval_id]


def _end(t: Transcript, event: ev.RunEnded) -> None:
    t.outcome, t.failure, t.duration_ms = event.outcome, event.failure, event.duration_ms
    t.pending_approvals, t.question = [], None
    for block in t.blocks:
        if isinstance(block, ToolBlock) and block.state == "running":
            block.state = "error"


def messages_of(t: Transcript, run_id: RunId, *, model: str, now: float) -> list[dict[str, Any]]:
    """What an ended run leaves in its session's document, oldest first; `now` in seconds since 1970.

    One assistant message for each stretch of thinking and text with the pictures and tool calls that follow it, then
    one tool message for each call: the shape that model APIs and the ecosystem's session files share. What would stand
    before something that is in a message already begins the next one, and a notice knows its place, so that reading
    them gives the blocks of `t` in their order. What a person told the agent meanwhile is a user message between them,
    with `steered`. Ids derive from the run, so folding twice yields the same messages. The agent has the last word,
    which tells how it ended, if need be an empty one.
    """
    messages: list[dict[str, Any]] = []
    current: dict[str, Any] | None = None
    results: list[dict[str, Any]] = []

    def close() -> None:
        nonlocal current
        messages.extend(results)
        results.clear()
        current = None

    def stretch() -> dict[str, Any]:
        nonlocal current
        if current is None or results:
            close()
            count = sum(message["role"] == "assistant" for message in messages)
            current = {"id": MessageId(f"{run_id}.{count}"), "role": "assistant", "content": "", "timestamp": now}
            current |= {"model": model, "run_id": run_id}
            messages.append(current)
        return current

    def behind(*parts: str) -> dict[str, Any]:
        """The message to add to, which has none of `parts` yet."""
        if current is not None and any(current.get(part) for part in parts):
            close()
        return stretch()

    for block in t.blocks:
        match block:
            case TextBlock(text=text):
                behind("content", "attachments")["content"] = text
            case ThinkingBlock(text=text):
                message = behind("reasoning", "content", "attachments")
                message |= {"reasoning": text, "reasoning_ms": block.ended_ms - block.started_ms}
            case PictureBlock(attachment=attachment):
                stretch().setdefault("attachments", []).append(msgspec.to_builtins(attachment))
            case ToolBlock():
                message = current or stretch()
                call = {"name": block.name, "arguments": block.arguments}
                calls = message.setdefault("tool_calls", [])
                made_in = {"parent": block.parent} if block.parent else {}
                calls.append({"id": block.call_id, "type": "function", "function": call} | made_in)
                results.append(_tool_message(block, run_id, now))
            case NoticeBlock():
                message = current or stretch()
                notice = {"code": block.code, "message": block.message, "at": _parts(message)}
                message.setdefault("notices", []).append(notice)
            case SaidBlock(message_id=message_id, text=text):
                close()
                said = {"id": MessageId(message_id), "role": "user", "content": text, "timestamp": now}
                messages.append(said | {"run_id": run_id, "steered": True})
            case _:
                assert_never(block)
    messages.extend(results)
    results.clear()
    is_answered = bool(messages) and messages[-1]["role"] != "user"
    last = next((m for m in reversed(messages) if m["role"] == "assistant"), None) if is_answered else None
    last = last or stretch()
    last |= _ending(t)
    return messages


def _parts(message: dict[str, Any]) -> int:
    """How many blocks an assistant message amounts to so far, without notices."""
    said = bool(message.get("reasoning")) + bool(message["content"])
    return said + len(message.get("attachments", ())) + len(message.get("tool_calls", ()))


def _tool_message(block: ToolBlock, run_id: RunId, now: float) -> dict[str, Any]:
    message = {"id": MessageId(f"{run_id}.{block.call_id}"), "role": "tool", "tool_call_id": block.call_id}
    message |= {"name": block.name, "content": block.output, "timestamp": now, "run_id": run_id}
    message |= {"duration_ms": block.duration_ms}
    told = {"title": block.title, "kind": block.tool_kind, "diff": block.diff, "approval": block.approval}
    message |= {name: value for name, value in told.items() if value}
    if block.state == "error":
        message["is_error"] = True
    return message | field_of(block.attachments)


def _ending(t: Transcript) -> dict[str, Any]:
    fields: dict[str, Any] = {"outcome": t.outcome, "duration_ms": t.duration_ms}
    if t.plan:
        fields["plan"] = msgspec.to_builtins(t.plan)
    if t.failure:
        fields["failure"] = msgspec.to_builtins(t.failure)
    if t.usage:
        fields["usage"] = msgspec.to_builtins(t.usage)
    if t.context:
        fields["context"] = msgspec.to_builtins(t.context)
    return fields
