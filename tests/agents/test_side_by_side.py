"""Calls of one step: those that only look go side by side, and any other goes alone."""

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import msgspec
import pytest

from api.agents.native.agent import NativeAgent
from api.agents.native.lanes import SIDE_BY_SIDE
from api.agents.native.toolkit import Toolkit
from api.agents.permissions import Permissions
from api.domain import events as ev
from api.domain.approvals import Decision, ToolKind
from api.domain.budgets import Budget, Leave, Wanted, leave_for, spent
from api.domain.transcript import ToolBlock, Transcript, fold
from api.tools.base import Context, Result
from tests.agents.conformance import collect, said, turn_of
from tests.agents.conftest import connected

pytestmark = pytest.mark.anyio


class Watched:
    """A tool that notes when its calls begin and end, and ends each when the test says."""

    description = "Do something."

    def __init__(self, kind: ToolKind, log: list[str]) -> None:
        self.schema = {"type": "object", "properties": {"name": {"type": "string"}}}
        self.name = kind
        self.kind = kind
        self.log = log
        self.may_end: Callable[[], bool] = lambda: True

    def title(self, arguments: dict[str, Any]) -> str:
        return str(arguments["name"])

    def problem(self, arguments: dict[str, Any]) -> str:
        return ""

    async def preview(self, arguments: dict[str, Any], context: Context) -> str:
        return ""

    async def run(self, arguments: dict[str, Any], context: Context) -> Result:
        name = arguments["name"]
        self.log.append(f"+{name}")
        try:
            while not self.may_end():  # noqa: ASYNC110  what is awaited is what the others have done
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            context.emit(f"{name} says so")
            return Result(f"<{name}>")
        finally:
            self.log.append(f"-{name}")


class House:
    def __init__(self, fake: Any) -> None:
        self.log: list[str] = []
        self.tools = {kind: Watched(kind, self.log) for kind in ("read", "fetch", "edit")}
        self.agent = NativeAgent(lambda _: connected(fake), Toolkit(list(self.tools.values())))

    def holding(self, kind: str, may_end: Callable[[], bool]) -> None:
        self.tools[kind].may_end = may_end

    @property
    def most(self) -> int:
        """So many calls were at work at the same time."""
        counts, now = [0], 0
        for entry in self.log:
            now += 1 if entry[0] == "+" else -1
            counts.append(now)
        return max(counts)


@pytest.fixture
async def house(fake):
    house = House(fake)
    yield house
    await house.agent.close()


def call(kind: str, name: str) -> str:
    return f"@@tool {kind} {json.dumps({'name': name})}"


def delegate(*steps: str) -> str:
    return f"@@tool delegate {json.dumps({'task': steps_of(*steps)})}"


def steps_of(*steps: str) -> str:
    return "\n@@next\n".join(steps)


def ask(script: str, tmp_path: Any, mode: Any = "full", **fields: Any) -> Any:
    permissions = fields.pop("permissions", None) or Permissions("r", mode=mode)
    return turn_of(script, model="fake/mock-1", workspace=str(tmp_path), permissions=permissions, **fields)


async def test_calls_that_only_look_wait_for_each_other_and_their_results_come_in_order(house, fake, tmp_path):
    began = lambda: sum(entry[0] == "+" for entry in house.log)  # noqa: E731
    house.holding("read", lambda: began() >= SIDE_BY_SIDE)
    names = ["a", "b", "c", "d", "e", "f"]
    script = "\n".join(call("fetch" if name == "c" else "read", name) for name in names)

    events = await collect(house.agent, ask(f"{script}\n@@next\n@@text Done.", tmp_path))

    assert house.most == SIDE_BY_SIDE
    sent = fake.chats[-1].body
    assert sorted(names, key=lambda name: sent.index(f"<{name}>")) == names
    outputs = {event.call_id: event.text for event in events if isinstance(event, ev.ToolOutput)}
    ended = {event.call_id: event.output for event in events if isinstance(event, ev.ToolEnded)}
    assert {outputs[key] for key in ended if ended[key] == "<a>"} == {"a says so"}
    assert said(events) == "Done."


async def test_a_call_that_changes_something_begins_after_those_before_it_and_ends_before_those_after(house, tmp_path):
    script = [call("read", "a"), call("read", "b"), call("edit", "c"), call("edit", "d"), call("read", "e")]

    await collect(house.agent, ask("\n".join([*script, "@@next"]), tmp_path))

    assert set(house.log[:4]) == {"+a", "+b", "-a", "-b"}
    assert house.log[4:] == ["+c", "-c", "+d", "-d", "+e", "-e"]


async def test_what_a_person_is_asked_about_waits_alone_and_in_order(house, tmp_path):
    script = [call("read", "a"), call("fetch", "b"), call("fetch", "c"), call("read", "d")]
    turn, seen = ask("\n".join([*script, "@@next"]), tmp_path, mode="ask"), []

    async for event in house.agent.run(turn):
        if isinstance(event, ev.ApprovalRequested):
            seen.append((event.title, list(house.log)))
            turn.permissions.decisions.tell(event.approval_id, Decision("once"))

    assert seen == [("b", ["+a", "-a"]), ("c", ["+a", "-a", "+b", "-b"])]
    assert house.log[-2:] == ["+d", "-d"]


async def test_sub_agents_work_side_by_side_and_what_they_change_never_overlaps(house, tmp_path):
    reads = lambda: house.log.count("+here") + house.log.count("+there")  # noqa: E731
    house.holding("read", lambda: reads() == 2)
    one = delegate(call("read", "here"), call("edit", "w1"), "@@text One.")
    two = delegate(call("read", "there"), call("edit", "w2"), "@@text Two.")

    events = await collect(house.agent, ask(f"{one}\n{two}\n@@next\n@@text Both.", tmp_path))

    assert {house.log[at + 1] for at, entry in enumerate(house.log) if entry in ("+w1", "+w2")} == {"-w1", "-w2"}
    outcomes = [event.output for event in events if isinstance(event, ev.ToolEnded) and event.output.endswith(".")]
    assert sorted(outcomes) == ["One.", "Two."]
    used = [event.usage.input_tokens for event in events if isinstance(event, ev.UsageUpdated)]
    assert used == [7 * count for count in range(1, 9)]
    assert said(events) == "Both."


async def test_stopping_ends_all_that_is_at_work_side_by_side(house, tmp_path):
    house.holding("read", lambda: False)
    script = "\n".join([delegate(call("read", "a")), delegate(call("read", "b"))])
    task = asyncio.create_task(collect(house.agent, ask(script, tmp_path)))
    while len(house.log) < 2:  # noqa: ASYNC110  what is awaited is in another task
        await asyncio.sleep(0)

    task.cancel()
    await asyncio.wait({task}, timeout=5)

    assert task.cancelled()
    assert house.log[:2] == ["+a", "+b"] and sorted(house.log[2:]) == ["-a", "-b"]


# S28
async def test_sub_agents_that_ask_at_the_same_time_do_not_pass_the_budget_together(house, fake, tmp_path):
    works = "\n".join([delegate(f"@@silence\n{'lorem ' * 2000}")] * 4)  # 3,000 tokens each, and no answer
    budget, granted = Budget(chat_tokens=20_000), []

    def spend(wanted: Wanted) -> Leave:
        leave = leave_for(wanted, budget, chat=spent(wanted.used), day=spent(wanted.used))
        granted.append(wanted.input_tokens if leave.failure is None else 0)
        return leave

    script = '@@usage {"prompt_tokens": 10000, "completion_tokens": 2500, "total_tokens": 12500}\n' + works
    refused: list[str] = []
    async with asyncio.timeout(20), aclosing(house.agent.run(ask(script, tmp_path, spend=spend))) as events:
        async for event in events:
            refused += [event.output] if isinstance(event, ev.ToolEnded) else []
            if len(refused) == 2:
                break

    assert all("budget of 20,000 tokens" in output for output in refused)
    assert [tokens > 3000 for tokens in granted] == [True, True, True, False, False]


async def test_after_a_restart_only_what_waited_and_what_was_not_begun_is_done(house, tmp_path):
    asking = delegate(call("edit", "asked"), "@@text One.")
    thinking = delegate("@@text Well\n@@silence")
    script = "\n".join([asking, thinking, call("edit", "later")]) + "\n@@next\n@@text End."
    before = await _until_asked_and_thinking(house, ask(script, tmp_path, mode="ask"))

    turn = ask(script, tmp_path, resumes=before, permissions=Permissions("r", pending=before.pending_approvals))
    turn.permissions.decisions.tell(before.pending_approvals[0].approval_id, Decision("once"))
    events = await collect(house.agent, turn)

    assert house.log == ["+asked", "-asked", "+later", "-later"]
    cut = [event.output for event in events if isinstance(event, ev.ToolEnded) and "restarted" in event.output]
    assert len(cut) == 2
    assert said(events) == "End."


async def _until_asked_and_thinking(house: House, turn: Any) -> Transcript:
    """What a run has said once one sub-agent waits for a person, and the other one is in the middle of a word."""
    transcript, run = Transcript(), house.agent.run(turn)
    async for event in run:
        fold([msgspec.structs.replace(event, seq=transcript.seq + 1)], onto=transcript)
        spoke = any(isinstance(block, ToolBlock) and block.output.startswith("Well") for block in transcript.blocks)
        if transcript.pending_approvals and spoke:
            break
    await run.aclose()
    return transcript
