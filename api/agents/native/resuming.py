"""Going on with a run that waited for a person's word when the server stopped."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from api.agents.base import Turn
from api.agents.native.calls import Calls, ToolRequest
from api.domain import events as ev
from api.domain.attachments import field_of
from api.domain.messages import Message
from api.domain.transcript import ToolBlock, Transcript, messages_of


async def finish_step(turn: Turn, before: Transcript, calls: Calls) -> AsyncGenerator[ev.Event, None]:
    """Do what was left of the step: the calls that a person was asked about, and those that were not begun.

    What was begun and was not waiting was cut off at work, as is what a sub-agent would have gone on with. It is not
    done a second time.
    """
    unfinished = [one for one in before.blocks if isinstance(one, ToolBlock) and one.state == "running"]
    waiting = {asked.call_id for asked in before.pending_approvals}
    if before.question is not None:
        waiting.add(before.question.question_id)
    left = [block for block in unfinished if block.call_id in waiting]
    left += [one for one in unfinished if one.call_id not in waiting and one.tool_kind is None and not one.parent]
    for block in unfinished:
        if block not in left:
            yield calls.interrupted(_request(block))
    async with aclosing(calls.perform([_request(block) for block in left])) as events:
        async for event in events:
            yield event


def messages_so_far(turn: Turn, before: Transcript, calls: Calls) -> list[Message]:
    """The conversation with all that the run had said, and what its calls came to since."""
    said = messages_of(before, turn.run_id, model=turn.model, now=0.0)
    for message in said:
        result = calls.results.get(str(message.get("tool_call_id")))
        if message["role"] == "tool" and result is not None:
            message["content"] = result.output
            message |= field_of(calls.attached.get(str(message["tool_call_id"]), ()))
    return [*turn.messages, *said]


def _request(block: ToolBlock) -> ToolRequest:
    return ToolRequest(block.call_id, block.name, block.arguments)
