"""Opening below a folder, and never outside it, whatever links are put in the way meanwhile.

A path that is checked and then opened can be changed between the two. So the kernel is asked to do both at once
(`openat2`); where it cannot, each part of the path is opened by itself and no link is followed at all.
"""

import ctypes
import errno
import functools
import os
import stat
import struct
import sys

_OPENAT2 = 437
_NO_MAGIC_LINKS, _NO_LINKS, _BENEATH = 0x02, 0x04, 0x08
_TRIES = 64
"""How often the kernel may say that something was moved while it looked."""
PLACE = getattr(os, "O_PATH", os.O_RDONLY)
"""The flag to open what is only to be looked at, or to be opened from."""


def open_beneath(root: int, name: str, flags: int, *, follows_links: bool = True) -> int:
    """A descriptor of `name`, relative to the descriptor `root`. An empty name is the folder itself.

    Raises:
        OSError: as `open` does; EXDEV when the name leads outside, ELOOP when it leads through a link that is not
            followed, EINVAL when it holds a NUL character.
    """
    if "\0" in name:  # where the kernel would take it to end
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), name)
    if name.startswith("/"):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), name)
    if has_openat2():
        return _openat2(root, name or ".", flags, _BENEATH | (_NO_MAGIC_LINKS if follows_links else _NO_LINKS))
    return open_by_parts(root, name, flags)


@functools.cache
def has_openat2() -> bool:
    """Whether the kernel knows it, and whatever contains this process lets it through."""
    if not sys.platform.startswith("linux"):
        return False
    root = os.open("/", os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.close(_openat2(root, ".", PLACE, _BENEATH))
    except OSError:
        return False
    finally:
        os.close(root)
    return True


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _openat2(root: int, name: str, flags: int, resolve: int) -> int:
    how = struct.pack("QQQ", flags | os.O_CLOEXEC, 0, resolve)
    encoded = os.fsencode(name)
    for _ in range(_TRIES):
        descriptor = _libc().syscall(_OPENAT2, root, encoded, how, len(how))
        if descriptor >= 0:
            return descriptor
        number = ctypes.get_errno()
        if number not in (errno.EAGAIN, errno.EINTR):
            break
    raise OSError(number, os.strerror(number), name)


def open_by_parts(root: int, name: str, flags: int) -> int:
    """As `open_beneath`, for a kernel without `openat2`: neither a link nor `..` is followed."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), name)
    flags |= os.O_CLOEXEC | os.O_NOFOLLOW
    if not parts:
        return os.open(".", flags, dir_fd=root)
    place = os.dup(root)
    try:
        for part in parts[:-1]:
            inner = os.open(part, PLACE | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place)
            os.close(place)
            place = inner
        descriptor = os.open(parts[-1], flags, dir_fd=place)
    finally:
        os.close(place)
    if stat.S_ISLNK(os.fstat(descriptor).st_mode):  # which can be looked at, but not followed
        os.close(descriptor)
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)
    return descriptor
