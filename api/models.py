"""The session API under its fixed name.

`SESSIONS`, `SESSION_DIR` and `SESSION_INDEX_FILE` may be re-pointed while the process lives: they are looked up at
every use. Importing this touches no disk.
"""

from pathlib import Path
from typing import Any

from api.sessions.documents.rows import Row
from api.sessions.documents.session import Session as _Session
from api.sessions.store import SessionStore
from api.settings import default_state_dir

SESSIONS: dict[str, _Session] = {}
SESSION_DIR: Path = default_state_dir() / "sessions"
SESSION_INDEX_FILE: Path = SESSION_DIR / "_index.db"

_own_index_file = SESSION_INDEX_FILE


def _index_file() -> Path:
    """An index describes one folder: where only the folder was re-pointed, the index goes with it."""
    own = SESSION_INDEX_FILE is _own_index_file
    return Path(SESSION_DIR) / _own_index_file.name if own else Path(SESSION_INDEX_FILE)


def use_folder(folder: Path) -> None:
    """Point `SESSION_DIR` at `folder`, and the index into it."""
    global SESSION_DIR, SESSION_INDEX_FILE
    SESSION_DIR, SESSION_INDEX_FILE = folder, folder / _own_index_file.name


class Session(_Session):
    """A session of `SESSION_DIR`. Making one puts it nowhere; see `new_session`."""

    def __init__(self, session_id: str | None = None, **fields: Any) -> None:
        super().__init__(session_id, **{"home": store, **fields})


store = SessionStore(lambda: Path(SESSION_DIR), _index_file, lambda: SESSIONS, session_type=Session)


def new_session(**fields: Any) -> _Session:
    """A blank session, findable by its id in `SESSIONS`. Nothing is written before it has something to keep.

    The trade: should the process end before the session's first message is saved, the session is gone. It held no
    message, so nothing that anyone wrote is lost, and sessions that were opened and never used leave no files behind.
    Whoever gives it a message or a title calls `save`, before telling anyone that it was accepted.
    """
    return store.new(**fields)


def get_session(session_id: str) -> _Session:
    """The session in `SESSIONS`, that very object, else from its document.

    Raises:
        KeyError: there is no such session.
    """
    return store.get(session_id)


def all_sessions() -> list[Row]:
    """A row for every session, pinned first, then the newest message first; none that is Untitled with no messages."""
    return store.all_rows()
