"""Having back what can still be read of a file that cannot be shown, together with what journals know of it."""

from pathlib import Path

import msgspec

from api.domain.errors import Conflict
from api.domain.ids import OWNER_LOCAL
from api.domain.messages import Message
from api.domain.titles import UNTITLED
from api.domain.transcript import fold, messages_of
from api.runs.folding import messages_by
from api.runs.journal import JournalUnreadable, header_of, read_journal
from api.runs.recovery import ENDED
from api.sessions.attachments import Attachments
from api.sessions.disk.salvaging import Salvaged, salvage
from api.sessions.documents.session import Session
from api.sessions.store import SessionStore


def rescuable(store: SessionStore, runs_dir: Path, name: str) -> Salvaged:
    """The messages before the damage, and the answers of the last day that are not among them, in their order."""
    found = salvage(store.folder / name)
    messages = list(found.messages)
    for path in sorted((runs_dir / ENDED).glob("*.jsonl"), key=lambda one: one.stat().st_mtime):
        messages += _answer_in(path, name.removesuffix(".json"), messages)
    return msgspec.structs.replace(found, messages=messages)


def rescue(store: SessionStore, runs_dir: Path, name: str, *, owner: str = OWNER_LOCAL) -> Session:
    """Make a session of it. The file stays as it is.

    Raises:
        NotFound: no file of that name is listed as unreadable.
        Conflict: not one message of it can be read.
        StorageFailed: the disk refused.
    """
    store.open_quarantined(name).close()
    found = rescuable(store, runs_dir, name)
    if not found.messages:
        raise Conflict("Nothing in this file can be read. Download it to look yourself.", code="nothing_to_rescue")
    title = f"{found.title or UNTITLED} (recovered)"
    session = store.new(owner=owner, messages=found.messages, title=title, title_by="person", recovered_from=name)
    Attachments(store).copy(name.removesuffix(".json"), session)
    session.save()
    return session


def _answer_in(path: Path, session_id: str, known: list[Message]) -> list[Message]:
    try:
        header = header_of(path)
        if header.session_id != session_id or header.kind != "turn" or messages_by(known, header.run_id):
            return []
        transcript = fold(read_journal(path).events)
    except (OSError, JournalUnreadable):
        return []
    return messages_of(transcript, header.run_id, model=header.model, now=header.started_at)
