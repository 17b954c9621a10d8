"""A folder that someone works in: everything below it can be reached, and nothing else.

All names are relative to it, with `/` between their parts. All calls block; all raise `AppError`s with a sentence.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import pwd
import secrets
import stat
import sys
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec

from api.domain.errors import AppError, BadRequest, Conflict, Forbidden, NotFound, StorageFailed, TooLarge
from api.workspace.beneath import PLACE, open_beneath

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY  # never waits for one who would write into a pipe
_LIST = os.O_RDONLY | os.O_DIRECTORY
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LONGEST_NAME = 2000
_OF_THE_SYSTEM = tuple(map(Path, ("/proc", "/sys", "/dev")))


class FolderRefused(Forbidden):
    """This folder may not be worked in. The message is a sentence that says why."""

    code = "folder_refused"


Kind = Literal["file", "folder", "link", "other"]


class Entry(msgspec.Struct, frozen=True):
    """Something in a folder. `name` is relative to the `Folder`; `size` in bytes; `mode` are the rights.

    `changed_ns` is when its content was changed, as it says itself; `touched_ns` when anything of it was; since 1970.
    """

    name: str
    kind: Kind
    size: int
    changed_ns: int
    touched_ns: int
    mode: int


class Contents(msgspec.Struct, frozen=True):
    """The bytes of a file as they were at one moment. `version` differs whenever they do."""

    data: bytes
    mode: int

    @property
    def version(self) -> str:
        return version_of(self.data)


def version_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Folder:
    """Holds one descriptor, until `close` or until nobody holds the folder.

    `path` is its true name. `refused`: folders that may neither be worked in nor be reached from here, such as the one
    that holds our state.

    Raises:
        FolderRefused: it is the whole disk, a home folder or above one, the system's, or has to do with `refused`.
        NotFound: there is no such folder.
    """

    def __init__(self, path: Path, refused: Iterable[Path] = ()) -> None:
        given = path.expanduser().absolute()
        self.path = given.resolve()
        self._known_as = (self.path, given)
        self.refused = tuple(one.expanduser().resolve() for one in refused)
        _check_place(self.path, self.refused)
        try:
            self._root = os.open(self.path, PLACE | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise explained(error, str(given)) from error
        self._close = weakref.finalize(self, os.close, self._root)

    def close(self) -> None:
        self._close()

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def name_of(self, path: str) -> str:
        """The name by which `path`, absolute or relative to this folder, is known here.

        Raises:
            Forbidden: it is absolute and lies elsewhere.
        """
        if not path.startswith("/"):
            return "/".join(part for part in path.split("/") if part not in ("", "."))
        for own in self._known_as:
            with contextlib.suppress(ValueError):
                return self.name_of(str(Path(path).relative_to(own)))
        raise Forbidden(f"{path!r} lies outside the workspace {str(self.path)!r}.")

    def open(self, name: str) -> BinaryIO:
        """A plain file to read. Neither a pipe nor a device is opened."""
        descriptor = self._open(name, _READ)
        kind = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(kind):
            os.close(descriptor)
            what = "a folder" if stat.S_ISDIR(kind) else "no plain file"
            raise BadRequest(f"{name!r} is {what}, so it cannot be read as a file.")
        os.set_blocking(descriptor, True)
        return os.fdopen(descriptor, "rb")

    def read(self, name: str, most_bytes: int) -> Contents:
        """A plain file, whole.

        Raises:
            TooLarge: it has more than `most_bytes`.
        """
        with self.open(name) as file:
            status = os.fstat(file.fileno())
            data = b"" if status.st_size > most_bytes else _taken(file, name, most_bytes + 1)
            if status.st_size > most_bytes or len(data) > most_bytes:
                size = max(status.st_size, len(data))
                raise TooLarge(f"{name!r} has {size:,} bytes, and at most {most_bytes:,} are read at once.")
            return Contents(data, stat.S_IMODE(status.st_mode))

    def look(self, name: str) -> Entry | None:
        """What `name` is, links followed; None when there is nothing of that name."""
        try:
            descriptor = self._open(name, PLACE)
        except NotFound:
            return None
        try:
            return _entry(name, os.fstat(descriptor))
        finally:
            os.close(descriptor)

    def list(self, name: str = "") -> list[Entry]:
        """What lies directly in a folder, by name; links are told as such, refused folders are left out."""
        descriptor = self._open(name, _LIST)
        try:
            place = self._place(descriptor)
            prefix = "" if name in ("", ".") else name.rstrip("/") + "/"
            with os.scandir(descriptor) as entries:
                found = [_entry(prefix + one.name, status) for one in entries if (status := _status(one)) is not None]
        except OSError as error:
            raise explained(error, name) from error
        finally:
            os.close(descriptor)
        seen = (one for one in found if not self._is_refused(place / one.name.rpartition("/")[2]))
        return sorted(seen, key=lambda entry: entry.name)

    def glance(self, name: str = "") -> Iterator[tuple[str, Kind]]:
        """What lies directly in a folder, as it comes: names and kinds, at no more cost than what is taken.

        No link is followed, and refused folders are left out.
        """
        descriptor = self._open(name, _LIST)
        try:
            place = self._place(descriptor)
            prefix = f"{name}/" if name else ""
            with os.scandir(descriptor) as entries:
                for one in entries:
                    if not self._is_refused(place / one.name):
                        yield prefix + one.name, _kind(one)
        except OSError as error:
            raise explained(error, name) from error
        finally:
            os.close(descriptor)

    def walk(self, name: str = "", *, skipped: frozenset[str] = frozenset()) -> Iterator[Entry]:
        """Everything below a folder, each folder before what is in it; no link is followed.

        What cannot be listed is told and not entered; nor is a folder with one of the names `skipped`, which is not
        even told.
        """
        waiting = [name]
        while waiting:
            folder = waiting.pop()
            try:
                entries = self.list(folder)
            except AppError:
                if folder == name:
                    raise
                continue
            told = [one for one in entries if one.kind != "folder" or one.name.rpartition("/")[2] not in skipped]
            yield from told
            waiting += [one.name for one in reversed(told) if one.kind == "folder"]

    def write(self, name: str, data: bytes, *, expected: str | None = "", mode: int | None = None) -> None:
        """Make the file hold exactly `data`; at every instant it is the old one or the new one, whole.

        `expected`: the version that it must still have, None when it must not be there, empty when it may be anything.
        `mode`: the rights of a file that is new. Its folders are made. A link within the workspace is followed, and
        its target written.

        Raises:
            Conflict: it is not as expected; nothing was written.
            StorageFailed: the disk is full or ill; the old file is untouched.
        """
        with self._settled(name, makes_folders=True) as (place, base):
            kept = _mode_to_keep(place, base, name)
            temp = f".{secrets.token_hex(8)}.fireside.tmp"
            try:
                _write_new(place, temp, data, mode if kept is None else kept)
                if expected != "":
                    self._expect(place, base, name, expected)
                os.rename(temp, base, src_dir_fd=place, dst_dir_fd=place)
                _sync(place)
            except (OSError, AppError) as error:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temp, dir_fd=place)
                if isinstance(error, OSError):
                    raise explained(error, name) from error
                raise

    def remove(self, name: str) -> None:
        """Delete a file, a link itself, or an empty folder; what is not there is deleted already."""
        with self._settled(name, follows_last=False) as (place, base):
            try:
                if stat.S_ISDIR(os.lstat(base, dir_fd=place).st_mode):
                    os.rmdir(base, dir_fd=place)
                else:
                    os.unlink(base, dir_fd=place)
                _sync(place)
            except FileNotFoundError:
                return
            except OSError as error:
                raise explained(error, name) from error

    def rename(self, old: str, new: str) -> None:
        """Move a file, link or folder within the workspace, to where nothing is."""
        with (
            self._settled(old, follows_last=False) as (place, base),
            self._settled(new, follows_last=False, makes_folders=True) as (new_place, new_base),
        ):
            try:
                if _exists(new_place, new_base):
                    raise Conflict(f"There is a {new!r} already; nothing was moved.")
                os.rename(base, new_base, src_dir_fd=place, dst_dir_fd=new_place)
                _sync(new_place)
            except OSError as error:
                raise explained(error, old) from error

    def make_folder(self, name: str) -> None:
        """Make a folder with those above it; what is there already stays."""
        if len(name) > _LONGEST_NAME:
            raise BadRequest(f"{name[:40]!r}… has {len(name):,} characters, which is too long for a name.")
        made = ""
        for part in self.name_of(name).split("/"):
            made = f"{made}/{part}" if made else part
            found = self.look(made)
            if found is None:
                with self._settled(made, follows_last=False) as (place, base), _explaining(made):
                    os.mkdir(base, dir_fd=place)
            elif found.kind != "folder":
                raise Conflict(f"{made!r} is a file, so there can be no folder of that name.")

    def _open(self, name: str, flags: int, *, follows_links: bool = True) -> int:
        if os.fstat(self._root).st_nlink == 0:  # else it would seem to be empty
            raise NotFound(f"The workspace {str(self.path)!r} was deleted. Put it back, or choose another folder.")
        with _explaining(name):
            descriptor = open_beneath(self._root, name, flags, follows_links=follows_links)
        if self.refused and self._is_refused(self._place(descriptor)):
            os.close(descriptor)
            raise Forbidden(f"{name!r} is kept from agents and tools.")
        return descriptor

    def _is_refused(self, path: Path) -> bool:
        return any(path.is_relative_to(one) for one in self.refused)

    def _place(self, descriptor: int) -> Path:
        """Where an open file lies, by its true name."""
        if sys.platform == "darwin":
            return Path(os.fsdecode(fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0")))
        return Path(f"/proc/self/fd/{descriptor}").readlink()

    @contextlib.contextmanager
    def _settled(
        self, name: str, *, follows_last: bool = True, makes_folders: bool = False
    ) -> Iterator[tuple[int, str]]:
        """The descriptor of the folder that holds `name`, and its name there, with no link left between the two."""
        if follows_last and (target := self._true_name(name)) is not None:
            name = target
        above, _, base = self.name_of(name).rpartition("/")
        if base in ("", ".", "..") or "\0" in name:
            raise BadRequest(f"{name!r} is no name for a file.")
        if makes_folders and above:
            self.make_folder(above)
        place = self._open(above, _LIST, follows_links=not follows_last)
        try:
            if self._is_refused(self._place(place) / base):
                raise Forbidden(f"{name!r} is kept from agents and tools.")
            yield place, base
        finally:
            os.close(place)

    def _true_name(self, name: str) -> str | None:
        """The name of what `name` leads to, with no link in it; None when it leads to nothing."""
        try:
            descriptor = self._open(name, PLACE)
        except NotFound:
            return None
        try:
            return str(self._place(descriptor).relative_to(self._place(self._root)))
        except ValueError:
            raise Forbidden(f"{name!r} was moved out of the workspace.") from None
        finally:
            os.close(descriptor)

    def _expect(self, place: int, base: str, name: str, expected: str | None) -> None:
        if not _exists(place, base):
            if expected is not None:
                raise Conflict(f"{name!r} has been deleted since it was read; nothing was written.")
        elif expected is None:
            raise Conflict(f"There is a {name!r} already, which has not been read; nothing was written.")
        else:
            descriptor = os.open(base, _READ | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place)
            with os.fdopen(descriptor, "rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != expected:
                    raise Conflict(f"{name!r} has changed since it was read; nothing was written. Read it again.")


def _check_place(path: Path, refused: tuple[Path, ...]) -> None:
    if path == Path("/"):
        raise FolderRefused("The whole disk cannot be a workspace. Choose a folder of a project.")
    if any(home.is_relative_to(path) for home in _homes()):
        raise FolderRefused(f"The folder {str(path)!r} holds a whole home folder. Choose a folder of a project in it.")
    if any(path.is_relative_to(one) for one in _OF_THE_SYSTEM):
        raise FolderRefused(f"The folder {str(path)!r} belongs to the system and cannot be a workspace.")
    for one in refused:
        if path.is_relative_to(one) or one.is_relative_to(path):
            relation = "lies in" if path.is_relative_to(one) else "holds"
            raise FolderRefused(
                f"The folder {str(path)!r} {relation} {str(one)!r}, which agents and tools may not reach."
            )


def _homes() -> set[Path]:
    """That of the environment, and that of the system where it knows the user: in a container it may not."""
    homes = {Path.home().resolve()}
    with contextlib.suppress(KeyError):
        homes.add(Path(pwd.getpwuid(os.getuid()).pw_dir).resolve())
    return homes


def _taken(file: BinaryIO, name: str, most_bytes: int) -> bytes:
    with _explaining(name):
        return file.read(most_bytes)


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:  # deleted since it was listed
        return None


def _entry(name: str, status: os.stat_result) -> Entry:
    kinds: dict[int, Kind] = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
    kind = kinds.get(stat.S_IFMT(status.st_mode), "other")
    times = status.st_mtime_ns, status.st_ctime_ns
    return Entry(name, kind, status.st_size, *times, stat.S_IMODE(status.st_mode))


def _kind(entry: os.DirEntry[str]) -> Kind:
    if entry.is_symlink():
        return "link"
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) else "other"


def _exists(place: int, base: str) -> bool:
    try:
        os.lstat(base, dir_fd=place)
    except FileNotFoundError:
        return False
    return True


def _mode_to_keep(place: int, base: str, name: str) -> int | None:
    """The rights that a file which is to be replaced has; None when there is none."""
    try:
        mode = os.lstat(base, dir_fd=place).st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise explained(error, name) from error
    if stat.S_ISDIR(mode):
        raise BadRequest(f"{name!r} is a folder, so nothing was written.")
    if not stat.S_ISREG(mode):
        raise BadRequest(f"{name!r} is no plain file, so nothing was written.")
    if not mode & 0o222:
        raise Forbidden(f"{name!r} is read-only, so nothing was written.")
    return stat.S_IMODE(mode) & 0o777


def _write_new(place: int, temp: str, data: bytes, mode: int | None) -> None:
    descriptor = os.open(temp, _CREATE, 0o666 if mode is None else 0o600, dir_fd=place)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        if mode is not None:
            os.fchmod(descriptor, mode)
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(descriptor)


def _sync(place: int) -> None:
    """Make a change of names durable, on disks that can."""
    try:
        os.fsync(place)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise


@contextlib.contextmanager
def _explaining(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise explained(error, name) from error


def explained(error: OSError, name: str) -> AppError:
    """What the system said about `name`, as a sentence."""
    match error.errno:
        case errno.ENOENT:
            return NotFound(f"There is no {name!r}.")
        case errno.EXDEV | errno.ELOOP:
            return Forbidden(f"{name!r} leads out of the workspace, or in circles.")
        case errno.EACCES | errno.EPERM:
            return Forbidden(f"The server may not do that with {name!r}: permission denied.")
        case errno.EROFS:
            return Forbidden(f"{name!r} lies on a disk that is read-only.")
        case errno.ENOSPC | errno.EDQUOT | errno.EIO:
            return StorageFailed(f"{name!r} was not written, and is as it was: {error.strerror}.")
        case errno.ENOTDIR:
            return BadRequest(f"{name!r} is no folder, or leads through something that is none.")
        case errno.ENOTEMPTY:
            return Conflict(f"The folder {name!r} is not empty.")
    return BadRequest(f"{name!r} cannot be used: {error.strerror}.")
