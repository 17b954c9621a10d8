"""The tables of the index. They are derived from the documents: another shape is made by building them again."""

import sqlite3

from api.sessions.finding.fulltext import VERSION as WORDS_VERSION
from api.sessions.finding.fulltext import words_of

APPLICATION_ID = 0x46495245
"""'FIRE': any other file of that name belongs to another program."""

SCHEMA_VERSION = 2

_TABLES = """
CREATE TABLE about(words_version TEXT NOT NULL);
CREATE TABLE session(
  id INTEGER PRIMARY KEY,
  session_id TEXT NOT NULL UNIQUE,
  stamp TEXT NOT NULL,            -- of the document this was read from: mtime in ns, size, inode
  owner TEXT NOT NULL,
  shown INTEGER NOT NULL,
  archived INTEGER NOT NULL,
  pinned INTEGER NOT NULL,
  last_message_at REAL NOT NULL,
  title TEXT NOT NULL,
  title_folded TEXT NOT NULL,
  project_id TEXT,
  model TEXT,
  tags TEXT NOT NULL,             -- JSON
  row BLOB NOT NULL,              -- JSON
  has_words INTEGER NOT NULL,     -- whether its messages below are those of the same document
  problem TEXT                    -- why it cannot be shown
);
CREATE INDEX session_by_time ON session(owner, shown, archived, pinned, last_message_at, session_id);
CREATE INDEX session_without_words ON session(last_message_at) WHERE NOT has_words;
CREATE TABLE message(
  id INTEGER PRIMARY KEY,
  session INTEGER NOT NULL,
  message_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  role TEXT NOT NULL,
  timestamp REAL,
  checksum INTEGER NOT NULL,
  text TEXT NOT NULL,
  UNIQUE (session, message_id)
);
CREATE VIRTUAL TABLE words USING fts5(body, content='', tokenize='unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE titles USING fts5(body, content='', tokenize='unicode61 remove_diacritics 2');
"""


class Unusable(Exception):
    """The file is no index of ours, or one of another version."""


def connect(path: str, *, busy_s: float = 0.5) -> sqlite3.Connection:
    """A connection that any thread may use, one at a time. Transactions are begun by hand."""
    connection = sqlite3.connect(path, timeout=busy_s, isolation_level=None, check_same_thread=False)
    connection.create_function("words_of", 1, words_of, deterministic=True)
    return connection


def prepare(connection: sqlite3.Connection) -> None:
    """Create the tables in an empty file, or make sure that they are there.

    Raises:
        Unusable: see there.
        sqlite3.DatabaseError: it is no database, damaged or locked.
    """
    # No fsync for each commit: what a power cut takes away is read from the documents again.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    # What is taken out is written over with zeros, here and nowhere else: this is the connection that writes.
    connection.execute("PRAGMA secure_delete=ON")
    if _number(connection, "application_id") == 0 and not connection.execute("SELECT * FROM sqlite_master").fetchone():
        connection.executescript(
            f"BEGIN; PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={SCHEMA_VERSION}; {_TABLES}"
            f"INSERT INTO about VALUES('{WORDS_VERSION}'); COMMIT;"
        )
    if _number(connection, "application_id") != APPLICATION_ID:
        raise Unusable("it belongs to another program")
    if _number(connection, "user_version") != SCHEMA_VERSION:
        raise Unusable("it has another version")
    if connection.execute("SELECT words_version FROM about").fetchall() != [(WORDS_VERSION,)]:
        raise Unusable("its words were cut by another rule")
    connection.execute("CREATE TABLE IF NOT EXISTS traces(noted INTEGER NOT NULL)")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return connection.execute(f"PRAGMA {pragma}").fetchone()[0]
