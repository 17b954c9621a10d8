"""Sub-agents: a piece of work that is done apart, with the same tools, and of which only the outcome is read."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated, Any

import msgspec

from api.agents.base import Turn
from api.agents.native.own_tools import OwnTool, misread
from api.domain import events as ev
from api.tools.base import Result

INSTRUCTIONS = (
    "You do one piece of work for another agent, which reads only your last answer. Do it to the end without asking, "
    "and then tell what you found or changed, to the point, with the names of files."
)

Begin = Callable[[str, str], AsyncGenerator[ev.Event, None]]
"""The run of a sub-agent, for the id of the call that it is made in and what it is to do."""


class _Arguments(msgspec.Struct, forbid_unknown_fields=True):
    task: Annotated[str, msgspec.Meta(min_length=1, description="All that it needs to know: it sees nothing else.")]
    title: Annotated[str, msgspec.Meta(description="What it does, in a few words, for the person.")] = ""


class Delegate(OwnTool):
    """`begin` is given once the run that it belongs to is there."""

    name = "delegate"
    description = (
        "Give a piece of work to a sub-agent, which has your tools for files, commands and pages, but knows nothing of "
        "what was said here. For looking through much of which you need little."
    )
    schema = msgspec.json.schema(_Arguments)
    works_apart = True

    def __init__(self) -> None:
        self.begin: Begin | None = None

    def title(self, arguments: dict[str, Any]) -> str:
        return str(arguments.get("title") or arguments.get("task") or "Delegate")[:200]

    async def act(self, turn: Turn, call_id: str, arguments: dict[str, Any]) -> AsyncGenerator[ev.Event | Result, None]:
        try:
            wanted = msgspec.convert(arguments, _Arguments)
        except msgspec.ValidationError as error:
            yield misread(error)
            return
        if self.begin is None:
            yield Result("Not done: the run was cut off. Ask for it again.", is_error=True)
            return
        answer, failure = "", None
        async with aclosing(self.begin(call_id, wanted.task)) as events:
            async for event in events:
                match event:
                    case ev.StepStarted():
                        answer = ""  # what was said on the way to the last step is no outcome
                    case ev.TextDelta(text=text):
                        answer += text
                        yield ev.ToolOutput(call_id=call_id, text=text)
                    case ev.ToolStarted():
                        yield msgspec.structs.replace(event, parent=call_id)
                    case ev.RunEnded():
                        failure = event.failure
                    case ev.Notice(message=message):
                        yield ev.ToolOutput(call_id=call_id, text=f"\n[{message}]\n")
                    case ev.ThinkingDelta():
                        pass
                    case _:
                        yield event
        if failure is not None:
            yield Result(f"{answer}\n\n[It broke off: {failure.message}]".strip(), is_error=True)
        else:
            yield Result(answer or "It ended without a word.")
