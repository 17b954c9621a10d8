"""The sessions of a folder: make, get, save, delete, restore."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from api.domain.errors import BadRequest, StaleRevision, StorageFailed
from api.domain.ids import OWNER_LOCAL, is_safe_id
from api.sessions import trash
from api.sessions.cache import SessionCache
from api.sessions.document import Unreadable, decode, decode_header
from api.sessions.files import Unsynced, explained, make_folder
from api.sessions.loading import SessionNotFound, SessionUnreadable, load, read_document, refresh
from api.sessions.paging import Page, cursor_for, parse_cursor
from api.sessions.quarantine import Quarantined, scan
from api.sessions.rows import Row, is_shown, order, row_of
from api.sessions.saving import write_document
from api.sessions.session import Session

log = logging.getLogger(__name__)

_STRIPES = 64


class SessionStore:
    """`folder`, `index_file` and `cache` are asked at every use: they may be re-pointed while the process lives.

    Constructing it touches no disk. All methods may be called from any thread.
    """

    def __init__(
        self,
        folder: Callable[[], Path],
        index_file: Callable[[], Path],
        cache: Callable[[], dict[str, Session]],
        *,
        clock: Callable[[], float] = time.time,
        cache_limit: int = 200,
        session_type: Callable[..., Session] = Session,
    ) -> None:
        self._folder = folder
        self._index_file = index_file
        self._cache = SessionCache(cache, cache_limit)
        self._session_type = session_type
        self._loading = [threading.Lock() for _ in range(_STRIPES)]
        self._seen_folders: set[Path] = set()
        self._blank_deleted: set[str] = set()
        self.on_change: list[Callable[[list[str], list[str]], None]] = []
        self.now = clock

    def new(self, *, owner: str = OWNER_LOCAL, **fields: Any) -> Session:
        """A blank session, in memory only."""
        session = self._session_type(home=self, owner=owner, **fields)
        self.path_of(session.session_id)
        return self._cache.add(session)

    def get(self, session_id: str, *, owner: str = OWNER_LOCAL) -> Session:
        """The session: the very object that is in memory, else its document.

        Raises:
            SessionNotFound: there is none, it was deleted, or it is someone else's.
            SessionUnreadable: its document cannot be shown without guessing.
        """
        if not is_safe_id(session_id):
            raise SessionNotFound(session_id)
        path = self.path_of(session_id)
        session = self._cache.find(session_id, path)
        if session is None:
            with self._loading[hash(session_id) % _STRIPES]:
                session = self._cache.find(session_id, path) or self._cache.add(self._load(session_id, path))
        else:
            refresh(session, path)
        if session.owner != owner or session.deleted:
            raise SessionNotFound(session_id)
        return session

    def _load(self, session_id: str, path: Path) -> Session:
        if path == self._index_file() or trash.is_trashed(path.parent, session_id):
            raise SessionNotFound(session_id)
        session = self._session_type(session_id, home=self)
        load(session, path)
        return session

    def path_of(self, session_id: str) -> Path:
        """Where the document of a session is, or would be."""
        if not is_safe_id(session_id):
            raise BadRequest("That cannot be the id of a session.", field="session_id")
        return self._folder() / f"{session_id}.json"

    def save(self, session: Session, reason: str | None = None) -> None:
        """See `Session.save`."""
        with session.lock:
            path = self.path_of(session.session_id)
            self._open_folder(path.parent)
            try:
                write_document(session, path, self.now(), reason)
            except StaleRevision:
                if not session.is_streaming:
                    self._cache.remove(session)  # so that whoever asks next gets what is on disk now
                raise
        self._changed([session.session_id], [])

    def _open_folder(self, folder: Path) -> None:
        """Create the folder on its first use. One that was there and vanished is not replaced by an empty one."""
        if folder.is_dir():
            self._seen_folders.add(folder)
        elif folder in self._seen_folders:
            raise StorageFailed(
                "Not saved: the folder of the sessions is gone. Put it back, then try again.", code="folder_gone"
            )
        else:
            try:
                make_folder(folder)
            except OSError as error:
                raise explained(error, folder) from error

    def delete(self, session_id: str, *, owner: str = OWNER_LOCAL) -> None:
        """Move a session to the trash. Deleting again what was deleted succeeds.

        Raises:
            SessionNotFound: it never existed, or is someone else's.
            StorageFailed: the disk refused.
        """
        try:
            session = self.get(session_id, owner=owner)
        except SessionNotFound:
            if self._was_deleted(session_id, owner):
                return
            raise
        with session.lock:
            if session.seen is not None:
                self._move(trash.move_to_trash, session_id)
            else:
                self._blank_deleted.add(session_id)
            session.deleted = True
            self._cache.remove(session)
        self._changed([], [session_id])

    def restore(self, session_id: str, *, owner: str = OWNER_LOCAL) -> Session:
        """Undo `delete`. A session that is not deleted is given as it is.

        Raises:
            SessionNotFound: there is none in the trash, or it is someone else's.
            StorageFailed: the disk refused.
        """
        if self._was_deleted(session_id, owner):
            self._move(trash.move_back, session_id)
        session = self.get(session_id, owner=owner)
        self._changed([session_id], [])
        return session

    def _was_deleted(self, session_id: str, owner: str) -> bool:
        path = self.path_of(session_id)
        if session_id in self._blank_deleted:
            return True
        if not trash.is_trashed(path.parent, session_id):
            return False
        try:
            raw, _ = read_document(trash.trashed_path(path.parent, session_id), session_id)
            return (decode_header(raw, session_id).owner or OWNER_LOCAL) == owner
        except (SessionUnreadable, Unreadable):
            return owner == OWNER_LOCAL

    def _move(self, move: Callable[[Path, str], None], session_id: str) -> None:
        folder = self.path_of(session_id).parent
        try:
            move(folder, session_id)
        except Unsynced as error:
            log.error("session.move_not_confirmed", extra={"session_id": session_id, "why": str(error)})
        except OSError as error:
            raise explained(error, folder) from error

    def _changed(self, changed: list[str], removed: list[str]) -> None:
        for callback in self.on_change:
            callback(changed, removed)

    def all_rows(self, *, owner: str = OWNER_LOCAL) -> list[Row]:
        """The rows of every session that has something to show, read from the documents themselves."""
        found, _ = scan(self._folder(), self._index_file())
        rows: dict[str, Row] = {}
        for one in found:
            try:
                raw, _status = read_document(one.path, one.session_id)
                header = decode_header(raw, one.session_id)
            except (SessionNotFound, SessionUnreadable, Unreadable):
                continue
            if (header.owner or OWNER_LOCAL) == owner and not trash.is_trashed(one.path.parent, one.session_id):
                header.session_id = one.session_id
                rows[one.session_id] = row_of(header, [message.timestamp for message in header.messages], self.now())
        for session in self._cache.all():
            if session.owner == owner and not session.deleted:
                rows[session.session_id] = session.row()
        return sorted(filter(is_shown, rows.values()), key=order, reverse=True)

    def rows(
        self,
        *,
        owner: str = OWNER_LOCAL,
        limit: int = 50,
        cursor: str | None = None,
        archived: bool = False,
        q: str | None = None,
        project_id: str | None = None,
        tag: str | None = None,
    ) -> Page:
        every = self.all_rows(owner=owner)
        after = parse_cursor(cursor, tuple[bool, float, str]) if cursor else (True, float("inf"), "")
        wanted = [
            row
            for row in every
            if order(row) < after
            and row["archived"] is archived
            and (not q or q.casefold() in row["title"].casefold())
            and (not project_id or row["project_id"] == project_id)
            and (not tag or tag in row["tags"])
        ]
        counts = {
            "active": sum(not row["archived"] for row in every),
            "archived": sum(row["archived"] for row in every),
            "pinned": sum(row["pinned"] and not row["archived"] for row in every),
        }
        last = cursor_for(order(wanted[limit - 1])) if len(wanted) > limit else None
        return Page(wanted[:limit], last, counts, indexing=False)

    def count(self) -> int:
        return len(scan(self._folder(), self._index_file())[0])

    def quarantined(self) -> list[Quarantined]:
        """Files that look like sessions and cannot be shown, with the reason. None of them was touched."""
        found, odd = scan(self._folder(), self._index_file())
        for one in found:
            try:
                raw, _ = read_document(one.path, one.session_id)
                decode(raw, one.session_id)
            except SessionNotFound:
                continue
            except SessionUnreadable as error:
                odd.append(Quarantined(one.path.name, error.reason))
            except Unreadable as error:
                odd.append(Quarantined(one.path.name, str(error)))
        return odd
