"""Whether the documents, the index and the trash of a folder are what they should be. Reads, and changes nothing."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from api.sessions.disk import trash
from api.sessions.disk.loading import SessionNotFound, SessionUnreadable, read_document
from api.sessions.disk.quarantine import Found, scan
from api.sessions.documents.document import Unreadable, decode, usable_count
from api.sessions.finding.index import Entry, stamp_text
from api.sessions.finding.reading import read_entry


class _Mark(msgspec.Struct):
    id: Any = None


class _Marks(msgspec.Struct):
    """What a document says before anything in it is mended."""

    messages: list[_Mark]
    revision: Any = 0


def document_problems(found: Found) -> Iterator[str]:
    """What is wrong in a document that can be shown all the same. Loading mends it in memory, the next save on disk."""
    try:
        raw, _ = read_document(found.path, found.session_id)
        marks = msgspec.json.decode(raw, type=_Marks)
    except (SessionNotFound, SessionUnreadable, ValueError, RecursionError):
        return  # gone meanwhile, or listed as unreadable
    ids = Counter(one.id for one in marks.messages if isinstance(one.id, str) and one.id)
    for message_id, count in ids.items():
        if count > 1:
            yield f"{found.session_id} holds {count} messages with the id {message_id[:80]}."
    if usable_count(marks.revision) != marks.revision:
        yield f"{found.session_id} has the revision {str(marks.revision)[:80]!r}, which is no count."


def trash_problems(folder: Path) -> Iterator[str]:
    """Deleted sessions that could not be restored, and what a removal left behind."""
    for session_id in sorted(trash.restorable_ids(folder)):
        try:
            raw, _ = read_document(trash.trashed_path(folder, session_id), session_id)
            decode(raw, session_id)
        except SessionNotFound:
            continue
        except (SessionUnreadable, Unreadable) as error:
            reason = error.reason if isinstance(error, SessionUnreadable) else str(error)
            yield f"{session_id} in the trash cannot be read: {reason}"
    for session_id in sorted(trash.half_gone_ids(folder)):
        yield f"{session_id} was removed for good, but its document is still there; the next start removes it."
    paths = sorted((folder / trash.FOLDER).glob("*.json"))
    deleted = trash.deleted_ids(folder)
    for path in paths:
        if path.name != trash.LEDGER and path.name.partition(".")[0] not in deleted:
            yield f"{path.name} in the trash belongs to no session that was deleted."


def index_problems(folder: Path, index_file: Path) -> Iterator[str]:
    """Where the index says of a document what the document does not. One that is behind is no problem: it is told of
    the change, or finds it at the next start."""
    if not index_file.is_file():
        return
    found = {one.session_id: one for one in scan(folder, index_file)[0]}
    # Without a journal beside it nobody writes just now, and looking then makes none either.
    how = "mode=ro" if index_file.with_name(f"{index_file.name}-wal").exists() else "immutable=1"
    try:
        connection = sqlite3.connect(f"{index_file.absolute().as_uri()}?{how}", uri=True)
    except sqlite3.Error:
        return
    try:
        yield from _differences(connection, found)
    except sqlite3.DatabaseError as error:
        if "locked" not in str(error) and "unable to open" not in str(error):
            yield f"The index cannot be used ({error}); it is built anew at the next start."
    finally:
        connection.close()


def _differences(connection: sqlite3.Connection, found: dict[str, Found]) -> Iterator[str]:
    for key, session_id, stamp, row, problem in connection.execute(
        "SELECT id, session_id, stamp, row, problem FROM session WHERE has_words"
    ).fetchall():
        one = found.get(session_id)
        if one is None or stamp != stamp_text(one.stamp) or problem:
            continue
        entry = read_entry(one, float("inf"), with_messages=True)
        if entry is None or entry.problem or stamp != stamp_text(entry.stamp):
            continue
        ids = connection.execute("SELECT message_id FROM message WHERE session=? ORDER BY position", (key,)).fetchall()
        still = connection.execute("SELECT stamp FROM session WHERE id=?", (key,)).fetchone()
        if still == (stamp,) and not _agrees(entry, msgspec.json.decode(row), [message_id for (message_id,) in ids]):
            yield f"The index is wrong about {session_id}; `./run reindex` mends it."


def _agrees(entry: Entry, row: dict[str, Any], message_ids: list[str]) -> bool:
    names = ("title", "message_count", "pinned", "archived", "project_id", "tags", "revision")
    same = all(row[name] == entry.row[name] for name in names)
    return same and message_ids == [message["id"] for message in entry.messages or []]
