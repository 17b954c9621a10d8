"""The examination of a state folder: is everything there, whole, and in its place? Changes nothing.

A command for people, and the judge of every test that breaks something.
"""

import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from api.domain.errors import AppError
from api.runs.journal import JournalUnreadable, read_journal
from api.runs.recovery import ENDED, UNREADABLE
from api.sessions.store import SessionStore


class Report(msgspec.Struct):
    """`problems` need someone to look; `facts` do not."""

    facts: list[str] = msgspec.field(default_factory=list)
    problems: list[str] = msgspec.field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """The report as it is printed."""
        ending = "Nothing is wrong." if not self.problems else f"{len(self.problems)} things need a look."
        return [*self.facts, *(f"! {problem}" for problem in self.problems), ending]


def examine(store: SessionStore, state_dir: Path, runs_dir: Path) -> Report:
    """Read everything that `state_dir` holds. The server may run meanwhile; then its active runs are no problem."""
    report = Report()
    if not state_dir.is_dir():
        report.facts.append(f"There is no folder {state_dir} yet; the first start makes it.")
        return report
    rows = store.all_rows()
    report.facts.append(f"{len(rows)} sessions can be read.")
    report.problems += [f"{one.name} is set aside: {one.reason}" for one in store.quarantined()]
    for row in rows:
        report.problems += _session_problems(store, row["session_id"])
    report.problems += _journal_problems(runs_dir, report)
    report.problems += [f"{path} was left half-written; the next start removes it." for path in _temps(state_dir)]
    report.problems += _open_secrets(state_dir)
    return report


def _session_problems(store: SessionStore, session_id: str) -> Iterator[str]:
    try:
        session = store.get(session_id)
    except AppError as error:
        yield f"{session_id} is listed, but cannot be opened: {error.message}"
        return
    ids = Counter(message.get("id") for message in session.messages if message.get("id"))
    for message_id, count in ids.items():
        if count > 1:
            yield f"{session_id} holds {count} messages with the id {message_id}."


def _journal_problems(runs_dir: Path, report: Report) -> Iterator[str]:
    active = 0
    for path in sorted(runs_dir.glob("*.jsonl")):
        try:
            recovered = read_journal(path)
        except (OSError, JournalUnreadable) as error:
            yield f"The journal {path.name} cannot be read: {error}"
            continue
        active += 1
        if recovered.lost_bytes:
            yield f"The journal {path.name} ends in {recovered.lost_bytes} bytes that nobody can read."
    ended = sum(1 for _ in (runs_dir / ENDED).glob("*.jsonl"))
    report.facts.append(f"{active} runs are active or wait for the next start; {ended} ended ones can be replayed.")
    for path in sorted((runs_dir / UNREADABLE).glob("*.jsonl")):
        yield f"The journal {path.name} was set aside as unreadable."


def _temps(state_dir: Path) -> list[Path]:
    return sorted(path for path in state_dir.rglob(".*.tmp") if path.is_file())


def _open_secrets(state_dir: Path) -> Iterator[str]:
    for name in ("access.json", "secrets.json"):
        path = state_dir / name
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield f"{path} can be read by others on this machine; `chmod 600` mends it."
