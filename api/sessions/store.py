"""The sessions of a folder: make, get, save, delete, restore."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from api.domain.errors import BadRequest, NotFound, StaleRevision, StorageFailed
from api.domain.ids import OWNER_LOCAL, is_safe_id
from api.domain.messages import Message
from api.sessions.cache import SessionCache
from api.sessions.disk import trash
from api.sessions.disk.conflicts import keep_theirs
from api.sessions.disk.files import Unsynced, explained, make_folder, open_regular, sweep_temps
from api.sessions.disk.loading import SessionNotFound, SessionUnreadable, load, read_document, refresh
from api.sessions.disk.quarantine import Found, Quarantined, scan, stamp_of
from api.sessions.disk.saving import write_document
from api.sessions.documents.document import Unreadable, decode_header
from api.sessions.documents.rows import Row, is_shown, order
from api.sessions.documents.session import Seen, Session
from api.sessions.finding import search
from api.sessions.finding.index import Entry, Index, stamp_text
from api.sessions.finding.indexing import Indexer
from api.sessions.finding.listing import (
    LARGEST_PAGE,
    Listed,
    Wanted,
    count_all,
    count_rows,
    known_problems,
    known_rows,
    list_rows,
    next_cursor,
    page_of,
)
from api.sessions.finding.paging import Page, Position, parse_cursor
from api.sessions.finding.reading import read_entry

log = logging.getLogger(__name__)

_BLANKS_REMEMBERED = 100
_TOLD_ONE_BY_ONE = 100


class SessionStore:
    """`folder`, `index_file` and `cache` are asked at every use: they may be re-pointed while the process lives.

    Constructing it touches no disk. All methods may be called from any thread. `held` is asked for every row: how many
    messages wait in a session until a person says so.
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
        self._guards = [threading.Lock() for _ in range(64)]
        self._opening = threading.Lock()
        self._seen_folders: set[Path] = set()
        self._blank_deleted: dict[str, Session] = {}
        self.on_change: list[Callable[[list[str], list[str]], None]] = []
        self.on_outside: list[Callable[[str], None]] = []
        self.now = clock
        self.held: Callable[[str], int] = lambda session_id: 0
        self.indexer = Indexer(folder, index_file, clock, self._found_by_index)

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
            with self._guard(session_id):
                session = self._cache.find(session_id, path) or self._cache.add(self._load(session_id, path))
        else:
            self._follow_file(session, path)
        if session.owner != owner or session.deleted:
            raise SessionNotFound(session_id)
        return session

    def _follow_file(self, session: Session, path: Path) -> None:
        try:
            if refresh(session, path):
                self._tell_outside([session.session_id])
        except SessionNotFound:
            self._cache.remove(session)
            raise

    def look_outside(self) -> None:
        """Follow what other programs did to the sessions that are in memory, and tell who shows them."""
        for session in self._cache.all():
            before = session.seen
            if before is None or session.deleted or _is_as_seen(before):
                continue
            try:
                self.get(session.session_id, owner=session.owner)
                is_news = session.seen is not before
            except NotFound:
                is_news = True
            if is_news:
                self.indexer.look_again()
                self._changed([session.session_id], [])

    def make_way(self, session: Session) -> None:
        """A save was refused for what someone else did to the file, and what is in memory must not be lost.

        Their version becomes a session of its own, and the next save of this one is not refused for it.

        Raises:
            SessionUnreadable, StorageFailed: nothing was changed.
        """
        with session.lock:
            path = self.path_of(session.session_id)
            try:
                kept_id = keep_theirs(session, path)
            except OSError as error:
                raise explained(error, path.parent) from error
            self._cache.add(session)
        self.indexer.look_again()
        if kept_id is not None:
            self._changed([kept_id], [])

    def _tell_outside(self, session_ids: list[str]) -> None:
        for tell in self.on_outside:
            for session_id in session_ids:
                tell(session_id)

    def _found_by_index(self, changed: list[str], removed: list[str]) -> None:
        """The index found documents other than it knew them: at the first start all, later what others changed."""
        self._changed(changed, removed)
        if len(changed) <= _TOLD_ONE_BY_ONE:
            self._tell_outside(changed)

    def _guard(self, session_id: str) -> threading.Lock:
        """Held while a session enters memory or leaves it: no two objects of it, and none of one that is deleted."""
        return self._guards[hash(session_id) % len(self._guards)]

    def _load(self, session_id: str, path: Path) -> Session:
        if path == self._index_file() or trash.is_trashed(path.parent, session_id):
            raise SessionNotFound(session_id)
        session = self._session_type(session_id, home=self)
        load(session, path)
        return session

    @property
    def folder(self) -> Path:
        """Where the documents are just now."""
        return self._folder()

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
                messages = write_document(session, path, self.now(), reason)
            except StaleRevision:
                if not session.is_streaming:
                    self._cache.remove(session)  # so that whoever asks next gets what is on disk now
                raise
            self._put(session, messages)
        self._changed([session.session_id], [])

    def _put(self, session: Session, messages: list[Message]) -> None:
        if session.seen is not None:
            row = session.row() | {"held_messages": 0}
            entry = Entry(session.session_id, session.seen.stamp, session.owner, row, messages)
            self.indexer.put(entry)

    def _open_folder(self, folder: Path) -> None:
        """Create the folder on its first use. One that was there and vanished is not replaced by an empty one."""
        with self._opening:
            if folder.is_dir():
                self._seen_folders.add(folder)
            elif folder in self._seen_folders:
                raise _folder_gone()
            else:
                _make(folder)

    def delete(self, session_id: str, *, owner: str = OWNER_LOCAL) -> None:
        """Move a session to the trash, also one that cannot be opened. Deleting again what was deleted succeeds.

        Raises:
            SessionNotFound: it never existed, or is someone else's.
            StorageFailed: the disk refused; `not_confirmed`: deleted, but a power cut may undo that.
        """
        try:
            session = self.get(session_id, owner=owner)
        except SessionNotFound:
            if not self.was_deleted(session_id, owner):
                raise
            return
        except SessionUnreadable:
            if owner != OWNER_LOCAL:
                raise SessionNotFound(session_id) from None
            session = self._session_type(session_id, home=self)
            self._delete(session, is_stored=True)
        else:
            self._delete(session, is_stored=session.seen is not None)

    def _delete(self, session: Session, *, is_stored: bool) -> None:
        unconfirmed = None
        with session.lock, self._guard(session.session_id):
            if is_stored:
                unconfirmed = self._move(trash.move_to_trash, session.session_id)
            else:
                self._remember_blank(session)
            session.deleted = True
            self._cache.remove(session)
            self.indexer.remove(session.session_id)
        self._changed([], [session.session_id])
        if unconfirmed:
            raise unconfirmed

    def _remember_blank(self, session: Session) -> None:
        """A session that was never saved has no file to put into the trash."""
        self._blank_deleted[session.session_id] = session
        if len(self._blank_deleted) > _BLANKS_REMEMBERED:
            del self._blank_deleted[next(iter(self._blank_deleted))]

    def restore(self, session_id: str, *, owner: str = OWNER_LOCAL) -> Session:
        """Undo `delete`. A session that is not deleted is given as it is.

        Raises:
            SessionNotFound: there is none in the trash, or it is someone else's.
            StorageFailed: the disk refused; `not_confirmed`: restored, but a power cut may undo that.
        """
        unconfirmed = None
        if self.was_deleted(session_id, owner):
            with self._guard(session_id):
                blank = self._blank_deleted.pop(session_id, None)
                if blank is not None:
                    blank.deleted = False
                    self._cache.add(blank)
                else:
                    unconfirmed = self._move(trash.move_back, session_id)
        session = self.get(session_id, owner=owner)
        with session.lock:
            self._put(session, list(session.messages))
        self._changed([session_id], [])
        if unconfirmed:
            raise unconfirmed
        return session

    def remove_for_good(self, session_id: str, *, owner: str = OWNER_LOCAL) -> None:
        """Remove a deleted session, so that nothing but the mark stays that it was there. Doing it again succeeds.

        Raises:
            SessionNotFound: it is not deleted, or is someone else's.
            StorageFailed: the disk refused; unless its mark was written, it can still be restored.
        """
        if not self.was_deleted(session_id, owner):
            raise SessionNotFound(session_id)
        folder = self.path_of(session_id).parent
        with self._guard(session_id):
            if self._blank_deleted.pop(session_id, None) is None:
                if not trash.is_trashed(folder, session_id):
                    raise SessionNotFound(session_id)  # someone restored it just now
                try:
                    trash.remove_for_good(folder, session_id, trash.Gone(self.now(), owner))
                except OSError as error:
                    raise explained(error, folder) from error
        self._changed([], [session_id])

    def was_deleted(self, session_id: str, owner: str) -> bool:
        """Did this session exist once, and is it in the trash now, or removed for good?"""
        return self.owner_in_trash(session_id) == owner

    def is_taken(self, session_id: str) -> bool:
        """Is there something under this id, or was there, whosever it is and whether it can be read or not?"""
        path = self.path_of(session_id)
        is_there = self._cache.peek(session_id) is not None or path.is_symlink() or path.exists()
        return is_there or self.owner_in_trash(session_id) is not None

    def owner_in_trash(self, session_id: str) -> str | None:
        """Whose session it was that is deleted now; None when it is not."""
        folder = self.path_of(session_id).parent
        blank = self._blank_deleted.get(session_id)
        if blank is not None:
            return blank.owner
        if gone := trash.read_gone(folder, session_id):
            return gone.owner
        try:
            raw, _ = read_document(trash.trashed_path(folder, session_id), session_id)
            return decode_header(raw, session_id).owner or OWNER_LOCAL
        except SessionNotFound:
            return None
        except (SessionUnreadable, Unreadable):
            return OWNER_LOCAL

    def _move(self, move: Callable[[Path, str], None], session_id: str) -> StorageFailed | None:
        """Carry out `move`; gives the failure when it happened but may be undone by a power cut."""
        folder = self.path_of(session_id).parent
        try:
            move(folder, session_id)
        except Unsynced as error:
            return explained(error, folder)
        except FileNotFoundError:
            if not folder.is_dir():
                raise _folder_gone() from None
            # Another program removed it first, which is what was wanted of a deletion, and leaves nothing to restore.
            log.warning("session.already_gone", extra={"session_id": session_id})
        except OSError as error:
            raise explained(error, folder) from error
        return None

    def _changed(self, changed: list[str], removed: list[str]) -> None:
        for callback in self.on_change:
            try:
                callback(changed, removed)
            except Exception:  # somebody else's code: what it is told about is on disk already
                log.exception("session.watcher_failed")

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
        """A page of the list, pinned first, then the newest message first; at most 500 rows.

        Raises:
            BadRequest: the cursor is none of ours.
        """
        wanted = Wanted(
            owner=owner,
            limit=max(1, min(limit, LARGEST_PAGE)),
            after=parse_cursor(cursor, Position) if cursor else None,
            archived=archived,
            q=q,
            project_id=project_id,
            tag=tag,
        )
        self.indexer.look_if_nobody_does()
        page = None
        if not self.indexer.is_behind:
            page = self.indexer.attempt(lambda index: self._page(index, wanted), None)
        page = page or page_of(self.all_rows(owner=owner, with_unsaved=False), wanted)
        self._fill_in(page.rows)
        return page

    def _fill_in(self, rows: Iterable[Row]) -> None:
        """What no document and no index tells of a session."""
        for row in rows:
            row["held_messages"] = self.held(row["session_id"])

    def _page(self, index: Index, wanted: Wanted) -> Page:
        # Asked first: an index that is complete only afterwards may lack rows here.
        is_complete = self.indexer.is_complete
        listed = list_rows(index, wanted)
        following = next_cursor([one.row for one in listed], wanted.limit)
        rows = [row for one in listed[: wanted.limit] if (row := self._as_it_is(one)) is not None]
        return Page(rows, following, count_rows(index, wanted.owner), indexing=not is_complete)

    def _as_it_is(self, listed: Listed) -> Row | None:
        """The row, once the file agrees: where index and file differ, the file is right."""
        row = listed.row
        try:
            if stamp_text(stamp_of(self.path_of(row["session_id"]).lstat())) != listed.stamp:
                self.indexer.look_soon()
        except OSError:
            self.indexer.look_soon()
            return None
        session = self._cache.peek(row["session_id"])
        if session is not None:
            row |= {"is_streaming": session.is_streaming, "active_stream_id": session.active_stream_id}
        return row

    def all_rows(self, *, owner: str = OWNER_LOCAL, with_unsaved: bool = True) -> list[Row]:
        """The rows of every session that has something to show, in the order of lists.

        The files decide; the index only saves reading those that it knows.
        """
        found, _ = scan(self._folder(), self._index_file())
        known = self.indexer.attempt(lambda index: known_rows(index, owner), {})
        rows: dict[str, Row] = {}
        for one in found:
            stamp, row = known.get(one.session_id, ("", None))
            if stamp != stamp_text(one.stamp):
                row = self._read_row(one, owner)
            if row is not None:
                rows[one.session_id] = row
        stamps = {one.session_id: one.stamp for one in found}
        for session in self._cache.all():
            known_stamp = session.seen.stamp if session.seen else None
            is_ours = session.owner == owner and not session.deleted
            is_current = stamps.get(session.session_id) == known_stamp
            if is_ours and is_current and (known_stamp or with_unsaved):
                rows[session.session_id] = session.row()
        self._fill_in(rows.values())
        return sorted(filter(is_shown, rows.values()), key=order, reverse=True)

    def _read_row(self, found: Found, owner: str) -> Row | None:
        entry = read_entry(found, self.now(), with_messages=False)
        return entry.row if entry and not entry.problem and entry.owner == owner else None

    def search(
        self,
        q: str,
        *,
        owner: str = OWNER_LOCAL,
        limit: int = 20,
        cursor: str | None = None,
        projects: Mapping[str, str] | None = None,
    ) -> search.SearchPage:
        """Sessions by what was said in them; see `search.search`. Without an index nothing is found."""
        nothing = search.SearchPage([], None, 0.0)
        found = self.indexer.attempt(
            lambda index: search.search(index, q, owner=owner, limit=limit, cursor=cursor, projects=projects), nothing
        )
        self._fill_in(hit.session for hit in found.results)
        return found

    def quarantined(self) -> list[Quarantined]:
        """Files that look like sessions and cannot be shown, with the reason. None of them was touched."""
        found, odd = scan(self._folder(), self._index_file())
        known = self.indexer.attempt(known_problems, {})
        for one in found:
            stamp, problem = known.get(one.session_id, ("", None))
            if stamp != stamp_text(one.stamp):
                entry = read_entry(one, self.now(), with_messages=True)
                problem = entry.problem if entry else None
            if problem:
                odd.append(Quarantined(one.path.name, problem))
        return odd

    def open_quarantined(self, name: str) -> BinaryIO:
        """One of the files that `quarantined` lists, as it is.

        Raises:
            NotFound: it is none of those, or no plain file.
        """
        if any(one.name == name for one in self.quarantined()):
            with contextlib.suppress(OSError):
                return open_regular(self._folder() / name)
        raise NotFound("There is no such file any more, or it can be read by now.", code="file_not_found", field="name")

    def count(self) -> int:
        """How many sessions there are, of all owners; blank ones are not counted."""
        counted = self.indexer.attempt(count_all, None)
        return len(scan(self._folder(), self._index_file())[0]) if counted is None else counted

    def start_indexing(self) -> None:
        """Sweep what dead processes left, then compare the index with the files in the background, from now on."""
        with contextlib.suppress(OSError):  # a disk that refuses this refuses nothing that is shown
            sweep_temps(self._folder())
            trash.prepare(self._folder())
            sweep_temps(self._folder() / trash.FOLDER)
        self.indexer.start()

    def wait_indexed(self, timeout: float | None = None) -> bool:
        """Whether the index is complete, at the latest after `timeout` seconds."""
        return self.indexer.wait(timeout)

    def reindex(self) -> int:
        """Throw the index away and build it again; gives the number of documents."""
        return self.indexer.rebuild()

    def close(self) -> None:
        """End the background work and let go of the index. The store may be used again afterwards."""
        self.indexer.close()


def _is_as_seen(seen: Seen) -> bool:
    try:
        return stamp_of(seen.path.lstat()) == seen.stamp
    except OSError:
        return False


def _folder_gone() -> StorageFailed:
    return StorageFailed(
        "Nothing was changed: the folder of the sessions is gone. Put it back, then try again.", code="folder_gone"
    )


def _make(folder: Path) -> None:
    try:
        make_folder(folder)
    except OSError as error:
        raise explained(error, folder) from error
