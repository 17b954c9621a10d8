"""Which sessions stay in memory: blank ones, which exist nowhere else, together with the documents used last."""

import itertools
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

from api.sessions.documents.session import Session

_SLACK = 16
"""How many are added before the oldest are looked for: looking costs more than keeping a few too many."""


class SessionCache:
    """Bounds a dict that belongs to someone else and may be another one at every call.

    A session that was dropped but is still held somewhere is found again, so that there are never two of it.
    """

    def __init__(self, entries: Callable[[], dict[str, Session]], limit: int) -> None:
        self._entries = entries
        self._limit = limit
        self._added = 0
        self._lock = threading.RLock()
        self._clock = itertools.count()
        self._last_use: dict[str, int] = {}
        self._dropped: weakref.WeakValueDictionary[tuple[Path, str], Session] = weakref.WeakValueDictionary()

    def find(self, session_id: str, path: Path) -> Session | None:
        with self._lock:
            entries = self._entries()
            session = entries.get(session_id)
            if session is None and (session := self._dropped.pop((path, session_id), None)):
                entries[session_id] = session
            self._last_use[session_id] = next(self._clock)
            return session

    def peek(self, session_id: str) -> Session | None:
        """The session if it is in memory, without counting as a use."""
        return self._entries().get(session_id)

    def add(self, session: Session) -> Session:
        """Keep `session`, unless there is one with its id already; gives the one that is kept."""
        with self._lock:
            entries = self._entries()
            kept = entries.setdefault(session.session_id, session)
            self._last_use[session.session_id] = next(self._clock)
            self._added += 1
            if len(entries) > self._limit and self._added >= _SLACK:
                self._trim(entries)
            return kept

    def remove(self, session: Session) -> None:
        with self._lock:
            entries = self._entries()
            if entries.get(session.session_id) is session:
                del entries[session.session_id]
            self._last_use.pop(session.session_id, None)
            if session.seen is not None:
                self._dropped.pop((session.seen.path, session.session_id), None)

    def all(self) -> list[Session]:
        with self._lock:
            return list(self._entries().values())

    def _trim(self, entries: dict[str, Session]) -> None:
        for session in sorted(entries.values(), key=lambda one: self._last_use.get(one.session_id, -1)):
            if len(entries) <= self._limit:
                break
            if _may_be_dropped(session):
                del entries[session.session_id]
                if session.seen is not None:
                    self._dropped[session.seen.path, session.session_id] = session
        self._last_use = {name: use for name, use in self._last_use.items() if name in entries}
        self._added = 0


def _may_be_dropped(session: Session) -> bool:
    """Only what the disk has, and nobody works on right now."""
    if session.seen is None or session.is_streaming or session.pending_user_message:
        return False
    if not session.lock.acquire(blocking=False):
        return False
    try:
        return not session.is_changed
    finally:
        session.lock.release()
