"""What was spent on each day, and the budget that every request to a model has to fit into."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from api.domain.budgets import Budget, Leave, Spend, Spent, Wanted, leave_for, spent
from api.domain.errors import AppError
from api.domain.events import Usage
from api.domain.ids import RunId
from api.runs.journal import Header
from api.sessions.documents.document import usable_count
from api.sessions.documents.session import Session

KEPT_DAYS = 400

log = logging.getLogger(__name__)


class Record(Protocol):
    """A small JSON object kept on disk."""

    def read(self) -> dict[str, Any]: ...

    def write(self, value: dict[str, Any]) -> None: ...


class Day(msgspec.Struct, kw_only=True):
    """A day of the server's clock, `YYYY-MM-DD`. `cost` in US dollars is that of all tokens but `unpriced_tokens`."""

    day: str
    answers: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    unpriced_tokens: int = 0
    cost: float = 0.0


class Spending:
    """Counts what runs of every kind took, on the day they ended.

    What was counted is written by `write`, now and then. `gate` is asked on the event loop; the rest from any thread.
    """

    def __init__(self, ledger: Record, budget: Record, *, clock: Callable[[], float] = time.time) -> None:
        """`ledger` is `{began, days: [Day]}`, `budget` a Budget."""
        self._ledger = ledger
        self._record = budget
        self._clock = clock
        self._lock = threading.Lock()
        self._days: dict[str, Day] | None = None
        self._began = ""
        self._is_written = True
        self._budget: Budget | None = None
        self._open: dict[RunId, tuple[str, Spent]] = {}

    @property
    def began(self) -> str:
        """The first day that was counted: what was spent before is not known here."""
        with self._lock:
            self._load()
            return self._began

    @property
    def today(self) -> str:
        return time.strftime("%Y-%m-%d", time.localtime(self._clock()))

    def days(self, count: int) -> list[Day]:
        """The last days on which something was spent, newest first."""
        with self._lock:
            days = self._load()
            return [days[name] for name in sorted(days, reverse=True)[:count]]

    def count(self, header: Header, usage: Usage | None) -> None:
        """A run has ended, having taken `usage`."""
        self._open.pop(header.run_id, None)
        if usage is None:
            return
        with self._lock:
            today = self.today
            day = self._load().setdefault(today, Day(day=today))
            day.answers += 1
            day.input_tokens += usage.input_tokens
            day.output_tokens += usage.output_tokens
            if usage.cost is None:
                day.unpriced_tokens += usage.input_tokens + usage.output_tokens
            else:
                day.cost += usage.cost
            self._is_written = False

    def write(self) -> None:
        """Make what was counted durable. Raises StorageFailed; it is then tried again with the next call."""
        with self._lock:
            if self._is_written:
                return
            days = self._load()
            kept = [days[name] for name in sorted(days)[-KEPT_DAYS:]]
            self._ledger.write({"began": self._began, "days": msgspec.to_builtins(kept)})
            self._is_written = True

    def close(self) -> None:
        """Make durable what can be: what cannot is no reason not to end."""
        try:
            self.write()
        except AppError as error:
            log.warning("usage.not_written", extra={"code": error.code})

    @property
    def budget(self) -> Budget:
        with self._lock:
            if self._budget is None:
                self._budget = _budget(self._record.read())
            return self._budget

    def choose_budget(self, budget: Budget) -> None:
        """Raises StorageFailed; the former one then still holds."""
        with self._lock:
            self._record.write(msgspec.to_builtins(budget))
            self._budget = budget

    def gate(self, session: Session, run_id: RunId) -> Spend:
        """What a run of `session` asks before each of its requests."""

        def ask(wanted: Wanted) -> Leave:
            own = spent(wanted.used)
            others = [(where, what) for key, (where, what) in self._open.items() if key != run_id]
            here = sum((what for where, what in others if where == session.session_id), _of(session) + own)
            today = sum((what for _, what in others), self._of_today() + own)
            leave = leave_for(wanted, self.budget, chat=here, day=today)
            if leave.failure is None:
                # Taken as spent until the run says more, so that requests at the same time cannot pass it together.
                asked = Spent(wanted.input_tokens, wanted.input_tokens * (wanted.input_price or 0.0))
                self._open[run_id] = session.session_id, own + asked
            return leave

        return ask

    def _of_today(self) -> Spent:
        with self._lock:
            day = self._load().get(self.today)
            return Spent(day.input_tokens + day.output_tokens, day.cost) if day else Spent()

    def _load(self) -> dict[str, Day]:
        if self._days is None:
            kept = self._ledger.read()
            entries = kept.get("days")
            days = [day for entry in (entries if isinstance(entries, list) else []) if (day := _day(entry))]
            self._days = {day.day: day for day in days}
            began = kept.get("began")
            self._began = began if isinstance(began, str) else min(self._days, default=self.today)
        return self._days


def _of(session: Session) -> Spent:
    cost = session.estimated_cost if isinstance(session.estimated_cost, int | float) else 0.0
    return Spent(usable_count(session.input_tokens) + usable_count(session.output_tokens), cost)


def _day(entry: Any) -> Day | None:
    try:
        return msgspec.convert(entry, Day)
    except msgspec.ValidationError:
        return None


def _budget(kept: dict[str, Any]) -> Budget:
    """What is kept. A limit that cannot be read is one of nothing: it was meant to hold."""
    limits: dict[str, Any] = {}
    for name in Budget.__struct_fields__:
        value = kept.get(name)
        if value is not None:
            is_number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
            limits[name] = value if is_number else 0
    return Budget(**limits)
