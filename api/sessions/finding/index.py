"""The index file: what lists show and what searches look through, kept in step with the documents.

One connection writes, under a lock; lists and searches read through connections of their own and wait for nobody.
"""

import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from api.domain.attachments import words_of
from api.domain.messages import Message
from api.sessions.disk.files import is_regular_file, move_file, remove_file, replace_file
from api.sessions.disk.quarantine import Stamp
from api.sessions.documents.document import usable_time
from api.sessions.documents.rows import Row, is_shown
from api.sessions.finding.fulltext import searchable
from api.sessions.finding.schema import Unusable, connect, prepare

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_REMEMBERED = 32
_PAGES_AT_ONCE = 50
"""Of 4 kB; a save waits for no more than that, some 20 ms."""


class Entry(msgspec.Struct, frozen=True):
    """What the index is told of one document. `messages` None: they follow later. `problem`: why it cannot be shown."""

    session_id: str
    stamp: Stamp
    owner: str
    row: Row
    messages: list[Message] | None = None
    problem: str | None = None


class Index:
    """Open with `open_index`. Every method may raise sqlite3.Error; none of them may fail a save."""

    def __init__(self, path: Path) -> None:
        if not os.path.lexists(path):
            for beside in _beside(path):  # a journal without its database would be read into the new one
                remove_file(beside)
            replace_file(path, b"")  # with our mode, which SQLite gives its own files beside it as well
        if not is_regular_file(path):
            raise Unusable("it is no plain file")
        self.path = path
        self._writing = threading.RLock()
        self._writer = connect(str(path))
        try:
            prepare(self._writer)
        except BaseException:
            self._writer.close()
            raise
        self.lists = Reader(path)
        self.searches = Reader(path)
        self._remembered: dict[str, tuple[str, list[tuple[str, str, Any]]]] = {}

    def close(self) -> None:
        with self._writing:
            self.lists.close()
            self.searches.close()
            self._writer.close()

    def is_sound(self) -> bool:
        """Look through the whole file for damage."""
        reader = Reader(self.path)
        try:
            return reader.all("PRAGMA quick_check(1)") == [("ok",)]
        finally:
            reader.close()

    def stamps(self) -> dict[str, tuple[str, bool]]:
        """By session: the stamp of the document its row was read from, and whether its messages were read as well."""
        found = self.lists.all("SELECT session_id, stamp, has_words FROM session")
        return {session_id: (stamp, bool(has_words)) for session_id, stamp, has_words in found}

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                self._remembered.clear()
                raise

    def put(self, entries: Iterable[Entry], *, is_current: Callable[[Entry], bool] = lambda entry: True) -> list[str]:
        """Take `entries` in, in one transaction; gives the ids of those taken.

        `is_current` is asked under the write lock, so that nothing read before a save replaces what the save put.
        """
        taken = []
        with self._transaction() as connection:
            for entry in entries:
                if is_current(entry):
                    self._put(connection, entry)
                    taken.append(entry.session_id)
        return taken

    def remove(self, session_ids: Iterable[str], *, is_gone: Callable[[str], bool] = lambda session_id: True) -> None:
        with self._transaction() as connection:
            for session_id in session_ids:
                found = connection.execute("SELECT id FROM session WHERE session_id=?", (session_id,)).fetchone()
                if found and is_gone(session_id):
                    self._forget(connection, found[0])
                    self._remembered.pop(session_id, None)

    def _forget(self, connection: sqlite3.Connection, key: int) -> None:
        connection.execute(
            "INSERT INTO words(words, rowid, body) SELECT 'delete', id, words_of(text) FROM message WHERE session=?",
            (key,),
        )
        connection.execute("DELETE FROM message WHERE session=?", (key,))
        self._set_title(connection, key, "")
        connection.execute("DELETE FROM session WHERE id=?", (key,))

    def note_traces(self) -> None:
        """What was removed just now shall leave nothing here, see `forget_traces`."""
        with self._transaction() as connection:
            connection.execute("INSERT INTO traces VALUES(1)")

    def forget_traces(self) -> None:
        """Write over what is left of removed words, if `note_traces` asked for it: in steps, for saves to get between.

        A word that no message holds any more stays in the full-text index until its parts are merged, and in the log
        beside the file until that is emptied.
        """
        (noted,) = self.lists.all("SELECT max(rowid) FROM traces")[0]
        if noted is None:
            return
        for table in ("words", "titles"):
            # A negative number begins to merge all parts into one, others go on with it.
            self._merge(table, -_PAGES_AT_ONCE)
            while self._merge(table, _PAGES_AT_ONCE):
                continue
        with self._writing:
            is_busy = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if not is_busy:
            with self._transaction() as connection:
                connection.execute("DELETE FROM traces WHERE rowid <= ?", (noted,))

    def _merge(self, table: str, pages: int) -> bool:
        """One step; was there anything to be done?"""
        with self._transaction() as connection:
            before = connection.total_changes
            connection.execute(f"INSERT INTO {table}({table}, rank) VALUES('merge', ?)", (pages,))
            return connection.total_changes - before >= 2

    def _put(self, connection: sqlite3.Connection, entry: Entry) -> None:
        known = connection.execute("SELECT id, stamp FROM session WHERE session_id=?", (entry.session_id,)).fetchone()
        key = known[0] if known else self._new_key(connection, entry.session_id)
        self._set_title(connection, key, "" if entry.problem else entry.row["title"])
        self._set_row(connection, key, entry)
        if entry.problem:
            self._set_messages(connection, key, [], 0)
        elif entry.messages is not None:
            unchanged = self._unchanged(entry, known[1] if known else "")
            self._set_messages(connection, key, entry.messages, unchanged)
            self._remember(entry)

    def _new_key(self, connection: sqlite3.Connection, session_id: str) -> int:
        cursor = connection.execute(
            "INSERT INTO session(session_id, stamp, owner, shown, archived, pinned, last_message_at, title,"
            " title_folded, tags, row, has_words) VALUES(?, '', '', 0, 0, 0, 0, '', '', '[]', '', 0)",
            (session_id,),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def _set_title(self, connection: sqlite3.Connection, key: int, title: str) -> None:
        (before,) = connection.execute("SELECT title FROM session WHERE id=?", (key,)).fetchone()
        title = searchable(title)
        if title == before:
            return
        if before:
            connection.execute(
                "INSERT INTO titles(titles, rowid, body) VALUES('delete', ?, words_of(?))", (key, before)
            )
        if title:
            connection.execute("INSERT INTO titles(rowid, body) VALUES(?, words_of(?))", (key, title))
        connection.execute("UPDATE session SET title=? WHERE id=?", (title, key))

    def _set_row(self, connection: sqlite3.Connection, key: int, entry: Entry) -> None:
        row = entry.row
        connection.execute(
            "UPDATE session SET stamp=?, owner=?, shown=?, archived=?, pinned=?, last_message_at=?, title_folded=?,"
            " project_id=?, model=?, tags=?, row=?, has_words=?, problem=? WHERE id=?",
            (
                stamp_text(entry.stamp),
                entry.owner,
                not entry.problem and is_shown(row),
                row["archived"],
                row["pinned"],
                row["last_message_at"],
                row["title"].casefold(),
                row["project_id"],
                row["model"],
                msgspec.json.encode(row["tags"]).decode(),
                msgspec.json.encode(row),
                entry.messages is not None or bool(entry.problem),
                entry.problem,
                key,
            ),
        )

    def _set_messages(self, connection: sqlite3.Connection, key: int, messages: list[Message], unchanged: int) -> None:
        """Bring the messages from position `unchanged` on in line with `messages`, touching only what differs."""
        known = {
            message_id: (row_id, position, checksum)
            for message_id, row_id, position, checksum in connection.execute(
                "SELECT message_id, id, position, checksum FROM message WHERE session=? AND position>=?",
                (key, unchanged),
            )
        }
        fresh = []
        for position in range(unchanged, len(messages)):
            message = messages[position]
            text = searchable(words_of(message))
            checksum = zlib.crc32(text.encode(errors="replace"), zlib.crc32(message["role"].encode(errors="replace")))
            row_id, old_position, old_checksum = known.pop(message["id"], (None, None, None))
            if row_id is not None and old_checksum == checksum:
                if old_position != position:
                    connection.execute("UPDATE message SET position=? WHERE id=?", (position, row_id))
                continue
            if row_id is not None:
                _forget_message(connection, row_id)
            time = usable_time(message.get("timestamp"))
            fresh.append((key, message["id"], position, message["role"], time, checksum, text))
        for row_id, _, _ in known.values():
            _forget_message(connection, row_id)
        for values in fresh:
            cursor = connection.execute(
                "INSERT INTO message(session, message_id, position, role, timestamp, checksum, text)"
                " VALUES(?, ?, ?, ?, ?, ?, ?)",
                values,
            )
            connection.execute("INSERT INTO words(rowid, body) VALUES(?, words_of(?))", (cursor.lastrowid, values[-1]))

    def _unchanged(self, entry: Entry, stamp: str) -> int:
        """How many messages at the beginning are the very ones that were put last time, so that none need be read."""
        remembered = self._remembered.get(entry.session_id)
        if remembered is None or remembered[0] != stamp:
            return 0
        count = 0
        for (message_id, role, content), message in zip(remembered[1], entry.messages or [], strict=False):
            if not isinstance(content, str) or message.get("content") is not content:
                break
            if message["id"] != message_id or message["role"] != role:
                break
            count += 1
        return count

    def _remember(self, entry: Entry) -> None:
        self._remembered.pop(entry.session_id, None)
        seen = [(message["id"], message["role"], message.get("content")) for message in entry.messages or []]
        self._remembered[entry.session_id] = stamp_text(entry.stamp), seen
        if len(self._remembered) > _REMEMBERED:
            del self._remembered[next(iter(self._remembered))]


def _forget_message(connection: sqlite3.Connection, row_id: int) -> None:
    connection.execute(
        "INSERT INTO words(words, rowid, body) SELECT 'delete', id, words_of(text) FROM message WHERE id=?", (row_id,)
    )
    connection.execute("DELETE FROM message WHERE id=?", (row_id,))


class Reader:
    """A connection that only reads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = connect(str(path))
        self._connection.execute("PRAGMA query_only=ON")

    def all(self, sql: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(sql, tuple(values)).fetchall()

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def stamp_text(stamp: Stamp) -> str:
    """An inode may be larger than the numbers SQLite can hold."""
    return ":".join(map(str, stamp))


def open_index(path: Path) -> tuple[Index, str | None]:
    """The index at `path`, and why the file that was there had to be moved aside, None when it was not.

    Raises:
        sqlite3.Error, OSError: none can be kept there.
    """
    try:
        return Index(path), None
    except (sqlite3.DatabaseError, Unusable) as error:
        if not os.path.lexists(path):
            raise
        move_aside(path)
        return Index(path), str(error)


def move_aside(path: Path) -> None:
    """Keep a file that cannot be used, beside, one at most: it may be another program's."""
    name = f"_{path.stem.lstrip('_')}.broken-"
    for old in path.parent.glob(f"{name}*"):
        if is_regular_file(old):
            remove_file(old)
    target = path.with_name(name + time.strftime("%Y%m%dT%H%M%S"))
    for source, kept in zip([*_beside(path), path], [*_beside(target), target], strict=True):
        if os.path.lexists(source):
            move_file(source, kept)


def drop_index(path: Path) -> None:
    """Remove an index of ours, which the next use builds again."""
    for one in (*_beside(path), path):
        remove_file(one)


def _beside(path: Path) -> list[Path]:
    return [path.with_name(path.name + "-shm"), path.with_name(path.name + "-wal")]


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is at fault, not the disk, a lock or the query."""
    return isinstance(error, sqlite3.DatabaseError) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED
