"""What was spent is counted by the day, survives a restart, and holds runs at the same time to one budget."""

import time
from typing import Any

from api.domain.budgets import Budget, Wanted
from api.domain.events import Usage
from api.domain.ids import MessageId, RunId, SessionId
from api.runs.journal import Header
from api.runs.spending import Spending
from api.sessions.documents.session import Session

NOON = time.mktime((2026, 11, 22, 12, 0, 0, 0, 0, -1))
DAY_S = 24 * 3600


class Memory:
    def __init__(self) -> None:
        self.value: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        return self.value

    def write(self, value: dict[str, Any]) -> None:
        self.value = value


class Clock:
    now = NOON

    def __call__(self) -> float:
        return self.now


def header(run_id: str) -> Header:
    return Header(
        run_id=RunId(run_id),
        session_id=SessionId("s"),
        owner="local",
        message_id=MessageId("m"),
        model="fake/mock-1",
        agent="native",
        started_at=NOON,
    )


class Nowhere:
    def now(self) -> float:
        return NOON


def session_with(**fields: Any) -> Session:
    return Session("0" * 32, home=Nowhere(), **fields)


def wanted(tokens: int, used: int = 0) -> Wanted:
    return Wanted(used=Usage(input_tokens=used), input_tokens=tokens)


def test_what_runs_take_is_counted_on_the_day_they_end_and_read_again_by_the_next_process() -> None:
    ledger, clock = Memory(), Clock()
    spending = Spending(ledger, Memory(), clock=clock)
    spending.count(header("a"), Usage(input_tokens=10, output_tokens=5, cost=0.5))
    spending.count(header("b"), Usage(input_tokens=100, output_tokens=1))
    spending.count(header("c"), None)
    clock.now += DAY_S
    spending.count(header("d"), Usage(input_tokens=1, cost=0.25))
    spending.close()

    again = Spending(ledger, Memory(), clock=clock)

    days = [(d.day, d.answers, d.input_tokens, d.output_tokens, d.unpriced_tokens, d.cost) for d in again.days(9)]
    assert days == [("2026-11-23", 1, 1, 0, 0, 0.25), ("2026-11-22", 2, 110, 6, 101, 0.5)]
    assert again.began == "2026-11-22"


def test_two_runs_that_ask_at_the_same_time_do_not_pass_the_budget_together() -> None:
    spending = Spending(Memory(), Memory(), clock=Clock())
    spending.choose_budget(Budget(day_tokens=1000))
    first, second = (spending.gate(session_with(), RunId(name)) for name in "ab")

    assert first(wanted(600)).failure is None
    assert second(wanted(600)).failure is not None

    spending.count(header("a"), Usage(input_tokens=100))
    assert second(wanted(600)).failure is None


def test_what_a_session_and_a_day_took_before_counts() -> None:
    clock = Clock()
    spending = Spending(Memory(), Memory(), clock=clock)
    spending.count(header("a"), Usage(input_tokens=900))

    spending.choose_budget(Budget(day_tokens=1000))
    assert spending.gate(session_with(), RunId("b"))(wanted(100)).failure is not None
    clock.now += DAY_S
    assert spending.gate(session_with(), RunId("b"))(wanted(100)).failure is None

    spending.choose_budget(Budget(chat_tokens=1000))
    assert spending.gate(session_with(input_tokens=900), RunId("c"))(wanted(100)).failure is not None
    assert spending.gate(session_with(), RunId("d"))(wanted(100)).failure is None


def test_a_limit_that_cannot_be_read_holds_as_one_of_nothing() -> None:
    record = Memory()
    record.value = {"day_tokens": "many", "chat_tokens": 5}

    assert Spending(Memory(), record).budget == Budget(day_tokens=0, chat_tokens=5)
