"""Who may read and write what lies in the state folder."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path


def close_to_others(path: Path) -> bool:
    """Take the right to read a file of ours from everyone but its owner; tells whether anyone else had it.

    Raises:
        PermissionError: others have it, and the file is not ours.
    """
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode) or not mode & (stat.S_IRWXG | stat.S_IRWXO):
            return False
        path.chmod(0o600)
    except FileNotFoundError:
        return False
    return True


def may_read(path: Path) -> bool:
    return os.access(path, os.R_OK)


def first_closed(folder: Path) -> Path | None:
    """The first folder, `folder` itself or in it, that this process may not list, enter and write to."""
    return next((one for one in _folders(folder, depth=2) if not os.access(one, os.R_OK | os.W_OK | os.X_OK)), None)


def _folders(folder: Path, depth: int) -> Iterator[Path]:
    """Each before what is in it, so that none is entered that was not looked at."""
    yield folder
    if depth:
        with os.scandir(folder) as entries:
            inner = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        for name in inner:
            yield from _folders(folder / name, depth - 1)
