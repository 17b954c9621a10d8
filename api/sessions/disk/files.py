"""The one writer: every file below the state folder is written here.

A replaced file is, at every instant, the old one or the new one, whole. All functions raise OSError as the system gives
it; `explained` turns it into a sentence.
"""

import contextlib
import errno
import fcntl
import json
import logging
import os
import re
import secrets
import shutil
import stat
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from api.domain.errors import StorageFailed

log = logging.getLogger(__name__)

_CREATE = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_TEMP = re.compile(r"\..+\.(?P<pid>\d+)\.[0-9a-f]{16}\.tmp", re.DOTALL)
_temps_in_use: set[str] = set()
_NO_LINKS = frozenset({errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EINVAL})
"""What disks and kernels say that do not link, or have linked a file too often."""


class Unsynced(OSError):
    """The new file is in place and readable, but its folder could not be synced: a power cut may still undo it.

    `status` is the stat of the new file, None after a move.
    """

    def __init__(self, cause: OSError, status: os.stat_result | None) -> None:
        super().__init__(cause.errno, cause.strerror, cause.filename)
        self.status = status


class FolderLocked(Exception):
    """Another process holds the folder. `pid` is None where it did not say; `since` in seconds since 1970."""

    def __init__(self, pid: int | None, since: float | None) -> None:
        super().__init__(f"The folder is in use by process {pid or 'unknown'}.")
        self.pid = pid
        self.since = since


def replace_file(path: Path, data: bytes) -> os.stat_result:
    """Make `path` hold exactly `data`, durably, with mode 0600; gives the stat of the new file.

    Raises:
        Unsynced: the new file is in place, its durability unknown.
        OSError: the old file is untouched, no temporary file is left.
    """
    _check_place(path)
    temp = _temp_beside(path)
    _temps_in_use.add(temp.name)
    try:
        status = _write_new(temp, data)
        try:
            temp.rename(path)
        except OSError:
            _remove_quietly(temp)
            raise
    finally:
        _temps_in_use.discard(temp.name)
    try:
        sync_folder(path.parent)
    except OSError as error:
        # The rename happened; what a reader sees decides, and only that.
        if path.read_bytes() != data:
            raise
        raise Unsynced(error, status) from error
    return status


def _write_new(path: Path, data: bytes) -> os.stat_result:
    """Create `path` with `data` and sync it. After a failed sync its pages are lost: never tried again on that file."""
    descriptor = os.open(path, os.O_WRONLY | _CREATE, 0o600)
    try:
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        _remove_quietly(path)
        raise
    return status


class NewFile:
    """A file to write and read, beside which it is to lie; nothing until `commit`, and nothing left after `discard`."""

    def __init__(self, beside: Path) -> None:
        """Raises OSError."""
        _check_place(beside)
        self._temp = _temp_beside(beside)
        _temps_in_use.add(self._temp.name)
        self.file: BinaryIO = os.fdopen(os.open(self._temp, os.O_RDWR | _CREATE, 0o600), "w+b")

    def sync(self) -> None:
        """Have what was written on disk."""
        self.file.flush()
        os.fsync(self.file.fileno())

    def commit(self, path: Path) -> None:
        """Become `path`, on the same disk: durable, with mode 0600.

        Raises:
            FileExistsError: `path` is there already, and stays.
            OSError: to be discarded.
        """
        _check_place(path)
        self.sync()
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        self._temp.rename(path)
        sync_folder(path.parent)

    def discard(self) -> None:
        """Leave nothing, unless it was committed. Must be called in any case."""
        with contextlib.suppress(OSError):  # what could not be written is what is thrown away
            self.file.close()
        _remove_quietly(self._temp)
        _temps_in_use.discard(self._temp.name)


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write and read, which becomes `path` once the block ends well: durable, with mode 0600.

    Raises:
        FileExistsError: `path` is there already, and stays.
        OSError: no file is left.
    """
    new = NewFile(path)
    try:
        yield new.file
        new.commit(path)
    finally:
        new.discard()


def link_file(source: Path, target: Path) -> None:
    """Have a file that never changes under a second name, as a copy where the disk has no links. Not synced.

    Raises:
        FileNotFoundError: there is no `source`.
        OSError: there is no `target`.
    """
    _check_place(source, target)
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        return
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if not target.exists():
            with open_regular(source) as file, new_file(target) as copy:
                shutil.copyfileobj(file, copy)


def _temp_beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(8)}.tmp")


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `path` once the block ends well: durable, with mode 0700.

    What killed processes left of folders that were to become `path` is removed.

    Raises:
        OSError: `path` holds something already, or the disk refused; nothing is left.
    """
    _sweep_temp_folders(path)
    temp = _temp_beside(path)
    _temps_in_use.add(temp.name)
    temp.mkdir(mode=0o700)
    try:
        yield temp
        os.sync()  # one for all files: a sync for each would take minutes
        temp.rename(path)
        sync_folder(path.parent)
    finally:
        shutil.rmtree(temp, ignore_errors=True)
        _temps_in_use.discard(temp.name)


def _sweep_temp_folders(path: Path) -> None:
    with os.scandir(path.parent) as entries:
        for entry in entries:
            is_ours = entry.name.startswith(f".{path.name}.") and _TEMP.fullmatch(entry.name)
            if is_ours and entry.is_dir(follow_symlinks=False) and _is_orphan(entry):
                shutil.rmtree(entry.path, ignore_errors=True)


def write_new_file(path: Path, chunks: Iterable[bytes]) -> None:
    """Create `path` with mode 0600, and the folders above it. Not synced: see `new_folder`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | _CREATE, 0o600), "wb") as file:
        for chunk in chunks:
            file.write(chunk)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _remove_quietly(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def sync_folder(folder: Path) -> None:
    """Make what was renamed, created or removed in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """Create `path`, and what is missing above it, with mode 0700. One that is there already is left as it is."""
    missing = []
    while not path.exists():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            sync_folder(folder.parent)


def make_subfolder(path: Path) -> None:
    """Create `path` in its folder, with mode 0700. One that is there already is left as it is.

    Raises:
        FileNotFoundError: its folder is gone, which is no reason to begin an empty one.
    """
    _check_place(path)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
        sync_folder(path.parent)


def move_file(source: Path, target: Path) -> None:
    """Rename durably, within one file system. A target that is there already is replaced.

    Raises:
        Unsynced: the file has moved, its durability unknown.
        OSError: nothing has changed.
    """
    _check_place(source, target)
    source.rename(target)
    try:
        sync_folder(target.parent)
        if source.parent != target.parent:
            sync_folder(source.parent)
    except OSError as error:
        raise Unsynced(error, None) from error


def remove_file(path: Path) -> None:
    """Remove a file of ours that holds nothing anyone wrote. One that is gone already is fine."""
    _check_place(path)
    path.unlink(missing_ok=True)


def remove_files(folder: Path) -> None:
    """Remove a folder with the plain files in it, the last by name first; what is gone already is fine.

    A link in its place stays, and so does whatever else someone put into it.
    """
    _check_place(folder)
    if folder.is_symlink() or not folder.is_dir():
        return
    for path in sorted(filter(is_regular_file, folder.iterdir()), reverse=True):
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # it is not empty
        folder.rmdir()
    sync_folder(folder.parent)


def empty_file(path: Path) -> None:
    """Take everything out of a file whose content is not wanted any more, also on a full disk."""
    _check_place(path)
    os.truncate(path, 0)


def sweep_temps(folder: Path) -> int:
    """Remove what killed processes left half-written in `folder`; gives how many. Nobody else's files are touched."""
    swept = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if _TEMP.fullmatch(entry.name) and entry.is_file(follow_symlinks=False) and _is_orphan(entry):
                _remove_quietly(Path(entry.path))
                swept += 1
    return swept


def _is_orphan(entry: os.DirEntry[str]) -> bool:
    match = _TEMP.fullmatch(entry.name)
    pid = int(match["pid"]) if match else 0
    if pid == os.getpid():  # in a container every life of the server has the same number
        return entry.name not in _temps_in_use
    return not Path(f"/proc/{pid}").exists() or time.time() - entry.stat(follow_symlinks=False).st_mtime > 3600


class AppendFile:
    """A file that only grows, line by line; each line is with the kernel when `write_line` returns.

    One thread writes; `sync` may be called from another.
    """

    def __init__(self, path: Path) -> None:
        _check_place(path)
        self.path = path
        self._is_new = not path.exists()
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        self._closing = threading.Lock()
        self._end = _end_of_last_line(self._descriptor)
        self._is_torn = os.fstat(self._descriptor).st_size > self._end

    def write_line(self, line: bytes) -> None:
        """Append `line`, with a newline where it has none. Whole or not at all.

        Raises:
            OSError: the file ends after the line before; it is cut back to there before anything else is appended.
        """
        if b"\n" in line[:-1]:
            raise ValueError("a line holds no newline")
        if not line.endswith(b"\n"):
            line += b"\n"
        self._mend()
        try:
            _write_all(self._descriptor, line)
        except OSError:
            self._is_torn = True
            with contextlib.suppress(OSError):
                self._mend()
            raise
        self._end += len(line)

    def cut(self, size: int) -> None:
        """Drop everything after the first `size` bytes, which end in a newline."""
        os.ftruncate(self._descriptor, size)
        self._end, self._is_torn = size, False

    def _mend(self) -> None:
        """A torn line may not be glued to the next one."""
        if self._is_torn:
            os.ftruncate(self._descriptor, self._end)
            self._is_torn = False

    def sync(self) -> None:
        """Make all that was written so far durable. Does nothing once closed."""
        with self._closing:
            if self._descriptor < 0:
                return
            os.fdatasync(self._descriptor)
            if self._is_new:
                sync_folder(self.path.parent)
                self._is_new = False

    def close(self) -> None:
        with self._closing:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1


def _end_of_last_line(descriptor: int, block: int = 65536) -> int:
    """The offset after the last newline."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - block)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


class StateFile:
    """A small JSON object on disk, for settings and the like: read whole, replaced whole, mode 0600."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Any]:
        """What is stored, {} when nothing is. What cannot be read as an object is set aside, never overwritten."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        try:
            return msgspec.json.decode(raw, type=dict[str, Any])
        except (ValueError, RecursionError) as error:
            aside = set_aside(self.path)
            log.error("state_file.unreadable", extra={"file": self.path.name, "kept_as": aside.name, "why": str(error)})
            return {}

    def write(self, value: dict[str, Any]) -> None:
        data = msgspec.json.format(msgspec.json.encode(value), indent=1)
        replace_file(self.path, data + b"\n")


def set_aside(path: Path, into: Path | None = None) -> Path:
    """Move what cannot be understood into `quarantine/` beside it or into `into`, under a name nothing else has."""
    folder = into or path.parent / "quarantine"
    make_folder(folder)
    target = folder / f"{path.name}.{time.strftime('%Y%m%dT%H%M%S')}.{secrets.token_hex(3)}"
    move_file(path, target)
    return target


class FolderLock:
    """A folder held by this process until `release`, or until the process ends in whatever way.

    Until then nothing is written below another folder that has come into its place: it may be another server's.
    """

    def __init__(self, folder: Path, file: BinaryIO, holder: bytes) -> None:
        """`holder`: what `file` says of this process."""
        self._folder, self._file, self._holder = folder, file, holder
        self._known = _identity(folder)
        _held[folder] = self

    def is_there(self) -> bool:
        """Is the folder where it was? Where there is none at all, each write says so itself."""
        try:
            if _identity(self._folder) == self._known:
                return True
            # Some drives number their folders anew; nobody else writes this into a lock.
            return (self._folder / "lock").read_bytes() == self._holder
        except OSError:
            return not self._folder.exists()

    def release(self) -> None:
        _held.pop(self._folder, None)
        self._file.close()


_held: dict[Path, FolderLock] = {}


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _check_place(*paths: Path) -> None:
    """Raises:
    OSError: a path is below a folder that has come into the place of one that this process holds.
    """
    for folder, held in _held.items():
        if any(path.is_relative_to(folder) for path in paths) and not held.is_there():
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(folder))


def lock_folder(path: Path) -> FolderLock:
    """Hold `path` for this process alone.

    A forked child would keep the lock alive after us; one that was exec'ed does not.

    Raises:
        FolderLocked: another process holds it.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.fdopen(os.open(path / "lock", flags, 0o600), "r+b", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = file.read() if isinstance(error, BlockingIOError) else None
        file.close()
        if holder is None:
            raise
        raise FolderLocked(*_parse_holder(holder)) from None
    told = json.dumps({"pid": os.getpid(), "since": time.time()}).encode()
    with contextlib.suppress(OSError):  # a full disk must not keep the server from starting: reading still works
        file.truncate(0)
        file.write(told)
    return FolderLock(path, file, told)


def _parse_holder(raw: bytes) -> tuple[int | None, float | None]:
    try:
        holder = msgspec.json.decode(raw, type=dict[str, float])
    except ValueError:
        return None, None
    return int(holder.get("pid", 0)) or None, holder.get("since")


def is_regular_file(path: Path) -> bool:
    """Whether `path` itself, no link, is a plain file."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def open_regular(path: Path) -> BinaryIO:
    """A plain file to read. Neither follows a link nor waits for a pipe.

    Raises:
        OSError: not there, not readable, or no plain file (`EINVAL`, or `ELOOP` for a link).
    """
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "Not a plain file", str(path))
    return file


def read_regular(path: Path) -> tuple[bytes, os.stat_result]:
    """The bytes of a plain file with the stat they belong to. Raises as `open_regular`."""
    with open_regular(path) as file:
        status = os.fstat(file.fileno())
        return file.read(), status


SENTENCES = {
    errno.EDQUOT: "Your disk quota is used up. Free some space, then try again.",
    errno.EFBIG: "The file has grown larger than this system allows.",
    errno.EROFS: "The disk is read-only. Make it writable, then try again.",
    errno.EACCES: "The server may not write there. Give it permission, then try again.",
    errno.EPERM: "The server may not write there. Give it permission, then try again.",
    errno.ENAMETOOLONG: "The file name is too long for this disk.",
    errno.ENOENT: "The folder is gone. Put it back, or restart the server to begin with an empty one.",
    errno.ESTALE: "Another folder has come into its place. Put the right one back, or restart the server.",
    errno.ENOTDIR: "There is a file where the folder should be.",
    errno.EIO: "The disk reported an error. Check it before you go on.",
    errno.EMFILE: "Too many files are open. Try again in a moment.",
    errno.ENFILE: "Too many files are open. Try again in a moment.",
}


def explained(error: OSError, folder: Path) -> StorageFailed:
    """The failure as a sentence for a person: what happened, what was kept, what to do next."""
    if isinstance(error, Unsynced):
        why = "The disk did not confirm that it is stored for good. Check the disk, then try again."
        return StorageFailed(f"Written, but perhaps not safely. {why}", code="not_confirmed")
    if error.errno == errno.ENOSPC:
        return StorageFailed(f"Not saved; what was stored before is kept. {_what_is_full(folder)}", code="disk_full")
    why = SENTENCES.get(error.errno or 0, f"{error.strerror or error}.")
    return StorageFailed(f"Not saved; what was stored before is kept. {why}")


def _what_is_full(folder: Path) -> str:
    with contextlib.suppress(OSError):
        disk = os.statvfs(folder)
        if disk.f_files and not disk.f_favail and disk.f_bavail:
            return "The disk has space but no free file entries. Remove some files, then try again."
    return "The disk is full. Free some space, then try again."
