"""Drafts: what someone has typed into a session and not sent yet, shared by all open pages.

A draft is no part of its session: typing changes no document. That of a session with messages is kept on disk; that
of a blank one lives in memory, as the session itself does.
"""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from api.domain.errors import StaleRevision, StorageFailed
from api.domain.messages import clean_text
from api.sessions.disk.files import StateFile, explained, make_subfolder, remove_file, set_aside
from api.sessions.documents.session import Session

log = logging.getLogger(__name__)

MAX_CHARACTERS = 400_000


class Draft(msgspec.Struct, frozen=True):
    """`revision` rises with every change and every message sent. `attachments` are ids."""

    text: str = ""
    attachments: list[str] = []
    revision: int = 0


class Drafts:
    """The drafts of all sessions. Safe to call from any thread."""

    def __init__(self, folder: Path) -> None:
        """One file a draft, in `folder`, made when first needed."""
        self._folder = folder
        self._lock = threading.Lock()
        self._held: dict[str, Draft] = {}

    def get(self, session: Session) -> Draft:
        """The draft of a session, empty when there is none."""
        with self._lock:
            return self._get(session.session_id)

    def put(self, session: Session, text: str, attachments: list[str], *, revision: int | None) -> Draft:
        """Replace the draft; `revision` is what the writer saw.

        Raises:
            StaleRevision: another page wrote meanwhile; the error carries its `text` and `revision`.
            StorageFailed: the disk refused; the draft is still held in memory.
        """
        with self._lock:
            known = self._get(session.session_id)
            if revision is not None and revision != known.revision:
                raise StaleRevision(
                    "This draft was changed in another window.", revision=known.revision, text=known.text
                )
            draft = Draft(clean_text(text)[:MAX_CHARACTERS], attachments, known.revision + 1)
            self._held[session.session_id] = draft
            self._keep(session, draft)
            return draft

    def revision(self, session_id: str) -> int:
        """The number of a session's draft as it is now."""
        with self._lock:
            return self._get(session_id).revision

    def attached_to(self, session_id: str) -> list[str]:
        """The ids of what is attached to a session's draft."""
        with self._lock:
            return self._get(session_id).attachments

    def remove(self, session_id: str) -> None:
        """Its session is gone for good."""
        with self._lock:
            self._held.pop(session_id, None)
            remove_file(self._path(session_id))

    def forget(self, session_id: str, sent: str, attachments: Sequence[str]) -> bool:
        """A message was sent: forget the draft that it came from. Answers whether that is what was kept.

        A draft that says something else, typed in another window, stays. The number rises also where nothing was kept,
        so that what was typed before is refused when it arrives only now.
        """
        with self._lock:
            known = self._get(session_id)
            if known.text.strip() not in sent or not set(known.attachments) <= set(attachments):
                return False
            self._held[session_id] = Draft(revision=known.revision + 1)
            remove_file(self._path(session_id))
            return True

    def _get(self, session_id: str) -> Draft:
        held = self._held.get(session_id)
        if held is None:
            held = self._held[session_id] = self._read(session_id)
        return held

    def _read(self, session_id: str) -> Draft:
        file = StateFile(self._path(session_id))
        try:
            return msgspec.convert(file.read(), Draft)
        except (msgspec.ValidationError, PermissionError) as error:
            aside = set_aside(file.path)
            log.error("draft.unreadable", extra={"file": file.path.name, "kept_as": aside.name, "why": str(error)})
            return Draft()

    def _keep(self, session: Session, draft: Draft) -> None:
        if session.seen is None:
            return
        if not draft.text and not draft.attachments:
            remove_file(self._path(session.session_id))
            return
        try:
            make_subfolder(self._folder)
            StateFile(self._path(session.session_id)).write(msgspec.structs.asdict(draft))
        except OSError as error:
            failed: StorageFailed = explained(error, self._folder)
            raise failed from error

    def _path(self, session_id: str) -> Path:
        return self._folder / f"{session_id}.json"
