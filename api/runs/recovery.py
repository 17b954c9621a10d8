"""What a dead process left behind: its runs are ended as interrupted and enter their sessions, word for word.

Every step can be repeated: a recovery that is itself cut off is finished by the next one.
"""

import contextlib
import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from api.domain.errors import AppError, NotFound
from api.domain.events import RunEnded, Usage
from api.domain.ids import MessageId, RunId, SessionId, is_safe_id
from api.domain.messages import Message, clean_text, text_of
from api.domain.titles import UNTITLED
from api.domain.transcript import Transcript, fold, messages_of
from api.runs.folding import fold_into, messages_by
from api.runs.journal import Header, JournalUnreadable, Recovered, header_of, read_journal, reopen
from api.sessions.attachments import Attachments
from api.sessions.disk.files import make_subfolder, move_file, remove_file
from api.sessions.documents.session import Session
from api.sessions.store import SessionStore

log = logging.getLogger(__name__)

ENDED = "ended"
ASIDES = "asides"
TASKS = "tasks"
SHELVES = (ENDED, ASIDES, TASKS)
"""Where journals of ended runs lie, to be replayed."""
UNREADABLE = "unreadable"
KEEP_ENDED_S = 24 * 3600.0


class Report(msgspec.Struct):
    """What a recovery did. `failed` counts journals that stay for the next try, `parked` are runs that wait."""

    parked: list[Recovered] = msgspec.field(default_factory=list)
    recovered: int = 0
    already_done: int = 0
    unreadable: int = 0
    failed: int = 0


def recover(
    store: SessionStore,
    folder: Path,
    *,
    can_resume: Callable[[str], bool] = lambda agent: False,
    count: Callable[[Header, Usage | None], None] = lambda header, usage: None,
    clock: Callable[[], float] = time.time,
) -> Report:
    """End every run that a dead process left in `folder`, but those that wait for a person. Call before any run begins.

    `can_resume`: whether an agent, by its name, can go on with such a run. `count` is told what each took.
    """
    report = Report()
    for path in sorted(folder.glob("*.jsonl")):
        try:
            if path.stat().st_size == 0:
                # Opened and not yet written when the process died: no document names it, and it says nothing.
                remove_file(path)
                continue
            recovered = read_journal(path)
            if is_parked(store, recovered, can_resume):
                report.parked.append(recovered)
            elif recover_journal(store, folder, path, recovered, now=clock(), count=count):
                report.recovered += 1
            else:
                report.already_done += 1
        except JournalUnreadable as error:
            log.error("journal.unreadable", extra={"file": path.name, "why": str(error)})
            _file_under(folder, UNREADABLE, path)
            report.unreadable += 1
        except (OSError, AppError) as error:
            log.error("journal.not_recovered", extra={"file": path.name, "why": str(error)})
            report.failed += 1
    prune_ended(folder, now=clock())
    return report


def is_parked(store: SessionStore, recovered: Recovered, can_resume: Callable[[str], bool]) -> bool:
    """Does a run wait for a person's word, and can it go on after that? Raises as `SessionStore.get`, but NotFound."""
    header = recovered.header
    if recovered.ending is not None or not can_resume(header.agent):
        return False
    transcript = fold(recovered.events)
    if not transcript.pending_approvals and transcript.question is None:
        return False
    try:
        session = store.get(header.session_id, owner=header.owner)
    except NotFound:
        return False
    return header.kind == "task" or session.active_stream_id == header.run_id


def recover_journal(
    store: SessionStore,
    folder: Path,
    path: Path,
    recovered: Recovered,
    *,
    now: float,
    count: Callable[[Header, Usage | None], None] = lambda header, usage: None,
) -> bool:
    """Fold the journal at `path`, as it was read, into its session; False when there was nothing to do but to file it.

    Raises:
        OSError, StorageFailed: nothing has changed.
    """
    header = recovered.header
    try:
        session = store.get(header.session_id, owner=header.owner)
    except NotFound:
        session = None
    if session is None or session.active_stream_id != header.run_id:
        # It was deleted, or the run had entered it, or was never accepted; else someone put another document there.
        if _is_orphan(store, session, recovered):
            _keep_orphan(store, session, recovered, now)
        file_as_ended(folder, path)
        return False
    transcript = fold(recovered.events)
    with reopen(path, recovered) as journal:
        if recovered.ending is None:
            fold([journal.append(RunEnded(outcome="interrupted"))], onto=transcript)
            journal.sync()
    fold_into(session, header, transcript, now=now)
    count(header, transcript.usage)
    file_as_ended(folder, path)
    log.info("run.recovered", extra={"run_id": header.run_id, "events": len(recovered.events)})
    return True


def _is_orphan(store: SessionStore, session: Session | None, recovered: Recovered) -> bool:
    """Was an answer shown that is in no session, because its document was replaced or removed while no server ran?"""
    header = recovered.header
    if header.kind != "turn" or not recovered.events:
        return False
    if session is None:
        return not store.was_deleted(header.session_id, header.owner)
    is_asked = any(one.get("id") == header.message_id for one in session.messages)
    return not is_asked and not messages_by(session.messages, header.run_id)


def _keep_orphan(store: SessionStore, session: Session | None, recovered: Recovered, now: float) -> None:
    """The answer becomes a session of its own. Under an id made of the run's, so that it is done once."""
    header = recovered.header
    kept_id = hashlib.sha256(header.run_id.encode()).hexdigest()[:32]
    messages = messages_of(_interrupted(fold(recovered.events)), header.run_id, model=header.model, now=now)
    if store.path_of(kept_id).exists() or store.was_deleted(kept_id, header.owner) or not messages:
        return
    title = f"{session.title if session else UNTITLED} (answer to a message that is gone)"
    fields = {"title": title, "title_by": "person", "model": header.model, "conflict_of": header.session_id}
    kept = store.new(session_id=kept_id, owner=header.owner, messages=messages, **fields)
    Attachments(store).copy(header.session_id, kept)
    kept.save()
    log.warning("run.orphaned", extra={"run_id": header.run_id, "kept_as": kept_id})


def settle(store: SessionStore, folder: Path, session: Session, *, now: float) -> None:
    """Free a session from a run that no process executes any more.

    Raises:
        StorageFailed: it could not be written; nothing has changed.
    """
    path = journal_of(folder, session.active_stream_id)
    if path is not None:
        try:
            recover_journal(store, folder, path, read_journal(path), now=now)
            return
        except (OSError, JournalUnreadable) as error:
            log.error("journal.unreadable", extra={"file": path.name, "why": str(error)})
    _restore_pending_message(session, now)
    fold_into(session, _nameless_header(session, now), _interrupted(Transcript()), now=now)


def unsettled_messages(folder: Path, session: Session, *, now: float) -> list[Message]:
    """What a dead run had said in a session that cannot be written to just now, read from its journal."""
    path = journal_of(folder, session.active_stream_id)
    if path is None:
        return []
    try:
        recovered = read_journal(path)
    except (OSError, JournalUnreadable):
        return []
    header = recovered.header
    if messages_by(session.messages, header.run_id):
        return []
    transcript = fold(recovered.events)
    return messages_of(_interrupted(transcript), header.run_id, model=header.model, now=now)


def journal_of(folder: Path, run_id: str | None) -> Path | None:
    """The journal of a run that has not entered its session, if there is one.

    It lies among those of ended runs when its session was away while others were recovered, and has come back since.
    """
    if not is_safe_id(run_id):
        return None
    paths = (folder / f"{run_id}.jsonl", folder / ENDED / f"{run_id}.jsonl")
    return next((path for path in paths if path.is_file()), None)


def told_in_journals(folder: Path, session_id: str) -> Iterator[bytes]:
    """All journals of a session as they are on disk, also of its asides and tasks, and those kept to be replayed.

    Raises:
        OSError: while iterating: one cannot be read.
    """
    for place in (folder, *(folder / name for name in SHELVES)):
        for path in place.glob("*.jsonl"):
            with contextlib.suppress(FileNotFoundError, JournalUnreadable):
                if header_of(path).session_id == session_id:
                    yield path.read_bytes()


def file_as_ended(folder: Path, path: Path) -> None:
    """Move a journal whose run needs no more recovery to where journals are only kept to be replayed."""
    _file_under(folder, ENDED, path)


def _file_under(folder: Path, name: str, path: Path) -> None:
    make_subfolder(folder / name)
    move_file(path, folder / name / path.name)


def _interrupted(transcript: Transcript) -> Transcript:
    if transcript.outcome is None:
        fold([RunEnded(seq=transcript.seq + 1, outcome="interrupted")], onto=transcript)
    return transcript


def _nameless_header(session: Session, now: float) -> Header:
    return Header(
        run_id=RunId(session.active_stream_id or ""),
        session_id=SessionId(session.session_id),
        owner=session.owner,
        message_id=MessageId(""),
        model=session.model or "",
        agent=session.agent or "",
        started_at=now,
    )


def _restore_pending_message(session: Session, now: float) -> None:
    """Other programs of the ecosystem keep a prompt here until its answer is complete: a message like any other."""
    pending = session.pending_user_message
    if isinstance(pending, str) and pending.strip():
        last = next((one for one in reversed(session.messages) if one.get("role") == "user"), {})
        if text_of(last) != pending:
            session.messages.append({"role": "user", "content": clean_text(pending), "timestamp": now})
    session.pending_user_message = None


def prune_ended(folder: Path, *, now: float) -> None:
    """Remove journals that were kept long enough to be replayed: what they hold is in its session."""
    for path in (folder / ENDED).glob("*.jsonl"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < now - KEEP_ENDED_S:
                path.unlink()


def forget_ended(folder: Path, session_id: str) -> None:
    """Remove the journals of a session that was removed for good."""
    for path in (folder / ENDED).glob("*.jsonl"):
        with contextlib.suppress(FileNotFoundError, JournalUnreadable):
            if header_of(path).session_id == session_id:
                path.unlink()
