"""Queues on disk: the messages that wait in a session for the answer before them, in order.

A queue is no part of its session's document: it changes while a run holds that. One file a session, replaced whole.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec

from api.domain.attachments import Attachment
from api.domain.ids import OWNER_LOCAL
from api.sessions.disk.files import StateFile, Unsynced, explained, make_subfolder, remove_file, set_aside, sweep_temps
from api.sessions.disk.trash import read_gone

log = logging.getLogger(__name__)


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message that waits. `message_id` is its id for good; `revision` rises when it is changed."""

    message_id: str
    text: str
    model: str | None = None
    agent: str | None = None
    created_at: float = 0.0
    revision: int = 1
    attachments: list[Attachment] = []


class Removed(msgspec.Struct, frozen=True):
    """Items that a person took out, and before how many others each stood, so that they can be put back."""

    places: list[int]
    items: list[Item]


class Queue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """First in, first sent. `is_held`: nothing is sent before a person says so. `revision` rises with every change."""

    session_id: str
    owner: str = OWNER_LOCAL
    items: list[Item] = []
    is_held: bool = False
    removed: Removed | None = None
    revision: int = 0

    def find(self, message_id: str) -> Item | None:
        return next((one for one in self.items if one.message_id == message_id), None)


class Queues:
    """The queues of all sessions: kept in memory once read, and on disk before a change is told.

    Safe to call from any thread, for one session by one caller at a time.
    """

    def __init__(self, folder: Path) -> None:
        """`folder` is made when first needed."""
        self._folder = folder
        self._held: dict[str, Queue] = {}

    def get(self, session_id: str) -> Queue:
        """The queue of a session, empty when there is none. Reads the disk until there is one."""
        queue = self._held.get(session_id)
        if queue is None:
            queue = self._read(session_id)
            if queue.revision:
                self._held[session_id] = queue
        return queue

    def held(self, session_id: str) -> int:
        """How many messages wait until a person says so, as far as memory knows: all that `kept` has given. No disk."""
        queue = self._held.get(session_id)
        return len(queue.items) if queue is not None and queue.is_held else 0

    def _read(self, session_id: str) -> Queue:
        file = StateFile(self._path(session_id))
        try:
            return msgspec.convert(file.read() | {"session_id": session_id}, Queue)
        except (msgspec.ValidationError, PermissionError) as error:
            aside = set_aside(file.path)
            log.error("queue.unreadable", extra={"file": file.path.name, "kept_as": aside.name, "why": str(error)})
            return Queue(session_id=session_id)

    def put(self, queue: Queue) -> Queue:
        """Keep a queue, one revision higher. It waits for the disk.

        Raises:
            StorageFailed: nothing was changed.
        """
        before = self.get(queue.session_id)
        queue = msgspec.structs.replace(queue, revision=before.revision + 1)
        try:
            self._write(queue)
        except OSError as error:
            if isinstance(error, Unsynced):
                self._take_back(queue, before)
            raise explained(error, self._folder) from error
        self._held[queue.session_id] = queue
        if not queue.items and queue.removed is None:
            remove_file(self._path(queue.session_id))
        return queue

    def put_in_memory(self, queue: Queue) -> Queue:
        """As `put`, for a disk that refuses: what an older file still names is in its session, where it is found."""
        queue = msgspec.structs.replace(queue, revision=self.get(queue.session_id).revision + 1)
        self._held[queue.session_id] = queue
        return queue

    def _write(self, queue: Queue) -> None:
        make_subfolder(self._folder)
        StateFile(self._path(queue.session_id)).write(msgspec.to_builtins(queue))

    def _take_back(self, queue: Queue, before: Queue) -> None:
        """A change that was written and not confirmed is told as failed, so the file must not keep it."""
        try:
            self._write(before)
        except OSError as error:
            log.warning("queue.not_taken_back", extra={"session_id": queue.session_id, "why": str(error)})
            self._held[queue.session_id] = queue

    def remove(self, session_id: str) -> None:
        """Its session is gone for good."""
        self._held.pop(session_id, None)
        remove_file(self._path(session_id))

    def kept(self, sessions: Path) -> Iterator[Queue]:
        """Every queue on disk, those of documents that are away among them: deleted, or taken out by another program.

        Those of sessions of the folder `sessions` that are gone for good are removed.
        """
        if self._folder.is_dir():
            sweep_temps(self._folder)
        for path in sorted(self._folder.glob("*.json")):
            session_id = path.stem
            if read_gone(sessions, session_id) is None:
                yield self.get(session_id)
            else:
                log.info("queue.session_gone", extra={"session_id": session_id})
                remove_file(path)

    def _path(self, session_id: str) -> Path:
        return self._folder / f"{session_id}.json"
