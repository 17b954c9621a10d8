"""What was spent, and what may be."""

import asyncio
from typing import Annotated

from fastapi import Query, Response

from api.domain.budgets import Budget
from api.http.bodies import BudgetChange
from api.http.rooms import House, reply
from api.runs.spending import KEPT_DAYS


async def show(house: House, days: Annotated[int, Query(ge=1, le=KEPT_DAYS)] = 30) -> Response:
    """What was spent on the last days, and the budget."""
    spending = house.spending
    counted = await asyncio.to_thread(spending.days, days)
    answer = {"began": spending.began, "today": spending.today, "days": counted, "budget": spending.budget}
    return reply(answer)


async def choose_budget(body: BudgetChange, house: House) -> Response:
    """Limit what may be spent. It holds from the next request to a model on."""
    budget = Budget(**body.model_dump(exclude={"request_id"}))
    await asyncio.to_thread(house.spending.choose_budget, budget)
    return reply(budget)
