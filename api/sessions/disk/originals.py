"""Documents as they were before this program first wrote them in a newer format, should the older one be wanted."""

import errno
import os
from pathlib import Path

from api.sessions.disk.files import make_subfolder, remove_file, replace_file

FOLDER = "_older"


def keep_original(path: Path, schema: int) -> None:
    """Keep a verified copy of the document at `path`, which has format `schema`, unless there is one.

    Raises:
        OSError: there is none then.
    """
    target = path.parent / FOLDER / f"{path.stem}.schema-{schema}.json"
    if target.exists():
        return
    raw = path.read_bytes()
    make_subfolder(target.parent)
    replace_file(target, raw)
    if target.read_bytes() != raw:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(target))


def originals_of(folder: Path, session_id: str) -> list[Path]:
    """What is kept of a session, the oldest format first."""
    return sorted((folder / FOLDER).glob(f"{session_id}.*"))


def forget_originals(folder: Path, session_id: str) -> None:
    """Remove them: the session was removed for good."""
    for path in originals_of(folder, session_id):
        remove_file(path)
