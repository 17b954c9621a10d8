"""S28: an agent that would go on for ever stops, and says at which limit.

Tokens are in `test_budget`, repeats in `test_native_tools`.
"""

import json
from itertools import count
from typing import Any

import pytest

from api.agents import permissions
from api.agents.limits import Limits
from api.agents.native import loop, metering, request, spending
from api.agents.native.agent import NativeAgent
from api.agents.native.own_tools import AskPerson, UpdatePlan
from api.agents.native.toolkit import Toolkit
from api.domain import events as ev
from api.domain.budgets import Budget, leave_for, spent
from tests.agents.conformance import collect, ending, turn_of
from tests.agents.conftest import connected

pytestmark = pytest.mark.anyio

PLANS = [f'@@tool update_plan {{"entries": [{{"text": "{n}"}}]}}' for n in range(30)]
FOREVER = "\n@@next\n".join(PLANS)


async def stopped(fake: Any, script: str, *, limits: Limits | None = None, **fields: Any) -> ev.Failure:
    """Why a run was stopped, after which nothing more is asked."""
    agent = NativeAgent(lambda _: connected(fake), Toolkit([UpdatePlan(), AskPerson()]), limits=limits)
    try:
        events = await collect(agent, turn_of(script, model="fake/mock-1", **fields))
    finally:
        await agent.close()
    end = ending(events)
    assert end.outcome == "failed" and end.failure is not None
    assert end.failure.message.endswith(".") and end.failure.hint
    assert all(event.output for event in events if isinstance(event, ev.ToolEnded))
    return end.failure


async def test_one_that_does_something_else_each_time_stops_at_a_number_of_steps(fake, monkeypatch):
    monkeypatch.setattr(loop, "MOST_STEPS", 5)

    failure = await stopped(fake, FOREVER)

    assert (failure.code, len(fake.chats)) == ("too_many_steps", 5)
    assert "5 steps" in failure.message


async def test_sub_agents_share_the_steps_of_the_run_that_they_belong_to(fake, monkeypatch, tmp_path):
    monkeypatch.setattr(loop, "MOST_STEPS_OF_ALL", 9)
    below = "\n@@next\n".join(f"@@tool none_{n} {{}}" for n in range(30))
    delegate = f"@@tool delegate {json.dumps({'task': below})}"

    failure = await stopped(fake, "\n".join([delegate] * 3), workspace=str(tmp_path))

    assert (failure.code, len(fake.chats)) == ("too_many_steps", 9)


async def test_one_that_costs_too_much_stops_before_the_request_that_would(fake, monkeypatch):
    def price(given: int, made: int, cached: int, *, model: str, base_url: str) -> float:
        return given * 1e-5 + made * 1e-4

    monkeypatch.setattr(request, "price", price)
    monkeypatch.setattr(spending, "price", price)
    told = '@@usage {"prompt_tokens": 5000, "completion_tokens": 1000, "total_tokens": 6000}\n'
    script = "\n@@next\n".join(told + plan for plan in PLANS)
    budget = Budget(chat_dollars=0.5)

    failure = await stopped(
        fake, script, spend=lambda wanted: leave_for(wanted, budget, chat=spent(wanted.used), day=spent(wanted.used))
    )

    assert (failure.code, len(fake.chats)) == ("budget_reached", 3)
    assert "0.50 US dollars" in failure.message


async def test_one_that_works_too_long_stops_but_waiting_for_a_person_is_no_work(fake, monkeypatch):
    now, looks = [0.0], count(1)

    def thinking() -> float:
        """The clock of who waits: by its second look the person has taken their time."""
        now[0] += 5000 if next(looks) == 2 else 0
        return now[0]

    monkeypatch.setattr(permissions, "monotonic", thinking)
    monkeypatch.setattr(metering, "monotonic", lambda: now[0])
    question = '@@tool ask_person {"question": "Which?"}'
    plan = UpdatePlan.act

    def slow(self: Any, *given: Any) -> Any:
        now[0] += 40
        return plan(self, *given)

    monkeypatch.setattr(UpdatePlan, "act", slow)

    failure = await stopped(fake, "\n@@next\n".join([question, *PLANS]), limits=Limits(work_s=100))

    assert (failure.code, len(fake.chats)) == ("worked_too_long", 4)
    assert "2 minutes" in failure.message
