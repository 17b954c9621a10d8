"""How long something has been so, as a session deleted or an attachment unwanted, in time that can be believed.

A wall clock is set by hand, jumps when the network tells it the time, and on a machine without a battery starts
anywhere. So time is counted here: while the process lives, by a clock that nobody sets; between two lives by the wall
clock, never backward and at most a week each time. What that gets wrong makes things stay longer, or shorter by no more
than one jump between two lives; against a jump of a day, everything is kept for `SPARE_S` longer than promised.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from api.sessions.disk.files import StateFile

log = logging.getLogger(__name__)

LONGEST_GAP_S = 7 * 86_400.0
SPARE_S = 86_400.0
_WRITE_EVERY_S = 600.0


def steady_clock() -> float:
    """Seconds that nobody sets, sleep included where the system can tell."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Lain(msgspec.Struct):
    """`deleted_at`: for people, by the wall clock. `since_s`: the count when it was first seen.

    `moved_at`: the time of the file's inode, in ns. What was restored and deleted once more has another one. Zero
    where nothing is moved.
    """

    deleted_at: float
    since_s: float
    moved_at: int


class _Ledger(msgspec.Struct):
    counted_s: float = 0.0
    seen_at: float = 0.0
    items: dict[str, Lain] = {}


class Ages:
    """A ledger of things by their names. Safe to call from any thread."""

    def __init__(
        self,
        ledger: Path,
        moved_at: Callable[[str], int],
        *,
        clock: Callable[[], float],
        ticks: Callable[[], float] = steady_clock,
    ) -> None:
        """Kept in the file `ledger`. `moved_at`: see `Lain`.

        `clock`: the wall clock. `ticks`: seconds from anywhere, never set.
        """
        self._moved_at = moved_at
        self._clock = clock
        self._ticks = ticks
        self._lock = threading.Lock()
        self._file = StateFile(ledger)
        self._ledger: _Ledger | None = None
        self._ticked = self._written = 0.0

    def look(self, names: Iterable[str]) -> dict[str, tuple[float, float]]:
        """Take note of what is there now; gives by name since when, and how many seconds count since."""
        with self._lock:
            ledger = self._advanced()
            items = {}
            for name in names:
                moved_at = self._moved_at(name)
                known = ledger.items.get(name)
                is_same = known is not None and known.moved_at == moved_at
                items[name] = known if known and is_same else self._fresh(ledger, moved_at)
            is_other = items != ledger.items
            ledger.items = items
            if is_other or self._ticked - self._written >= _WRITE_EVERY_S:
                self._write(ledger)
            return {one: (lain.deleted_at, ledger.counted_s - lain.since_s) for one, lain in ledger.items.items()}

    def _advanced(self) -> _Ledger:
        now, tick = self._clock(), self._ticks()
        if self._ledger is None:
            self._ledger = self._read()
            elapsed = min(max(0.0, now - self._ledger.seen_at), LONGEST_GAP_S) if self._ledger.seen_at else 0.0
        else:
            elapsed = max(0.0, tick - self._ticked)
        self._ticked = tick
        self._ledger.counted_s += elapsed
        self._ledger.seen_at = now
        return self._ledger

    def _read(self) -> _Ledger:
        """One that is lost or damaged is begun anew: everything then stays longer."""
        try:
            return msgspec.convert(self._file.read(), _Ledger)
        except (OSError, msgspec.ValidationError) as error:
            log.warning("ledger.unreadable", extra={"why": str(error)})
            return _Ledger()

    def _write(self, ledger: _Ledger) -> None:
        try:
            self._file.write(msgspec.to_builtins(ledger))
            self._written = self._ticked
        except OSError as error:  # a full disk: what is not written is counted again, and everything stays longer
            log.warning("ledger.not_written", extra={"why": str(error)})

    def _fresh(self, ledger: _Ledger, moved_at: int) -> Lain:
        """A clock that was wrong when the file was moved may say what cannot be."""
        now = self._clock()
        return Lain(min(moved_at / 1e9, now) if moved_at else now, ledger.counted_s, moved_at)
