"""Keeps the index in step with the folder: compared with the files in the background, built again on any doubt."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from api.sessions.disk.quarantine import Found, scan, stamp_of
from api.sessions.finding.index import Entry, Index, drop_index, is_damage, move_aside, open_index, stamp_text
from api.sessions.finding.reading import read_entry

log = logging.getLogger(__name__)

T = TypeVar("T")

_BATCH = 50
_BATCH_BYTES = 4_000_000
_RETRY_AFTER_S = 30.0
_PAUSE_S = 1.0
"""Between two attempts of which the first failed, as on a full disk."""


class Indexer:
    """Nothing here fails a save or a list: what goes wrong is logged, and the files are compared again.

    `folder` and `index_file` are asked at every use. `on_change` is told which ids changed and which are gone.
    """

    def __init__(
        self,
        folder: Callable[[], Path],
        index_file: Callable[[], Path],
        now: Callable[[], float],
        on_change: Callable[[list[str], list[str]], None],
    ) -> None:
        self._folder = folder
        self._index_file = index_file
        self._now = now
        self._on_change = on_change
        self._opening = threading.RLock()
        self._comparing = threading.Lock()
        self._index: Index | None = None
        self._failed: tuple[Path, float] | None = None
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._compared = threading.Event()
        self._is_behind = False

    @property
    def is_complete(self) -> bool:
        """Whether the index has been compared with every file since it was opened, and no doubt came up."""
        return self._compared.is_set()

    @property
    def is_behind(self) -> bool:
        """Whether the index could not take in what it was told, so that a list made from it would lack something."""
        return self._is_behind

    def attempt(self, action: Callable[[Index], T], otherwise: T) -> T:
        """`action` on the index; `otherwise` when there is none or it fails."""
        index = self._current()
        if index is None:
            return otherwise
        try:
            return action(index)
        except sqlite3.Error as error:
            self._doubt(index, error)
            return otherwise

    def _current(self) -> Index | None:
        path = self._index_file()
        index = self._index
        if index is not None and index.path == path:
            return index
        with self._opening:
            if self._index is not None and self._index.path != path:
                self._let_go()
            if self._index is None and not self._failed_lately(path):
                self._open(path)
            return self._index

    def _failed_lately(self, path: Path) -> bool:
        return self._failed is not None and self._failed[0] == path and time.monotonic() < self._failed[1]

    def _open(self, path: Path) -> None:
        if not path.parent.is_dir():
            return
        try:
            self._index, why = open_index(path)
            self._failed = None
        except (sqlite3.Error, OSError) as error:
            self._failed = path, time.monotonic() + _RETRY_AFTER_S
            log.warning("index.unavailable", extra={"why": str(error)})
            return
        if why:
            log.warning("index.moved_aside", extra={"why": why})
        self.look_soon()

    def _let_go(self) -> None:
        if self._index is not None:
            self._index.close()
        self._index = None
        self._compared.clear()

    def _doubt(self, index: Index, error: sqlite3.Error) -> None:
        """A damaged file is moved aside and built again; after anything else the files are compared with it."""
        log.warning("index.failed", extra={"why": str(error)})
        if is_damage(error):
            self._replace(index)
        else:
            self._is_behind = True
        self.look_soon()

    def _replace(self, index: Index) -> None:
        with self._opening:
            if self._index is not index:
                return
            self._let_go()
            try:
                move_aside(index.path)
            except OSError as error:
                self._failed = index.path, time.monotonic() + _RETRY_AFTER_S
                log.warning("index.not_moved_aside", extra={"why": str(error)})

    def put(self, entry: Entry) -> None:
        """Take in what was just saved."""
        self.attempt(lambda index: index.put([entry]), None)

    def remove(self, session_id: str) -> None:
        self.attempt(lambda index: index.remove([session_id]), None)

    def note_traces(self) -> None:
        """What was removed just now shall leave no word in the index: the next `forget_traces` sees to that."""
        self.attempt(Index.note_traces, None)

    def forget_traces(self) -> None:
        """Cheap where nothing was noted."""
        self.attempt(Index.forget_traces, None)

    def start(self) -> None:
        """Compare and build in a thread of its own from now on."""
        if self._thread is None:
            self._wake.set()
            self._thread = threading.Thread(target=self._work, name="indexing", daemon=True)
            self._thread.start()

    def look_soon(self) -> None:
        """Something may have changed that nobody told the index."""
        self._compared.clear()
        self._wake.set()

    def look_again(self) -> None:
        """Compare once more, for no other reason than that time has passed."""
        self._wake.set()

    def look_if_nobody_does(self) -> None:
        """Called whenever a list is shown: other programs may have touched the folder."""
        if self._thread is None:
            self.compare()

    def wait(self, timeout_s: float | None) -> bool:
        """Whether the index is complete, at the latest after `timeout_s`."""
        if self._thread is None:
            self.compare()
            return self.is_complete
        return self._compared.wait(timeout_s)

    def close(self) -> None:
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._stopping.clear()
        with self._opening:
            self._let_go()

    def _work(self) -> None:
        is_first = True
        while not self._stopping.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                if is_first:
                    self._check()
                    is_first = False
                self.compare()
            except Exception:  # the border of this thread: without it nothing would ever be indexed again
                log.exception("index.not_compared")
                self._is_behind = True
            if self._is_behind:
                self._stopping.wait(_PAUSE_S)

    def _check(self) -> None:
        index = self._current()
        if index is not None and not self.attempt(Index.is_sound, True):
            log.warning("index.damaged")
            self._replace(index)

    def rebuild(self) -> int:
        """Throw the index away and build it again; gives how many documents there are."""
        with self._opening:
            self._let_go()
            drop_index(self._index_file())
            self._failed = None
        self.compare()
        return len(scan(self._folder(), self._index_file())[0])

    def compare(self) -> None:
        """Bring the index in line with the files. Rows come first, so that lists fill up fast; then the messages."""
        with self._comparing:
            index = self._current()
            if index is None:
                return
            found, _ = scan(self._folder(), self._index_file())
            self._wake.clear()
            try:
                self._bring_in_line(index, found)
            except sqlite3.Error as error:
                self._doubt(index, error)
                return
            if not self._stopping.is_set() and not self._wake.is_set():
                self._is_behind = False
                self._compared.set()

    def _bring_in_line(self, index: Index, found: list[Found]) -> None:
        known = index.stamps()
        gone = list(known.keys() - {one.session_id for one in found})
        if gone:
            index.remove(gone, is_gone=lambda session_id: not (self._folder() / f"{session_id}.json").exists())
            self._on_change([], gone)
        newest_first = sorted(found, key=lambda one: one.stamp, reverse=True)
        changed = [one for one in newest_first if known.get(one.session_id, ("", False))[0] != stamp_text(one.stamp)]
        self._read(index, changed, with_messages=False)
        stale = {one.session_id for one in changed}
        wordless = [one for one in newest_first if one.session_id in stale or not known[one.session_id][1]]
        self._read(index, wordless, with_messages=True)

    def _read(self, index: Index, found: list[Found], *, with_messages: bool) -> None:
        for batch in _batches(found):
            if self._stopping.is_set():
                return
            read = [read_entry(one, self._now(), with_messages=with_messages) for one in batch]
            taken = index.put(filter(None, read), is_current=self._is_current)
            if taken and not with_messages:
                self._on_change(taken, [])

    def _is_current(self, entry: Entry) -> bool:
        try:
            return stamp_of((self._folder() / f"{entry.session_id}.json").lstat()) == entry.stamp
        except OSError:
            return False


def _batches(found: list[Found]) -> Iterator[list[Found]]:
    """A batch is read first and written then, so that a save never waits for the disk to be read."""
    batch: list[Found] = []
    size = 0
    for one in found:
        batch.append(one)
        size += one.stamp[1]
        if len(batch) == _BATCH or size > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
