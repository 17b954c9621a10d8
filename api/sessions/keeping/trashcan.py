"""The trash as people see it: what is in it, for how much longer, and what is removed from it for good."""

import logging
import math
import time
from collections.abc import Callable

import msgspec

from api.domain.errors import AppError
from api.domain.ids import OWNER_LOCAL
from api.domain.titles import UNTITLED
from api.sessions.disk import trash
from api.sessions.disk.loading import SessionNotFound, SessionUnreadable, read_document
from api.sessions.documents.document import Unreadable, decode_header
from api.sessions.keeping.ages import SPARE_S, Ages, steady_clock
from api.sessions.store import SessionStore

log = logging.getLogger(__name__)

LARGEST_LIST = 500
_DAY_S = 86_400.0


class Trashed(msgspec.Struct, frozen=True):
    """A deleted session. Without a title it cannot be read. `days_left` is None where nothing is removed by itself."""

    session_id: str
    title: str | None
    message_count: int
    deleted_at: float
    days_left: int | None
    cleared_from: str | None


class TrashList(msgspec.Struct, frozen=True):
    """The newest first; `total` counts those that are not listed too."""

    items: list[Trashed]
    total: int
    keep_days: int


class Trashcan:
    """The trash of a store. Safe to call from any thread."""

    def __init__(
        self,
        store: SessionStore,
        keep_days: int,
        *,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = steady_clock,
    ) -> None:
        """`keep_days`: how long at least what was deleted is kept; 0 for as long as nobody removes it."""
        self._store = store
        self._keep_days = keep_days
        self._clock = clock
        folder = store.folder
        ledger = folder / trash.FOLDER / trash.LEDGER
        self._ages = Ages(ledger, lambda one: trash.moved_at(folder, one), clock=clock, ticks=ticks)
        self.on_removed: list[Callable[[str], None]] = []

    def look(self, *, owner: str = OWNER_LOCAL) -> TrashList:
        """What can be restored."""
        ages = self._ages.look(trash.restorable_ids(self._store.folder))
        newest = sorted(ages, key=lambda one: (ages[one][0], one), reverse=True)
        items = []
        total = 0
        for session_id in newest:
            if total < LARGEST_LIST or owner != OWNER_LOCAL:
                item = self._item(session_id, owner, *ages[session_id])
                total += item is not None
                items += [item] if item else []
            else:
                total += 1
        return TrashList(items[:LARGEST_LIST], total, self._keep_days)

    def remove(self, session_id: str, *, owner: str = OWNER_LOCAL) -> None:
        """Remove a deleted session for good. Removing it again succeeds.

        Raises:
            SessionNotFound: it is not in the trash, or is someone else's.
            StorageFailed: the disk refused; it can still be restored.
        """
        self._store.remove_for_good(session_id, owner=owner)
        for tell in self.on_removed:
            tell(session_id)

    def empty(self) -> list[str]:
        """Remove what has been in the trash for long enough, and finish what a crash left half done; gives the ids."""
        folder = self._store.folder
        for session_id in trash.half_gone_ids(folder):
            gone = trash.read_gone(folder, session_id) or trash.Gone()
            trash.finish_removal(folder, session_id, msgspec.structs.replace(gone, at=self._clock()))
        ages = self._ages.look(trash.restorable_ids(folder))
        if not self._keep_days:
            return []
        due = [one for one, (_, age) in ages.items() if age >= self._keep_days * _DAY_S + SPARE_S]
        return [one for one in due if self._removed(one)]

    def _removed(self, session_id: str) -> bool:
        owner = self._store.owner_in_trash(session_id)
        try:
            self.remove(session_id, owner=owner or OWNER_LOCAL)
        except AppError as error:
            log.warning("trash.not_emptied", extra={"session_id": session_id, "why": error.message})
            return False
        log.info("trash.emptied", extra={"session_id": session_id})
        return True

    def _item(self, session_id: str, owner: str, deleted_at: float, age: float) -> Trashed | None:
        left = max(1, math.ceil((self._keep_days * _DAY_S - age) / _DAY_S)) if self._keep_days else None
        try:
            raw, _ = read_document(trash.trashed_path(self._store.folder, session_id), session_id)
            header = decode_header(raw, session_id)
        except SessionNotFound:
            return None  # restored just now
        except (SessionUnreadable, Unreadable):
            return Trashed(session_id, None, 0, deleted_at, left, None) if owner == OWNER_LOCAL else None
        if (header.owner or OWNER_LOCAL) != owner:
            return None
        title, source = header.title or UNTITLED, header.cleared_from
        source = source if isinstance(source, str) else None
        return Trashed(session_id, title, len(header.messages), deleted_at, left, source)
