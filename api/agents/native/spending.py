"""What a request to a model will take. Imports pydantic-ai, so it is itself imported late."""

from api.agents.native.request import Request, price
from api.domain import events as ev
from api.domain.budgets import Wanted

PRICED = 1000
"""Tokens of an answer, whose price is that of each of them."""


def wanted(request: Request, used: ev.Usage | None, input_tokens: int) -> Wanted:
    """What the budget is asked. Priced as a whole, because a long request may cost more for each of its tokens."""
    model, base_url = request.model.model_name, request.provider.base_url
    asking = price(input_tokens, 0, 0, model=model, base_url=base_url)
    answered = price(input_tokens, PRICED, 0, model=model, base_url=base_url)
    if asking is None or answered is None:
        return Wanted(used=used or ev.Usage(), input_tokens=input_tokens)
    return Wanted(
        used=used or ev.Usage(),
        input_tokens=input_tokens,
        input_price=asking / max(1, input_tokens),
        output_price=(answered - asking) / PRICED,
    )
