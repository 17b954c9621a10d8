"""The scripted agent: says exactly what the last user message tells it to. For trying, testing and showing.

The message is the script, one instruction a line; `docs/scripted-agent.md` lists them. A message without any is echoed
word by word. The same script gives the same events every time.
"""

import asyncio
import hashlib
import json
import re
import struct
import zlib
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from itertools import chain
from typing import get_args

from api.agents.base import Turn
from api.agents.permissions import Asked
from api.domain import events as ev
from api.domain.approvals import Call, ToolKind
from api.domain.attachments import Attachment, attachments_of
from api.domain.errors import AppError
from api.domain.messages import Message, is_said, text_of

MODEL = "scripted/script"

_ENDINGS = ("fail", "crash", "hang", "end")
_KINDS: tuple[ToolKind, ...] = get_args(ToolKind)
_LARGEST = 2000
_STATUSES = get_args(ev.PlanEntry.__annotations__["status"])


class ScriptError(Exception):
    """A line that is no instruction; the text is a sentence."""


class Pause:
    """Nothing is said for `seconds`; None means for ever."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds


class Crash:
    """The agent breaks its promise and raises."""


class Ask:
    """May this call run? A no ends it."""

    def __init__(self, call: Call) -> None:
        self.call = call


class Question:
    """Asks the person, and says what they answer."""

    def __init__(self, asked: ev.QuestionAsked) -> None:
        self.asked = asked


class Attached:
    """Says what is attached to the message."""


class Picture:
    """Shows a field of one colour, so large in pixels."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height


Step = ev.Event | Pause | Crash | Ask | Question | Attached | Picture


class ScriptedAgent:
    """`pace_s`: seconds between two words, until the script's own `@@pace` says otherwise."""

    name = "scripted"
    can_resume = True

    def __init__(self, *, pace_s: float = 0.0) -> None:
        self._pace_s = pace_s

    async def run(self, turn: Turn) -> AsyncGenerator[ev.Event, None]:
        refusals: dict[str, str] = {}
        try:
            for step in _not_done_yet(turn, _steered(turn, _steps(turn, self._pace_s), self._pace_s)):
                async with aclosing(_perform(turn, step, refusals)) as events:
                    async for event in events:
                        yield event
                if isinstance(step, ev.RunEnded):
                    return
                await asyncio.sleep(0)
        except ScriptError as error:
            failure = ev.Failure("bad_script", str(error), "Correct that line and send the script again.")
            yield ev.RunEnded(outcome="failed", failure=failure)

    async def prepare(self, model: str = "") -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to end."""


async def _perform(turn: Turn, step: Step, refusals: dict[str, str]) -> AsyncGenerator[ev.Event, None]:
    """What comes of a step. `refusals`: by the id of a call that was not allowed, what it has as its result."""
    match step:
        case Crash():
            raise RuntimeError("The script asked for a crash.")
        case Pause(seconds=seconds):
            await _pause(seconds)
        case Ask(call=call):
            asked = await turn.permissions.request(call)
            while isinstance(asked, Asked):
                if asked.event:
                    yield asked.event
                asked = await turn.permissions.confirm(asked, await turn.permissions.decided(asked.approval_id))
            if not asked.allows:
                refusals[call.call_id] = f"Not allowed. {asked.note}".strip()
        case Question(asked=asked):
            if not _is_asked_again(turn, asked):
                yield asked
            yield ev.TextDelta(text=f"{await turn.answers.wait(asked.question_id)}\n")
        case Attached():
            for one in attachments_of(_script_of(turn)):
                yield ev.TextDelta(text=f"{await asyncio.to_thread(_described, turn, one)}\n")
        case Picture(width=width, height=height):
            try:
                yield ev.PictureShown(attachment=await asyncio.to_thread(_field, turn, width, height))
            except AppError as error:
                yield ev.Notice(code="not_shown", message=error.message)
        case ev.ToolEnded(call_id=call_id) if call_id in refusals:
            yield ev.ToolEnded(call_id=call_id, output=refusals[call_id], is_error=True)
        case _:
            yield step


def _not_done_yet(turn: Turn, steps: Iterator[Step]) -> Iterator[Step]:
    """The steps from what the run waited for when a restart cut it, where it goes on after one."""
    if turn.resumes is None:
        return steps
    asked = {one.call_id for one in turn.resumes.pending_approvals}
    for step in steps:
        is_due = isinstance(step, Ask) and step.call.call_id in asked
        if is_due or (isinstance(step, Question) and _is_asked_again(turn, step.asked)):
            return chain([step], steps)
    return steps


def _described(turn: Turn, one: Attachment) -> str:
    try:
        told = f"sha256 {hashlib.sha256(turn.open(one)).hexdigest()[:12]}"
    except OSError:
        told = "gone"
    return f"[{one.name} | {one.media_type} | {one.size} bytes | {told}]"


def _is_asked_again(turn: Turn, asked: ev.QuestionAsked) -> bool:
    before = turn.resumes.question if turn.resumes else None
    return before is not None and before.question_id == asked.question_id


async def _pause(seconds: float | None) -> None:
    if seconds is None:
        await asyncio.Event().wait()
    else:
        await asyncio.sleep(seconds)


def _steps(turn: Turn, pace_s: float) -> Iterator[Step]:
    said = [position for position, message in enumerate(turn.messages) if is_said(message)]
    script = text_of(_script_of(turn))
    if not turn.continuing:
        steps = read_script(script, pace_s=pace_s)
        return steps if _has_instructions(script) else chain([Attached()], steps)
    answers = (one for one in turn.messages[said[-1] + 1 :] if one.get("role") == "assistant")
    return _rest(script, said=sum(len(text_of(one)) for one in answers), pace_s=pace_s)


def _script_of(turn: Turn) -> Message:
    return next((one for one in reversed(turn.messages) if is_said(one)), {})


def _has_instructions(script: str) -> bool:
    return re.search(r"^@@", script, re.MULTILINE) is not None


def _steered(turn: Turn, steps: Iterator[Step], pace_s: float) -> Iterator[Step]:
    """The steps, and before each `@@step` what the person told it meanwhile, which is then done as a script is."""
    left = len(re.findall(r"^@@step\b", text_of(_script_of(turn)), re.MULTILINE))
    turn.steering.is_open = left > 0
    for step in steps:
        if not isinstance(step, ev.StepStarted):
            yield step
            continue
        left -= 1
        told: list[str] = []
        while steer := turn.steering.take():
            told.append(steer.text)
            yield ev.Steered(message_id=steer.message_id, text=steer.text)
        turn.steering.is_open = left > 0
        yield step
        for text in told:
            yield from read_script(f"{text}\n", pace_s=pace_s)


def _rest(script: str, *, said: int, pace_s: float) -> Iterator[Step]:
    """What is left of a script after `said` characters of text. What ended it the first time is passed over."""
    lines = (line for line in script.split("\n") if not line.startswith(tuple(f"@@{word}" for word in _ENDINGS)))
    for step in read_script("\n".join(lines), pace_s=pace_s):
        if said == 0:
            yield step
        elif isinstance(step, ev.TextDelta):
            rest, said = step.text[said:], max(0, said - len(step.text))
            if rest:
                yield ev.TextDelta(text=rest)


def read_script(script: str, *, pace_s: float = 0.0) -> Iterator[Step]:
    """The steps that `script` asks for, in order.

    Raises:
        ScriptError: while iterating, at the first line that cannot be understood.
    """
    if not _has_instructions(script):
        yield from _words(ev.TextDelta, script, pace_s)
        return
    reader = _Reader(pace_s)
    for number, line in enumerate(script.removesuffix("\n").split("\n"), start=1):
        if not line.startswith("@@"):
            yield from _words(ev.TextDelta, f"{line}\n", reader.pace_s)
            continue
        name, _, rest = line[2:].partition(" ")
        instruction: Callable[[str], Iterator[Step]] | None = getattr(reader, f"do_{name}", None)
        if instruction is None:
            raise ScriptError(f"Line {number} of the script asks for @@{name}, which the scripted agent does not know.")
        try:
            yield from instruction(rest)
        except (ValueError, IndexError) as error:
            raise ScriptError(f"Line {number} of the script, @@{name}, cannot be read: {error}.") from error
    yield from reader.close_call("")


def _words(kind: Callable[..., ev.Event], text: str, pace_s: float) -> Iterator[Step]:
    """Each word with the white space after it, so that joined they are the text again."""
    for word in re.findall(r"\s*\S+\s*|\s+", text):
        yield kind(text=word)
        if pace_s:
            yield Pause(pace_s)


class _Reader:
    """One method for each instruction: `do_<word>`, given the rest of its line."""

    def __init__(self, pace_s: float) -> None:
        self.pace_s = pace_s
        self._elapsed_ms = 0
        self._calls = 0
        self._open_call = ""
        self._diff = ""
        self._questions = 0

    def do_text(self, rest: str) -> Iterator[Step]:
        yield from _words(ev.TextDelta, rest.replace("\\n", "\n"), self.pace_s)

    def do_think(self, rest: str) -> Iterator[Step]:
        for word in _words(ev.ThinkingDelta, rest.replace("\\n", "\n"), self.pace_s):
            if isinstance(word, ev.ThinkingDelta):
                yield ev.ThinkingDelta(text=word.text, at_ms=self._elapsed_ms)
                self._elapsed_ms += int(self.pace_s * 1000)
            else:
                yield word

    def do_repeat(self, rest: str) -> Iterator[Step]:
        count, _, text = rest.partition(" ")
        for _ in range(int(count)):
            yield ev.TextDelta(text=text.replace("\\n", "\n"))
            if self.pace_s:
                yield Pause(self.pace_s)

    def do_pace(self, rest: str) -> Iterator[Step]:
        self.pace_s = _seconds(rest)
        yield from ()

    def do_delay(self, rest: str) -> Iterator[Step]:
        seconds = _seconds(rest)
        self._elapsed_ms += int(seconds * 1000)
        yield Pause(seconds)

    def do_step(self, rest: str) -> Iterator[Step]:
        step, _, attempt = rest.partition(" ")
        yield ev.StepStarted(step=int(step), attempt=int(attempt or 1))

    def do_tool(self, rest: str) -> Iterator[Step]:
        yield from self.close_call("")
        name, arguments = _call(rest)
        self._calls += 1
        self._open_call = f"call-{self._calls}"
        yield ev.ToolStarted(call_id=self._open_call, name=name, title=name)
        yield ev.ToolArguments(call_id=self._open_call, text=arguments)

    def do_output(self, rest: str) -> Iterator[Step]:
        yield ev.ToolOutput(call_id=self._call_id(), text=rest.replace("\\n", "\n") + "\n")

    def do_result(self, rest: str) -> Iterator[Step]:
        self._call_id()
        yield from self.close_call(rest.replace("\\n", "\n"))

    def do_error(self, rest: str) -> Iterator[Step]:
        self._call_id()
        yield from self.close_call(rest.replace("\\n", "\n"), is_error=True)

    def do_approval(self, rest: str) -> Iterator[Step]:
        kind, _, rest = rest.strip().partition(" ")
        known = next((one for one in _KINDS if one == kind), None)
        if known is None:
            raise ValueError(f"it begins with one of {', '.join(_KINDS)}")
        name, arguments = _call(rest)
        yield Ask(Call(call_id=self._call_id(), name=name, kind=known, arguments=arguments, diff=self._diff))

    def do_diff(self, rest: str) -> Iterator[Step]:
        self._call_id()
        self._diff = rest.replace("\\n", "\n") + "\n"
        yield from ()

    def do_attached(self, rest: str) -> Iterator[Step]:
        yield Attached()

    def do_picture(self, rest: str) -> Iterator[Step]:
        width, height = map(int, rest.split())
        if not 0 < min(width, height) <= max(width, height) <= _LARGEST:
            raise ValueError(f"it takes a width and a height from 1 to {_LARGEST}")
        yield Picture(width, height)

    def do_ask(self, rest: str) -> Iterator[Step]:
        text, *options = (part.strip() for part in rest.split("|"))
        self._questions += 1
        question_id = f"question-{self._questions}"
        yield Question(ev.QuestionAsked(question_id=question_id, text=text, options=tuple(options)))

    def do_plan(self, rest: str) -> Iterator[Step]:
        yield ev.PlanUpdated(entries=tuple(map(_plan_entry, rest.split("|"))))

    def do_usage(self, rest: str) -> Iterator[Step]:
        given, made, *cost = rest.split()
        usage = ev.Usage(input_tokens=int(given), output_tokens=int(made), cost=float(cost[0]) if cost else None)
        yield ev.UsageUpdated(usage=usage)

    def do_title(self, rest: str) -> Iterator[Step]:
        yield ev.TitleChanged(title=rest)

    def do_notice(self, rest: str) -> Iterator[Step]:
        yield ev.Notice(code="scripted", message=rest)

    def do_fail(self, rest: str) -> Iterator[Step]:
        code, _, sentence = rest.partition(" ")
        failure = ev.Failure(code or "scripted", sentence or "The script asked for a failure.", "Try again.")
        yield ev.RunEnded(outcome="failed", failure=failure)

    def do_end(self, rest: str) -> Iterator[Step]:
        if rest not in ("done", "cancelled"):
            raise ValueError("it takes done or cancelled")
        yield ev.RunEnded(outcome=rest)

    def do_crash(self, rest: str) -> Iterator[Step]:
        yield Crash()

    def do_hang(self, rest: str) -> Iterator[Step]:
        yield Pause(None)

    def close_call(self, output: str, *, is_error: bool = False) -> Iterator[Step]:
        if self._open_call:
            yield ev.ToolEnded(call_id=self._open_call, output=output, is_error=is_error, diff=self._diff)
            self._open_call = self._diff = ""

    def _call_id(self) -> str:
        if not self._open_call:
            raise ValueError("no @@tool is open before it")
        return self._open_call


def _field(turn: Turn, width: int, height: int) -> Attachment:
    return turn.attach("field.png", _png(width, height))


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\xdd\x6a\x32" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _seconds(rest: str) -> float:
    seconds = float(rest)
    if not 0 <= seconds <= 86_400:
        raise ValueError("it takes seconds from 0 to 86400")
    return seconds


def _call(rest: str) -> tuple[str, str]:
    """Name and arguments; the arguments are kept as they were written, so that bad JSON can be shown too."""
    name, _, arguments = rest.strip().partition(" ")
    if not name:
        raise ValueError("it takes a name and arguments")
    return name, arguments or json.dumps({})


def _plan_entry(part: str) -> ev.PlanEntry:
    word, _, text = part.strip().partition(" ")
    status = next((one for one in _STATUSES if one == word), None)
    if status is None:
        raise ValueError(f"each entry begins with one of {', '.join(_STATUSES)}")
    return ev.PlanEntry(text=text, status=status)
