"""Tools of the built-in agent that are about the conversation itself: its plan, and questions to the person."""

from collections.abc import AsyncGenerator
from typing import Any, Literal

import msgspec

from api.agents.base import Turn
from api.domain import events as ev
from api.domain.approvals import ToolKind
from api.tools.base import Result


class OwnTool:
    """As `tools.base.Tool`, but that it says events, and last its result.

    `works_apart`: several calls of it, made together, are done side by side.
    """

    name: str
    description: str
    schema: dict[str, Any]
    kind: ToolKind = "read"
    works_apart = False

    def title(self, arguments: dict[str, Any]) -> str:
        """See `tools.base.Tool.title`."""
        raise NotImplementedError

    def problem(self, arguments: dict[str, Any]) -> str:
        """See `tools.base.Tool.problem`; they look at them themselves."""
        return ""

    def act(self, turn: Turn, call_id: str, arguments: dict[str, Any]) -> AsyncGenerator[ev.Event | Result, None]:
        """Do it, saying what happens, and last the result. Never raises for what the model sends."""
        raise NotImplementedError


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    text: str
    status: Literal["pending", "in_progress", "completed"] = "pending"


class _Plan(msgspec.Struct, forbid_unknown_fields=True):
    entries: list[_Entry]


class _Question(msgspec.Struct, forbid_unknown_fields=True):
    question: str
    options: list[str] = []


class UpdatePlan(OwnTool):
    name = "update_plan"
    description = (
        "Show the person your plan, whole, each time it changes: what is to be done, and what of it is done. "
        "Use it for work of several steps."
    )
    schema = msgspec.json.schema(_Plan)

    def title(self, arguments: dict[str, Any]) -> str:
        return "Update the plan"

    async def act(self, turn: Turn, call_id: str, arguments: dict[str, Any]) -> AsyncGenerator[ev.Event | Result, None]:
        try:
            plan = msgspec.convert(arguments, _Plan)
        except msgspec.ValidationError as error:
            yield misread(error)
            return
        yield ev.PlanUpdated(entries=tuple(ev.PlanEntry(one.text, one.status) for one in plan.entries[:100]))
        yield Result("The person sees the plan.")


class AskPerson(OwnTool):
    name = "ask_person"
    description = (
        "Ask the person something that you cannot find out yourself and need to know to go on. Waits for the answer. "
        "`options` are answers to choose from; they may write another."
    )
    schema = msgspec.json.schema(_Question)

    def title(self, arguments: dict[str, Any]) -> str:
        return "Ask you"

    async def act(self, turn: Turn, call_id: str, arguments: dict[str, Any]) -> AsyncGenerator[ev.Event | Result, None]:
        try:
            asked = msgspec.convert(arguments, _Question)
        except msgspec.ValidationError as error:
            yield misread(error)
            return
        before = turn.resumes.question if turn.resumes else None
        if before is None or before.question_id != call_id:
            yield ev.QuestionAsked(question_id=call_id, text=asked.question, options=tuple(asked.options[:10]))
        yield Result(await turn.answers.wait(call_id))


OWN_TOOLS: tuple[OwnTool, ...] = (UpdatePlan(), AskPerson())


def misread(error: msgspec.ValidationError) -> Result:
    """What a model is told whose arguments do not fit."""
    return Result(f"Not done: {error}. Send it again as its schema says.", is_error=True)
