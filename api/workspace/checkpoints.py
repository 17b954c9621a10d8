"""What an agent changed in a workspace, turn by turn, and the way back.

Before a file is written, what it held is kept; so each turn can be undone, with all that came after it.
"""

import hashlib
import threading
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from api.domain.errors import AppError, Conflict, StorageFailed
from api.workspace.files import Change, diff_of, make
from api.workspace.folder import Entry, Folder, version_of
from api.workspace.searcher import SKIPPED
from api.workspace.texts import is_binary

MOST_BYTES_OF_FILE = 5_000_000
MOST_BYTES = 200_000_000
"""Of all that is kept of one session. The oldest turns go first."""
_LONGEST_DIFF = 100_000
_MOST_LOOKED_AT = 20_000
_SMALL = 100_000
_MOST_SMALL = 10_000_000
"""Bytes of small files that are held in memory while a command runs, because nobody knows what it will change."""


class Keeper(Protocol):
    """Where things are kept for good. Names are of ASCII letters, digits and `-`."""

    def put(self, name: str, data: bytes) -> None: ...
    def get(self, name: str) -> bytes | None: ...
    def remove(self, name: str) -> None: ...
    def names(self) -> Iterable[str]: ...


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """What one turn did to one file of a `folder`. `diff` is unified, from before the turn to after it.

    `before` and `after` are versions, None where there was no file. With `not_kept`, a sentence, it cannot be undone.
    `is_mixed`: someone else changed it too while the turn went on.
    """

    turn: str
    order: int
    folder: str
    name: str
    by: Literal["tool", "command"]
    before: str | None
    after: str | None
    size: int = 0
    mode: int | None = None
    diff: str = ""
    not_kept: str = ""
    is_mixed: bool = False

    @property
    def what(self) -> Literal["made", "deleted", "changed"]:
        if self.before is None and not self.not_kept:
            return "made"
        return "deleted" if self.after is None else "changed"


class Restored(msgspec.Struct, frozen=True):
    """The names of files: as they were before, changed since by someone else and so left, and not kept at all."""

    restored: list[str]
    conflicts: list[str]
    not_kept: list[str]


class Checkpoints:
    """Of one session. Everything blocks; threads may share it."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._lock = threading.RLock()
        self._changes: dict[str, Changed] = {}
        self._last: tuple[Path, Look] | None = None
        for name in keeper.names():
            if name.startswith("change-") and (data := keeper.get(name)) is not None:
                self._changes[name] = msgspec.json.decode(data, type=Changed)

    def turns(self) -> list[str]:
        """Those that changed something, oldest first."""
        return list(dict.fromkeys(change.turn for change in self._in_order()))

    def changes(self, turn: str) -> list[Changed]:
        return sorted((one for one in self._changes.values() if one.turn == turn), key=lambda one: one.name)

    def turn(self, turn: str, folder: Folder) -> "Turn":
        """What a turn writes through."""
        with self._lock:
            known = [one.order for one in self._changes.values() if one.turn == turn]
            latest = max((one.order for one in self._changes.values()), default=0)
        return Turn(self, turn, known[0] if known else latest + 1, folder)

    def restore(self, turn: str, folder: Folder, *, is_forced: bool = False) -> Restored:
        """Bring every file back to what it was before `turn`, the changes of later turns included.

        What someone else has changed since is left, unless `is_forced`. What is restored is forgotten.

        Raises:
            Conflict: the turn worked in another folder.
        """
        with self._lock:
            of_turn = self.changes(turn)
            if not of_turn:
                return Restored([], [], [])
            if (place := of_turn[0].folder) != str(folder.path):
                raise Conflict(f"This was changed in {place!r}. Choose that folder again, then put it back.")
            chains: dict[str, list[Changed]] = {}
            for one in self._in_order():
                if one.order >= of_turn[0].order and one.folder == str(folder.path):
                    chains.setdefault(one.name, []).append(one)
            outcome = Restored([], [], [])
            for name, chain in chains.items():
                getattr(outcome, self._back(folder, chain, is_forced=is_forced)).append(name)
                if name in outcome.restored:
                    self._forget(chain)
            return outcome

    def _back(
        self, folder: Folder, chain: list[Changed], *, is_forced: bool
    ) -> Literal["restored", "conflicts", "not_kept"]:
        first, last = chain[0], chain[-1]
        if first.not_kept:
            return "not_kept"
        data = None if first.before is None else self._keeper.get(f"bytes-{first.before}")
        if first.before is not None and data is None:
            return "not_kept"
        now = _version_now(folder, first.name)
        if now == first.before:
            return "restored"
        # A write that was kept and then failed left what was there before it.
        is_ours = now in (last.after, last.before) and not any(one.is_mixed for one in chain)
        is_ours = is_ours and all(one.after == after.before for one, after in pairwise(chain))
        if not is_ours and not is_forced:
            return "conflicts"
        if data is None:
            folder.remove(first.name)
        else:
            folder.write(first.name, data, expected=now, mode=first.mode)
        return "restored"

    def keep(self, change: Changed, data: bytes | None) -> None:
        """Keep what a file held, `data`, and what became of it; a change that came to nothing is forgotten.

        Raises:
            StorageFailed: it could not be kept.
        """
        with self._lock:
            if change.before == change.after and not change.not_kept:
                if _name_of(change) in self._changes:
                    self._forget([change])
                return
            name = _name_of(change)
            try:
                if data is not None and not change.not_kept:
                    self._keeper.put(f"bytes-{change.before}", data)
                self._keeper.put(name, msgspec.json.encode(change))
            except OSError as error:
                why = f"What {change.name!r} held could not be kept for an undo: {error.strerror or error}."
                raise StorageFailed(why) from error
            self._changes[name] = change
            self._drop_oldest(but=change.turn)

    def find(self, turn: str, order: int, folder: str, name: str) -> Changed | None:
        return self._changes.get(_name(turn, order, folder, name))

    def bytes_before(self, change: Changed) -> bytes | None:
        return None if change.before is None else self._keeper.get(f"bytes-{change.before}")

    def look(self, folder: Folder) -> "Look":
        last = self._last[1] if self._last is not None and self._last[0] == folder.path else None
        look = look_at(folder, last)
        self._last = folder.path, look
        return look

    def _in_order(self) -> list[Changed]:
        return sorted(self._changes.values(), key=lambda one: one.order)

    def _drop_oldest(self, *, but: str) -> None:
        while sum(one.size for one in self._changes.values()) > MOST_BYTES:
            oldest = self._in_order()[0].turn
            if oldest == but:
                return
            self._forget(self.changes(oldest))

    def _forget(self, changes: Iterable[Changed]) -> None:
        for change in changes:
            del self._changes[_name_of(change)]
            self._keeper.remove(_name_of(change))
            if change.before is not None and all(one.before != change.before for one in self._changes.values()):
                self._keeper.remove(f"bytes-{change.before}")


def _name_of(change: Changed) -> str:
    return _name(change.turn, change.order, change.folder, change.name)


def _name(turn: str, order: int, folder: str, name: str) -> str:
    digest = hashlib.sha256(f"{turn}\0{folder}\0{name}".encode(errors="surrogateescape")).hexdigest()[:32]
    return f"change-{order:08}-{digest}"


def _version_now(folder: Folder, name: str) -> str | None:
    entry = folder.look(name)
    if entry is None:
        return None
    try:
        return folder.read(name, 10 * MOST_BYTES_OF_FILE).version
    except AppError:  # a folder now, or far larger: whatever it is, it is not what was left
        return ""


class Turn:
    """What one turn writes through, so that it can be undone."""

    def __init__(self, checkpoints: Checkpoints, turn: str, order: int, folder: Folder) -> None:
        self._checkpoints = checkpoints
        self._turn = turn
        self._order = order
        self._folder = folder

    def make(self, change: Change) -> str:
        """Keep what the file holds, then make the change; returns the version it has then. Raises as `files.make`."""
        entry = self._folder.look(change.name)
        before = _State.of(change.before, entry.mode if entry else None)
        self._keep(change.name, before, _State.of(change.after), "tool")
        return make(self._folder, change)

    def look(self) -> "Look":
        """What there is now, before a command that may change anything."""
        return self._checkpoints.look(self._folder)

    def note(self, before: "Look") -> list[Changed]:
        """Keep what has changed since `before`, as far as it was held; tells all that has."""
        after = self.look()
        names = {*before.entries} | {*after.entries}
        if before.is_partial or after.is_partial:  # then one that is new may only not have been looked at
            names = {*before.entries} & {*after.entries}
        changed = sorted(name for name in names if before.touched(name) != after.touched(name))
        noted = []
        for name in changed:
            now = after.state(name)
            if now.version == "":
                now = _State(_version_now(self._folder, name))
            if now.version != before.state(name).version:  # else it was only touched
                noted.append(self._keep(name, before.state(name), now, "command"))
        return noted

    def _keep(self, name: str, before: "_State", after: "_State", by: Literal["tool", "command"]) -> Changed:
        known = self._checkpoints.find(self._turn, self._order, str(self._folder.path), name)
        if known is None:
            change = self._first(name, before, after, by)
            self._checkpoints.keep(change, before.data)
            return change
        first = self._checkpoints.bytes_before(known)
        change = msgspec.structs.replace(
            known,
            after=after.version,
            diff="" if known.not_kept else _diff(name, first, after),
            is_mixed=known.is_mixed or known.after != before.version,
        )
        self._checkpoints.keep(change, None)
        return change

    def _first(self, name: str, before: "_State", after: "_State", by: Literal["tool", "command"]) -> Changed:
        why = ""
        if before.version == "":
            why = "It was too large, or no text, or one of too many files."
        elif before.data is not None and len(before.data) > MOST_BYTES_OF_FILE:
            why = f"It had {len(before.data):,} bytes, and at most {MOST_BYTES_OF_FILE:,} are kept."
        return Changed(
            turn=self._turn,
            order=self._order,
            folder=str(self._folder.path),
            name=name,
            by=by,
            before=before.version,
            after=after.version,
            size=0 if why or before.data is None else len(before.data),
            mode=before.mode,
            diff="" if why else _diff(name, before.data, after),
            not_kept=why,
        )


class _State(msgspec.Struct, frozen=True):
    """What a file is at one moment. `version` is None where there is none, and empty where nobody knows it."""

    version: str | None
    data: bytes | None = None
    mode: int | None = None

    @classmethod
    def of(cls, data: bytes | None, mode: int | None = None) -> "_State":
        return cls(None if data is None else version_of(data), data, mode)


def _diff(name: str, before: bytes | None, after: _State) -> str:
    if after.data is None and after.version is not None:
        return f"Binary files a/{name} and b/{name} differ\n"
    diff = diff_of(name, before, after.data)
    return diff if len(diff) <= _LONGEST_DIFF else diff[:_LONGEST_DIFF] + "\n… the rest is not kept\n"


class Look(msgspec.Struct, frozen=True):
    """The files of a workspace at one moment, and the bytes of those that are held."""

    entries: dict[str, Entry]
    held: dict[str, bytes]
    is_partial: bool = False

    def touched(self, name: str) -> tuple[int, int] | None:
        entry = self.entries.get(name)
        return None if entry is None else (entry.size, entry.touched_ns)

    def state(self, name: str) -> _State:
        entry = self.entries.get(name)
        if entry is None:
            return _State(None)
        return _State.of(self.held[name], entry.mode) if name in self.held else _State("", mode=entry.mode)


def look_at(folder: Folder, last: Look | None) -> Look:
    """What there is, with the bytes of small text files; what was not touched since `last` is not read again."""
    entries: dict[str, Entry] = {}
    held: dict[str, bytes] = {}
    room = _MOST_SMALL
    for entry in folder.walk(skipped=SKIPPED):
        if len(entries) == _MOST_LOOKED_AT:
            return Look(entries, held, is_partial=True)
        if entry.kind != "file":
            continue
        entries[entry.name] = entry
        if entry.size <= min(_SMALL, room) and (data := _small_text(folder, entry, last)) is not None:
            held[entry.name] = data
            room -= len(data)
    return Look(entries, held)


def _small_text(folder: Folder, entry: Entry, last: Look | None) -> bytes | None:
    if last is not None and last.touched(entry.name) == (entry.size, entry.touched_ns):
        return last.held.get(entry.name)
    try:
        data = folder.read(entry.name, _SMALL).data
    except AppError:
        return None
    return None if is_binary(data) else data
