"""A recorder of what a program does to a folder, and every state that a power cut could leave of it.

Until it is synced, each write and each change of a name may have reached the disk or not, in any order, and a write may
have reached it in part. Syncing a file makes its content durable, syncing a folder the names in it. A rename happens
wholly or not at all, and is durable once all folders that it touches are.
"""

import itertools
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import msgspec

State = dict[str, bytes]
"""By path below the folder: the content of each file."""


class Write(msgspec.Struct, frozen=True):
    file: int
    offset: int
    data: bytes


class Truncate(msgspec.Struct, frozen=True):
    file: int
    size: int


class Name(msgspec.Struct, frozen=True):
    """`path` is `file` from now on, None for nothing; `before`: the name that it loses, of a rename."""

    path: str
    file: int | None
    before: str | None = None


class Sync(msgspec.Struct, frozen=True):
    file: int


class SyncFolder(msgspec.Struct, frozen=True):
    path: str


class Promise(msgspec.Struct, frozen=True):
    """From here on the program has told someone that it is done."""


Change = Write | Truncate | Name
Step = Change | Sync | SyncFolder | Promise


class _Handle(msgspec.Struct):
    """An open file (a number) or folder (its path)."""

    target: int | str
    offset: int = 0
    appends: bool = False


class CrashFS:
    """Records what goes through `os` below `root` while it is entered. Folders are taken as durable at once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._sizes: list[int] = []
        self._names: dict[str, int] = {}
        self._handles: dict[int, _Handle] = {}
        self._real: dict[str, Callable[..., Any]] = {}
        self.contents: list[bytes] = []
        self.steps: list[Step] = []
        for path in sorted(root.rglob("*")):
            if path.is_file():
                self._names[self._relative(path)] = self._add(path.read_bytes())
        self.names = dict(self._names)

    def _add(self, content: bytes) -> int:
        self.contents.append(content)
        self._sizes.append(len(content))
        return len(self._sizes) - 1

    def _relative(self, path: Any) -> str:
        return os.path.relpath(os.fspath(path), self._root)

    def __enter__(self) -> Self:
        for name in ("open", "write", "fsync", "fdatasync", "close", "ftruncate", "rename", "unlink"):
            self._real[name] = getattr(os, name)
            setattr(os, name, getattr(self, f"_{name}"))
        return self

    def __exit__(self, *_: object) -> None:
        for name, function in self._real.items():
            setattr(os, name, function)

    def promise(self) -> None:
        self.steps.append(Promise())

    def _open(self, path: Any, flags: int, *rest: Any, **more: Any) -> int:
        descriptor = self._real["open"](path, flags, *rest, **more)
        if isinstance(path, str | os.PathLike) and Path(path).is_relative_to(self._root):
            self._handles[descriptor] = self._handle(self._relative(path), flags, is_folder=Path(path).is_dir())
        return descriptor

    def _handle(self, path: str, flags: int, *, is_folder: bool) -> _Handle:
        if is_folder:
            return _Handle(path)
        if path not in self._names:
            self._names[path] = self._add(b"")
            self.steps.append(Name(path, self._names[path]))
        elif flags & os.O_TRUNC:
            self._cut(self._names[path], 0)
        return _Handle(self._names[path], appends=bool(flags & os.O_APPEND))

    def _cut(self, file: int, size: int) -> None:
        self._sizes[file] = size
        self.steps.append(Truncate(file, size))

    def _write(self, descriptor: int, data: Any) -> int:
        count = self._real["write"](descriptor, data)
        handle = self._handles.get(descriptor)
        if handle is not None and isinstance(handle.target, int):
            at = self._sizes[handle.target] if handle.appends else handle.offset
            self.steps.append(Write(handle.target, at, bytes(data[:count])))
            handle.offset = at + count
            self._sizes[handle.target] = max(self._sizes[handle.target], handle.offset)
        return count

    def _ftruncate(self, descriptor: int, size: int) -> None:
        self._real["ftruncate"](descriptor, size)
        handle = self._handles.get(descriptor)
        if handle is not None and isinstance(handle.target, int):
            self._cut(handle.target, size)

    def _fsync(self, descriptor: int) -> None:
        self._real["fsync"](descriptor)
        handle = self._handles.get(descriptor)
        if handle is not None:
            self.steps.append(Sync(handle.target) if isinstance(handle.target, int) else SyncFolder(handle.target))

    _fdatasync = _fsync

    def _close(self, descriptor: int) -> None:
        self._handles.pop(descriptor, None)
        self._real["close"](descriptor)

    def _rename(self, source: Any, target: Any) -> None:
        self._real["rename"](source, target)
        if not Path(source).is_relative_to(self._root):
            return
        before, path = self._relative(source), self._relative(target)
        self._names[path] = self._names.pop(before)
        self.steps.append(Name(path, self._names[path], before))

    def _unlink(self, path: Any, **more: Any) -> None:
        self._real["unlink"](path, **more)
        if self._names.pop(self._relative(path), None) is not None:
            self.steps.append(Name(self._relative(path), None))

    def states(self, *, most: int = 3000, seed: int = 1) -> Iterator[tuple[State, bool]]:
        """Each state that a power cut at any moment may leave, once, with whether something was promised by then.

        Where there are more than `most` at one moment, that many are drawn at random.
        """
        seen = set()
        draw = random.Random(seed)
        for end in range(len(self.steps) + 1):
            promised = any(isinstance(step, Promise) for step in self.steps[:end])
            for outcome in _outcomes(self.steps[:end], most, draw):
                state = self._after(outcome)
                key = (promised, *sorted(state.items()))
                if key not in seen:
                    seen.add(key)
                    yield state, promised

    def _after(self, changes: list[Change]) -> State:
        names, contents = dict(self.names), list(self.contents)
        for change in changes:
            match change:
                case Write(file, offset, data):
                    old = contents[file].ljust(offset, b"\0")
                    contents[file] = old[:offset] + data + old[offset + len(data) :]
                case Truncate(file, size):
                    contents[file] = contents[file][:size].ljust(size, b"\0")
                case Name(path, file, before):
                    if before is not None:
                        names.pop(before, None)
                    if file is None:
                        names.pop(path, None)
                    else:
                        names[path] = file
        return {path: contents[file] for path, file in names.items()}


def _outcomes(steps: list[Step], most: int, draw: random.Random) -> Iterator[list[Change]]:
    """What of `steps` may have reached the disk, in order: all that is durable, any part of the rest."""
    choices = [_choices(step, steps[at + 1 :]) for at, step in enumerate(steps) if isinstance(step, Change)]
    count = 1
    for options in choices:
        count *= len(options)
    every = itertools.product(*choices) if count <= most else ([draw.choice(o) for o in choices] for _ in range(most))
    for chosen in every:
        yield [change for change in chosen if change is not None]


def _choices(change: Change, later: list[Step]) -> list[Change | None]:
    if _is_durable(change, later):
        return [change]
    if isinstance(change, Write) and len(change.data) > 1:
        torn = Write(change.file, change.offset, change.data[: len(change.data) // 2])
        return [None, torn, change]
    return [None, change]


def _is_durable(change: Change, later: list[Step]) -> bool:
    if not isinstance(change, Name):
        return Sync(change.file) in later
    folders = {str(Path(path).parent) for path in (change.path, change.before) if path is not None}
    return all(SyncFolder(folder) in later for folder in folders)


def materialise(state: State, folder: Path) -> None:
    """Make `folder` what a power cut left."""
    for path, content in state.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
