"""A run-away agent stops before it has spent more than a person allowed."""

from typing import Any

import pytest

from api.agents.native.agent import NativeAgent
from api.agents.native.own_tools import UpdatePlan
from api.agents.native.toolkit import Toolkit
from api.domain import events as ev
from api.domain.budgets import Budget, Leave, Spent, Wanted, leave_for, spent
from tests.agents.conformance import collect, ending, turn_of
from tests.agents.conftest import connected

pytestmark = pytest.mark.anyio

PLANS = "\n@@next\n".join(
    '@@usage {"prompt_tokens": 5000, "completion_tokens": 1000, "total_tokens": 6000}\n'
    f'@@tool update_plan {{"entries": [{{"text": "{n}", "status": "pending"}}]}}'
    for n in range(9)
)


def within(budget: Budget) -> Any:
    def ask(wanted: Wanted) -> Leave:
        own = spent(wanted.used)
        return leave_for(wanted, budget, chat=own, day=own)

    return ask


async def run(fake, script: str, budget: Budget) -> list[ev.Event]:
    agent = NativeAgent(lambda _: connected(fake), Toolkit([UpdatePlan()]))
    try:
        return await collect(agent, turn_of(script, model="fake/mock-1", spend=within(budget)))
    finally:
        await agent.close()


# S28
@pytest.mark.parametrize("field", ["answer_tokens", "chat_tokens", "day_tokens"])
async def test_an_agent_that_goes_on_for_ever_is_stopped_before_the_request_that_would_pass_the_budget(fake, field):
    events = await run(fake, PLANS, Budget(**{field: 20_000}))

    failure = ending(events).failure
    assert failure is not None
    assert (failure.code, len(fake.chats)) == ("budget_reached", 3)
    assert "20,000 tokens" in failure.message
    assert failure.hint
    used = [event.usage for event in events if isinstance(event, ev.UsageUpdated)][-1]
    assert used.input_tokens + used.output_tokens == 18_000


# S28
async def test_a_provider_that_tells_nothing_of_what_is_used_is_held_by_an_estimate(fake):
    plan = 'update_plan {"entries": [{"text": "on", "status": "pending"}]}'
    events = await run(fake, "\n@@next\n".join([f"@@nousage\n@@tool {plan}"] * 9), Budget(chat_tokens=3000))

    failure = ending(events).failure
    assert failure is not None
    assert (failure.code, 1 < len(fake.chats) < 9) == ("budget_reached", True)


async def test_an_answer_is_limited_to_what_is_left_of_the_budget(fake):
    await run(fake, "hello", Budget(day_tokens=1500))

    assert 64 <= fake.chats[0].json["max_tokens"] < 1500


async def test_a_model_without_a_known_price_is_held_by_tokens_alone(fake):
    events = await run(fake, "hello", Budget(chat_dollars=0.0, day_dollars=0.0))

    assert not isinstance(events[-1], ev.RunEnded)
    assert "max_tokens" not in fake.chats[0].json


WANTED = Wanted(used=ev.Usage(), input_tokens=1000, input_price=0.00001, output_price=0.0001)


@pytest.mark.parametrize(("gone", "most"), [(0.0, 900), (0.05, 400), (0.084, None), (0.09, None), (0.5, None)])
def test_dollars_are_counted_with_the_request_and_with_the_least_answer(gone: float, most: int | None):
    leave = leave_for(WANTED, Budget(day_dollars=0.1), chat=Spent(), day=Spent(dollars=gone))

    assert (leave.failure is None, leave.most_output) == (
        most is not None,
        pytest.approx(most, abs=1) if most else None,
    )


def test_without_a_budget_nothing_is_limited():
    assert leave_for(WANTED, Budget(), chat=Spent(10**9, 10**6), day=Spent(10**9, 10**6)) == Leave()
