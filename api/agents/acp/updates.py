"""From what an agent program reports of its turn to events. Tool calls are known again by their id, however they come.

Ids of calls are made here: those of the programs may be anything, and some change while a call goes on.
"""

import json
import logging
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from api.agents.acp.pictures import Said, Sent, data_of, raw_data_of
from api.domain import events as ev
from api.domain.approvals import ToolKind
from api.domain.messages import clean_text, line_of
from api.domain.transcript import ToolBlock, Transcript
from api.tools.pictures import MOST_OF_A_CALL
from api.workspace.diffs import unified

if TYPE_CHECKING:
    from acp import schema

log = logging.getLogger(__name__)

KINDS: dict[str, ToolKind] = {
    "read": "read",
    "search": "read",
    "edit": "edit",
    "delete": "edit",
    "move": "edit",
    "execute": "execute",
    "fetch": "fetch",
}
_MOST_OUTPUT = 200_000
_CREDIBLE = 1 << 53
_CUT = "\n(cut: there was more)"
_FENCED = re.compile(r"(?P<fence>```+)[^`\n]*\n(?P<code>.*?)\n?(?P=fence)", re.DOTALL)


class Call(msgspec.Struct):
    """A tool call as far as it was reported. `call_id` is ours; `shown` is the output that was sent as it came.

    `edits` are the new contents of files by their paths, `diffs` what changes in them, `paths` what the call is about.
    `pictures`, as base64, were not said yet; `seen` are hashes of all that there were.
    `title` is a line, `told_title` all of it.
    """

    call_id: str
    name: str = ""
    title: str = ""
    told_title: str = ""
    kind: ToolKind | None = None
    arguments: str = ""
    text: str = ""
    diffs: dict[str, str] = msgspec.field(default_factory=dict)
    edits: dict[str, str] = msgspec.field(default_factory=dict)
    terminals: list[str] = msgspec.field(default_factory=list)
    pictures: list[str] = msgspec.field(default_factory=list)
    seen: set[int] = msgspec.field(default_factory=set)
    paths: list[str] = msgspec.field(default_factory=list)
    shown: str = ""
    announced: ev.ToolStarted | None = None
    has_shown_arguments: bool = False
    has_ended: bool = False
    began: float = msgspec.field(default_factory=time.monotonic)

    @property
    def diff(self) -> str:
        return "".join(self.diffs.values())

    @property
    def whole(self) -> str:
        """All there is to decide by, but for changes of files: some tell the command in the title only."""
        return self.arguments or "\n".join(filter(None, (self.told_title or self.title, self.text)))

    @property
    def says_nothing(self) -> bool:
        """Would a person who is asked about it see nothing to decide by?"""
        return not (self.whole or self.diffs)


class Updates:
    """The events of one turn. `title` is how the agent is called; `resumes`, what it had said before a restart."""

    def __init__(self, title: str, folder: Path, *, resumes: Transcript | None = None) -> None:
        self._title = title
        self._folder = folder
        self._began = time.monotonic()
        self._calls: dict[str, Call] = {}
        self._left = [one for one in (resumes.blocks if resumes else ()) if isinstance(one, ToolBlock)]
        self._count = len(self._left)
        self._left = [one for one in self._left if one.state == "running"]
        self._mode_id = ""
        self._modes: dict[str, str] = {}
        self._has_remarked = False
        self._pictures = 0
        self.characters = 0
        self.cost: float | None = None
        self.tokens = (0, 0)
        self.context: ev.Context | None = None

    @property
    def has_open_call(self) -> bool:
        return any(not call.has_ended for call in self._calls.values())

    def know_modes(self, modes: dict[str, str], current: str) -> None:
        """The modes that the agent has, by id with their names, and the one that it is in."""
        self._modes, self._mode_id = modes, current

    def hear(self, update: Any) -> list[Said]:
        """The events that a `SessionNotification`'s update amounts to."""
        match update.session_update:
            case "agent_message_chunk":
                return self._text(update.content)
            case "agent_thought_chunk":
                return self._thought(update.content)
            case "tool_call" | "tool_call_update":
                return self._tool(update)
            case "plan":
                return [_plan(update.entries)]
            case "plan_update":
                return [_plan(update.plan.entries)] if update.plan.type == "items" else []
            case "plan_removed":
                return [ev.PlanUpdated(entries=())]
            case "session_info_update":
                title = line_of(update.title or "")
                return self._counted([ev.TitleChanged(title=title)]) if title else []
            case "usage_update":
                self._note_cost(update.cost)
                self._note_context(update.used, update.size)
            case "current_mode_update":
                return self._mode(update.current_mode_id)
        return []

    def take_usage(self, usage: Any) -> None:
        """The tokens of the turn, as the answer to its prompt may tell them."""
        told = usage if isinstance(usage, dict) else {}
        given, made = told.get("inputTokens"), told.get("outputTokens")
        if isinstance(given, int) and isinstance(made, int) and 0 <= min(given, made) <= max(given, made) < _CREDIBLE:
            self.tokens = (given, made)

    def asked(self, tool_call: Any) -> tuple[Call, Call]:
        """The call that a `ToolCallUpdate` asks about, and what exactly is asked.

        Some agents ask under an id of its own, which then is taken to mean the latest open call of that kind; what is
        asked is what the question says, and nothing of that call.
        """
        self._begin_anew(tool_call)
        if tool_call.tool_call_id in self._calls:
            call = about = self.call(tool_call.tool_call_id)
            self._take(about, tool_call)
            return call, about
        about = Call(call_id="")
        self._take(about, tool_call)
        meant = self.open_call(about.kind or "other")
        call = self._calls[tool_call.tool_call_id] = meant or self.call(tool_call.tool_call_id)
        about.call_id = call.call_id
        about.name = about.name or call.name
        self._take(call, tool_call, keeps_title=True)
        return call, about

    def call(self, tool_call_id: str) -> Call:
        """The call of that id; one that was not heard of begins with that."""
        if tool_call_id not in self._calls:
            self._count += 1
            self._calls[tool_call_id] = Call(call_id=f"call-{self._count}")
        return self._calls[tool_call_id]

    def open_call(self, kind: ToolKind) -> Call | None:
        """The latest call of this kind that has not ended: what a request of the agent most likely belongs to."""
        return next((one for one in reversed(self._calls.values()) if one.kind == kind and not one.has_ended), None)

    def show(self, call: Call, *, with_arguments: bool = True) -> list[Said]:
        """Everything of `call` that is known and was not said yet. Its arguments cannot be changed once they are."""
        events: list[Said] = []
        started = ev.ToolStarted(
            call_id=call.call_id, name=call.name or call.kind or "tool", title=call.title, kind=call.kind
        )
        if started != call.announced:
            call.announced = started
            events.append(started)
        if with_arguments:
            events += self._arguments(call)
        for number, data in enumerate(call.pictures, start=len(call.seen) - len(call.pictures) + 1):
            events.append(Sent(call.call_id, data, call.name or "picture", number))
        call.pictures = []
        return self._counted(events)

    def end(self, call: Call, *, is_error: bool) -> list[Said]:
        """The end of `call`, with what it has come to."""
        events = self.show(call)
        call.has_ended = True
        output, call.shown = "" if call.text == call.shown else call.text, call.text
        took_ms = int((time.monotonic() - call.began) * 1000)
        ended = ev.ToolEnded(
            call_id=call.call_id, output=output, is_error=is_error, duration_ms=took_ms, diff=call.diff
        )
        return [*events, *self._counted([ended])]

    def terminal_output(self, terminal_id: str, text: str) -> list[Said]:
        """What a command of the agent's has put out, where a call shows its terminal."""
        calls = (one for one in self._calls.values() if terminal_id in one.terminals and not one.has_ended)
        return [event for call in calls for event in self._output(call, call.text + clean_text(text))]

    def close(self, *, is_error: bool) -> list[Said]:
        """End every call that is open: some agents never say that one has."""
        still_open = {call.call_id: call for call in self._calls.values() if not call.has_ended}.values()
        return [event for call in still_open for event in self.end(call, is_error=is_error)]

    def _arguments(self, call: Call) -> list[Said]:
        if call.has_shown_arguments or not call.arguments:
            return []
        call.has_shown_arguments = True
        return [ev.ToolArguments(call_id=call.call_id, text=call.arguments)]

    def _text(self, content: Any) -> list[Said]:
        if (data := data_of(content)) is not None:
            self._pictures += 1
            self.characters += 1
            return [Sent("", data, "picture", self._pictures)]
        if content.type == "audio":
            return self._remark()
        text = clean_text(_text_of(content))
        return self._counted([ev.TextDelta(text=text)]) if text else []

    def _thought(self, content: Any) -> list[Said]:
        text = clean_text(_text_of(content))
        at_ms = int((time.monotonic() - self._began) * 1000)
        return self._counted([ev.ThinkingDelta(text=text, at_ms=at_ms)]) if text else []

    def _remark(self) -> list[Said]:
        """Said once, not for each."""
        if self._has_remarked:
            return []
        self._has_remarked = True
        return [ev.Notice(code="not_shown", message=f"{self._title} sent a sound, which cannot be played here.")]

    def _tool(self, update: "schema.ToolCallStart | schema.ToolCallProgress") -> list[Said]:
        self._begin_anew(update)
        is_new = update.tool_call_id not in self._calls
        call = self.call(update.tool_call_id)
        self._take(call, update)
        if is_new:
            self._take_up(call)
        # An agent that has only announced a call may still tell other arguments.
        is_running = update.status in ("in_progress", "completed", "failed") or bool(call.text)
        has_news = not call.has_ended or call.text != call.shown or bool(call.pictures)
        events = self.show(call, with_arguments=is_running)
        if update.content is not None or _chunk(update.field_meta) or call.has_ended:
            events += self._output(call, call.text)
        if update.status in ("completed", "failed") and has_news:
            events += self.end(call, is_error=update.status == "failed")
        return events

    def _begin_anew(self, update: Any) -> None:
        """Some models count their calls from nothing with each request: the id of an ended call then is another's."""
        call = self._calls.get(update.tool_call_id)
        if call is not None and call.has_ended and update.status not in ("completed", "failed"):
            given = "" if update.raw_input in (None, {}, "") else _arguments(update.raw_input)
            if (update.title and line_of(update.title) != call.title) or (given and given != call.arguments):
                del self._calls[update.tool_call_id]

    def _take(self, call: Call, update: Any, *, keeps_title: bool = False) -> None:
        """Put into `call` what a `ToolCallUpdate` says of it. What it does not say stays."""
        if update.title and not (keeps_title and call.title):
            call.title = line_of(update.title)
            call.told_title = _cut(clean_text(update.title))
        if update.kind:
            call.kind = KINDS.get(update.kind, "other")
        call.name = _name(update.field_meta) or call.name
        if update.raw_input not in (None, {}, ""):
            call.arguments = _arguments(update.raw_input)
        if update.locations is not None:
            call.paths = [one.path for one in update.locations]
        if update.content is not None:
            self._take_content(call, update.content)
        call.text = _cut(call.text + _chunk(update.field_meta))
        if update.raw_output is not None and not call.text and not call.diffs:
            call.text = _cut(_raw_result(call, update.raw_output))

    def _take_content(self, call: Call, content: Iterable[Any]) -> None:
        texts = []
        for item in content:
            match item.type:
                case "content":
                    texts.append(_text_of(item.content) or f"({item.content.type})")
                    _take_picture(call, data_of(item.content))
                case "diff":
                    path = self._shown(item.path)
                    call.edits[path] = item.new_text
                    call.diffs[path] = clean_text(unified(path, item.old_text, item.new_text))
                case "terminal" if item.terminal_id not in call.terminals:
                    call.terminals.append(item.terminal_id)
        if texts:
            call.text = _cut(_unfenced(clean_text("\n".join(texts))))

    def _shown(self, path: str) -> str:
        """A path as it is shown: relative to the folder, where it is written as one below it."""
        name = line_of(path, 1000)
        return str(Path(name).relative_to(self._folder)) if Path(name).is_relative_to(self._folder) else name

    def _take_up(self, call: Call) -> None:
        """Go on with the block of a call that a restart cut off, when this is the same."""
        for block in self._left:
            if (block.title, block.arguments) == (call.title, call.arguments):
                call.call_id, call.has_shown_arguments = block.call_id, bool(block.arguments)
                self._left.remove(block)
                return

    def _output(self, call: Call, text: str) -> list[Said]:
        """The new end of an output; one that was changed elsewhere is said as a whole when the call ends."""
        call.text = _cut(text)
        if call.has_ended or not call.text.startswith(call.shown) or call.text == call.shown:
            return []
        new, call.shown = call.text[len(call.shown) :], call.text
        return self._counted([ev.ToolOutput(call_id=call.call_id, text=new)])

    def _mode(self, mode_id: str) -> list[Said]:
        if mode_id == self._mode_id:
            return []
        self._mode_id = mode_id
        name = line_of(self._modes.get(mode_id, mode_id))
        message = f"{self._title} has gone into its mode “{name}”."
        return self._counted([ev.Notice(code="agent_mode", message=message)])

    def _note_cost(self, cost: Any) -> None:
        if cost is not None and cost.currency == "USD" and cost.amount >= 0:
            self.cost = cost.amount

    def _note_context(self, used: int, size: int) -> None:
        if 0 < used < _CREDIBLE:
            self.context = ev.Context(filled=used, window=size if 0 < size < _CREDIBLE else None)

    def _counted(self, events: list[Said]) -> list[Said]:
        for event in events:
            match event:
                case ev.TextDelta(text=text) | ev.ThinkingDelta(text=text):
                    self.characters += len(text)
                case ev.ToolArguments(text=text) | ev.ToolOutput(text=text):
                    self.characters += len(text)
                case ev.ToolEnded(output=output, diff=diff):
                    self.characters += len(output) + len(diff)
                case ev.ToolStarted(title=text) | ev.TitleChanged(title=text) | ev.Notice(message=text):
                    self.characters += len(text) + 1
        return events


def _take_picture(call: Call, data: str | None) -> None:
    """Some agents tell all of a call again with each step of it."""
    if data is not None and hash(data) not in call.seen and len(call.seen) < MOST_OF_A_CALL:
        call.seen.add(hash(data))
        call.pictures.append(data)


def _text_of(content: Any) -> str:
    match content.type:
        case "text":
            return content.text
        case "resource_link":
            return f"[{line_of(content.title or content.name)}]({line_of(content.uri, 2000)})"
        case "resource":
            return getattr(content.resource, "text", "") or ""
    return ""


def _raw_result(call: Call, value: Any) -> str:
    """A result as the tool gave it, which may be that of an MCP server with pictures: those are taken out of it."""
    blocks = value.get("content") if isinstance(value, dict) else None
    if not isinstance(blocks, list):
        return _raw_text(value)
    texts: list[str] = []
    for block in blocks:
        data = raw_data_of(block)
        _take_picture(call, data)
        texts.append(_raw_text(block) if data is None else "(image)")
    return "\n".join(texts)


def _raw_text(value: Any) -> str:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        for key in ("output", "stdout", "text", "content", "error"):
            if isinstance(text := value.get(key), str) and text:
                return clean_text(text)
    return _json(value)


def _arguments(raw: Any) -> str:
    return clean_text(raw) if isinstance(raw, str) else _json(raw)


def _json(value: Any) -> str:
    return clean_text(json.dumps(value, ensure_ascii=False))


def _name(meta: dict[str, Any] | None) -> str:
    """The tool's own name, where the agent tells it beside the protocol."""
    for told in (meta or {}).values():
        name = told.get("toolName") if isinstance(told, dict) else None
        if isinstance(name, str):
            return line_of(name, 80)
    return ""


def _plan(entries: Iterable[Any]) -> ev.PlanUpdated:
    shown = [ev.PlanEntry(text=line_of(one.content, 500), status=one.status) for one in entries]
    return ev.PlanUpdated(entries=tuple(shown[:200]))


def _chunk(meta: Any) -> str:
    """What a command has put out since the last update. No part of the protocol: Codex tells it so, as Zed asked."""
    told = meta if isinstance(meta, dict) else {}
    chunk = told.get("terminal_output_delta") or told.get("terminal_output")
    data = chunk.get("data") if isinstance(chunk, dict) else None
    return clean_text(data) if isinstance(data, str) else ""


def _unfenced(text: str) -> str:
    """What is one block of code as a whole is shown as such anyway."""
    block = _FENCED.fullmatch(text.strip())
    return block["code"] if block and block["fence"] not in block["code"] else text


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_OUTPUT else text[: _MOST_OUTPUT - len(_CUT)] + _CUT
