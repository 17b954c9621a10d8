"""Attachments that nothing names any more: removed a day after that was first seen, and not before.

What was taken out of a message, what stood in a draft of a session that was never begun, what a copy left that did not
come to its end. A document that is away for a moment, in the hands of a sync program, loses nothing.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from api.sessions.attachments import Attachments
from api.sessions.disk import attached, trash
from api.sessions.disk.files import open_regular
from api.sessions.drafts import Drafts
from api.sessions.keeping.ages import Ages, steady_clock
from api.sessions.queues import Queues
from api.sessions.store import SessionStore

log = logging.getLogger(__name__)

LEDGER = "_unclaimed.json"
KEPT_S = 86_400.0


class Unclaimed:
    """Called from one thread at a time. `told_in_journals`: what runs say that are not in the document of a session."""

    def __init__(
        self,
        store: SessionStore,
        attachments: Attachments,
        drafts: Drafts,
        queues: Queues,
        *,
        told_in_journals: Callable[[str], Iterable[bytes]] = lambda session_id: (),
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = steady_clock,
    ) -> None:
        self._store = store
        self._attachments = attachments
        self._drafts = drafts
        self._queues = queues
        self._told_in_journals = told_in_journals
        self._ages = Ages(attached.root_of(store.folder) / LEDGER, lambda _: 0, clock=clock, ticks=ticks)
        self._asked_for: set[tuple[str, str]] = set()

    def remove(self) -> None:
        """Look at all there are, and remove what nothing has named for a day, and all of sessions removed for good."""
        folder = self._store.folder
        # What was asked for may be named by a message that is being saved just now.
        before, self._asked_for = self._asked_for, self._attachments.asked_for()
        found: dict[str, tuple[str, str]] = {}
        for session_id in attached.session_ids(folder):
            if trash.read_gone(folder, session_id) is not None:
                self._attachments.remove_all(session_id)
            else:
                found |= {f"{session_id}/{one}": (session_id, one) for one in self._unnamed(session_id)}
        ages = self._ages.look(found) if attached.root_of(folder).is_dir() else {}
        due = [found[name] for name, (_, age) in ages.items() if age >= KEPT_S]
        for session_id, attachment_id in due:
            self._asked_for |= self._attachments.asked_for()
            if (session_id, attachment_id) not in before | self._asked_for:
                self._attachments.remove(session_id, attachment_id)
                log.info("attachment.unclaimed", extra={"session_id": session_id})

    def _unnamed(self, session_id: str) -> Iterator[str]:
        """The ids of those that nothing of a session names. An id is random: where its letters stand, it is named."""
        ids = attached.ids_in(self._store.folder, session_id)
        if not ids:
            return
        told = [
            msgspec.json.encode(self._queues.get(session_id)),
            msgspec.json.encode(self._drafts.attached_to(session_id)),
        ]
        for path in self._documents(session_id):
            try:
                with open_regular(path) as file:
                    told.append(file.read())
            except FileNotFoundError:
                continue
            except OSError:
                return  # what cannot be read may name all of them
        left = [one for one in ids if not any(one.encode() in text for text in told)]
        if not left:
            return
        try:
            for text in self._told_in_journals(session_id):
                left = [one for one in left if one.encode() not in text]
        except OSError:
            return
        yield from left

    def _documents(self, session_id: str) -> list[Path]:
        folder = self._store.folder
        return [self._store.path_of(session_id), *(folder / trash.FOLDER).glob(f"{session_id}.*json")]
