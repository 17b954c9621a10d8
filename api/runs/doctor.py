"""The examination of a state folder: is everything there, whole, and in its place? Changes nothing.

A command for people, and the judge of every test that breaks something.
"""

import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from api.domain.attachments import attachments_of
from api.domain.errors import AppError
from api.runs.journal import JournalUnreadable, read_journal
from api.runs.recovery import ASIDES, ENDED, TASKS, UNREADABLE, journal_of
from api.sessions.disk import attached, trash
from api.sessions.disk.loading import SessionNotFound, SessionUnreadable, read_document
from api.sessions.disk.quarantine import scan
from api.sessions.documents.document import Unreadable, decode_header
from api.sessions.documents.session import Session
from api.sessions.documents.versions import all_messages
from api.sessions.keeping.checking import document_problems, index_problems, trash_problems
from api.sessions.keeping.format import NewerFormat, check_format
from api.sessions.store import SessionStore

SECRETS = ("access.json", "secrets.json", "agents.json", "mcp.json")
NO_INDEX = "_no_index/_index.db"


class Report(msgspec.Struct):
    """`problems` need someone to look; `facts` do not."""

    facts: list[str] = msgspec.field(default_factory=list)
    problems: list[str] = msgspec.field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """The report as it is printed."""
        ending = "Nothing is wrong." if not self.problems else f"{len(self.problems)} things need a look."
        return [*self.facts, *(f"! {problem}" for problem in self.problems), ending]


def store_of_files(sessions_dir: Path) -> SessionStore:
    """A store that reads the documents themselves: an index would be made, or moved aside, where it is looked for."""
    cache: dict[str, Session] = {}
    return SessionStore(lambda: sessions_dir, lambda: sessions_dir / NO_INDEX, lambda: cache)


def examine(store: SessionStore, state_dir: Path, runs_dir: Path) -> Report:
    """Read everything that `state_dir` holds. The server may run meanwhile; then its active runs are no problem."""
    report = Report()
    if not state_dir.is_dir():
        report.facts.append(f"There is no folder {state_dir} yet; the first start makes it.")
        return report
    try:
        check_format(state_dir)
    except NewerFormat as error:
        report.problems.append(str(error))
        return report
    sessions_dir = store.folder
    report.problems += _sessions(store, runs_dir, report)
    report.problems += index_problems(sessions_dir, sessions_dir / "_index.db")
    report.problems += trash_problems(sessions_dir)
    report.problems += _journals(runs_dir, report)
    report.problems += _small_files(state_dir, sessions_dir)
    report.problems += [f"{path} was left half-written; the next start removes it." for path in temps(state_dir)]
    report.problems += _open_secrets(state_dir)
    report.facts += _asides(state_dir, sessions_dir)
    return report


def _sessions(store: SessionStore, runs_dir: Path, report: Report) -> Iterator[str]:
    rows = store.all_rows()
    report.facts.append(f"{len(rows)} sessions can be read.")
    for one in store.quarantined():
        yield f"{one.name} is set aside: {one.reason}"
    for row in rows:
        try:
            yield from _missing(store, store.get(row["session_id"]))
        except SessionNotFound:
            continue  # deleted meanwhile
        except AppError as error:
            yield f"{row['session_id']} is listed, but cannot be opened: {error.message}"
    for found in scan(store.folder, store.folder / NO_INDEX)[0]:
        yield from document_problems(found)
        if _runs_without_journal(found.path, found.session_id, runs_dir):
            yield f"{found.session_id} is being answered by a run that has no journal; opening it ends that."


def _missing(store: SessionStore, session: Session) -> Iterator[str]:
    """What messages of a session name and is not there."""
    named = {given.id: given.name for one in all_messages(session) for given in attachments_of(one)}
    gone = [name for one, name in named.items() if attached.find(store.folder, session.session_id, one) is None]
    if gone:
        yield f"{session.session_id} names what is not there any more: {', '.join(sorted(gone)[:10])[:300]}."


def _runs_without_journal(path: Path, session_id: str, runs_dir: Path) -> bool:
    """Looked at twice: a run that ends meanwhile leaves the document first and its journal's place then."""
    run_id = _active_run(path, session_id)
    if run_id is None or journal_of(runs_dir, run_id):
        return False
    return _active_run(path, session_id) == run_id


def _active_run(path: Path, session_id: str) -> str | None:
    try:
        return decode_header(read_document(path, session_id)[0], session_id).active_stream_id
    except (SessionNotFound, SessionUnreadable, Unreadable):
        return None


def _journals(runs_dir: Path, report: Report) -> Iterator[str]:
    active = 0
    for path in sorted(runs_dir.glob("*.jsonl")):
        try:
            recovered = read_journal(path)
        except FileNotFoundError:
            continue  # it ended meanwhile
        except (OSError, JournalUnreadable) as error:
            yield f"The journal {path.name} cannot be read: {error}"
            continue
        active += 1
        if recovered.lost_bytes:
            yield f"The journal {path.name} ends in {recovered.lost_bytes} bytes that nobody can read."
    ended = sum(1 for _ in (runs_dir / ENDED).glob("*.jsonl"))
    report.facts.append(f"{active} runs are active or wait for the next start; {ended} ended ones can be replayed.")
    for shelf in (ENDED, ASIDES, TASKS):
        for path in sorted((runs_dir / shelf).glob("*.jsonl")):
            if why := why_unreadable(path):
                yield f"The journal {shelf}/{path.name} cannot be read: {why}"
    for path in sorted((runs_dir / UNREADABLE).glob("*.jsonl*")):
        yield f"The journal {path.name} was set aside as unreadable."


def why_unreadable(path: Path) -> str:
    """Why a journal cannot be read; empty when it can, or is gone."""
    try:
        read_journal(path)
    except FileNotFoundError:
        return ""
    except (OSError, JournalUnreadable) as error:
        return str(error)
    return ""


def small_files(state_dir: Path, sessions_dir: Path) -> Iterator[Path]:
    """Settings, drafts and the like: each a JSON object of its own."""
    for folder in (state_dir, *(one for one in sorted(state_dir.iterdir()) if one.is_dir())):
        if folder not in (sessions_dir, state_dir / "quarantine"):
            yield from sorted(path for path in folder.glob("*.json") if not path.name.startswith("."))


def is_object(path: Path) -> bool:
    """Whether a small file can be read. One that is gone counts as well."""
    try:
        msgspec.json.decode(path.read_bytes(), type=dict)
    except FileNotFoundError:
        return True
    except (OSError, ValueError, RecursionError):
        return False
    return True


def _small_files(state_dir: Path, sessions_dir: Path) -> Iterator[str]:
    for path in small_files(state_dir, sessions_dir):
        if not is_object(path):
            yield f"{path.relative_to(state_dir)} cannot be read; it is set aside when it is needed, and begun anew."


def _asides(state_dir: Path, sessions_dir: Path) -> Iterator[str]:
    count = len(trash.restorable_ids(sessions_dir))
    if count:
        yield f"{count} sessions are in the trash."
    count = sum(1 for path in (state_dir / "quarantine").glob("*") if path.is_file())
    if count:
        yield f"{count} files are in {state_dir / 'quarantine'}, to be looked at."


def temps(state_dir: Path) -> list[Path]:
    """What killed writers left. While a server runs, some may be in use."""
    return sorted(path for path in state_dir.rglob(".*.tmp") if path.is_file())


def _open_secrets(state_dir: Path) -> Iterator[str]:
    for name in SECRETS:
        path = state_dir / name
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield f"{path} can be read by others on this machine; the next start, or `chmod 600`, mends it."
