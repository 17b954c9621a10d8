"""What may be spent, and whether a request to a model still fits into it."""

from collections.abc import Callable

import msgspec

from api.domain.events import Failure, Usage

LEAST_ANSWER = 64
"""Tokens. Where less than this is left for an answer, nothing is asked."""

HINT = "Raise it in Settings under Usage, or go on tomorrow or in another session."


class Budget(msgspec.Struct, frozen=True, omit_defaults=True):
    """The most that an answer with all its sub-agents, a session, and a day in all sessions may take.

    US dollars, and tokens in and out. None: any.
    """

    answer_dollars: float | None = None
    answer_tokens: int | None = None
    chat_dollars: float | None = None
    chat_tokens: int | None = None
    day_dollars: float | None = None
    day_tokens: int | None = None


class Spent(msgspec.Struct, frozen=True):
    """Tokens in and out, and what is known of their price in US dollars."""

    tokens: int = 0
    dollars: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.tokens + other.tokens, self.dollars + other.dollars)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A request that is about to be made by a run that has `used` so much.

    `input_tokens` is an estimate. Prices are US dollars for a token; None where they are not known, and then only
    tokens count.
    """

    used: Usage
    input_tokens: int
    input_price: float | None = None
    output_price: float | None = None


class Leave(msgspec.Struct, frozen=True):
    """Whether a request may be made: not with a `failure`; else with an answer of at most so many tokens."""

    failure: Failure | None = None
    most_output: int | None = None


Spend = Callable[[Wanted], Leave]
"""Asked before each request to a model, on the event loop."""


def freely(wanted: Wanted) -> Leave:
    """Where there is no budget."""
    return Leave()


def spent(usage: Usage | None) -> Spent:
    return Spent(usage.input_tokens + usage.output_tokens, usage.cost or 0.0) if usage else Spent()


def leave_for(wanted: Wanted, budget: Budget, *, chat: Spent, day: Spent) -> Leave:
    """Whether `wanted` fits, when so much was spent in its session and today, its own run included."""
    own = spent(wanted.used)
    most: int | None = None
    for what, limit, gone in _limits(budget, own, chat, day):
        is_money = what.endswith("dollars")
        price_in, price_out = (wanted.input_price, wanted.output_price) if is_money else (1.0, 1.0)
        if price_in is None or price_out is None:
            continue
        left = limit - gone - wanted.input_tokens * price_in
        output = int(left / price_out) if price_out > 0 else None
        if left < 0 or (output is not None and output < LEAST_ANSWER):
            return Leave(_reached(what, limit))
        if output is not None:
            most = output if most is None else min(most, output)
    return Leave(most_output=most)


def _limits(budget: Budget, own: Spent, chat: Spent, day: Spent) -> list[tuple[str, float, float]]:
    """The limits that are set: their names, and what was spent of each."""
    every = (
        ("answer_dollars", budget.answer_dollars, own.dollars),
        ("answer_tokens", budget.answer_tokens, own.tokens),
        ("chat_dollars", budget.chat_dollars, chat.dollars),
        ("chat_tokens", budget.chat_tokens, chat.tokens),
        ("day_dollars", budget.day_dollars, day.dollars),
        ("day_tokens", budget.day_tokens, day.tokens),
    )
    return [(what, limit, gone) for what, limit, gone in every if limit is not None]


def _reached(what: str, limit: float) -> Failure:
    amount = f"{limit:.2f} US dollars" if what.endswith("dollars") else f"{limit:,.0f} tokens"
    where = {"answer": "for one answer", "chat": "for this session", "day": "for today"}[what.partition("_")[0]]
    message = f"The next request would pass the budget of {amount} {where}, so it was not made."
    return Failure("budget_reached", message, HINT)
