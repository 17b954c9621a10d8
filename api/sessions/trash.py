"""Deleted sessions: kept to be undone, remembered so that none comes back by itself.

The file in `_trash/` is both at once, the document and the mark that it was deleted, so one rename deletes and one
restores: there is no moment at which a session is half gone.
"""

from pathlib import Path

from api.sessions.files import make_folder, move_file

FOLDER = "_trash"


def prepare(folder: Path) -> None:
    """Have the trash at hand, so that sessions can still be deleted when the disk is full."""
    if folder.is_dir():  # a folder that vanished is not made again, empty
        make_folder(folder / FOLDER)


def trashed_path(folder: Path, session_id: str) -> Path:
    return folder / FOLDER / f"{session_id}.json"


def is_trashed(folder: Path, session_id: str) -> bool:
    return trashed_path(folder, session_id).exists()


def trashed_ids(folder: Path) -> set[str]:
    """The ids of all sessions that are deleted."""
    return {path.stem for path in (folder / FOLDER).glob("*.json")}


def move_to_trash(folder: Path, session_id: str) -> None:
    """Delete the document of a session, undoably.

    Raises:
        FileNotFoundError: it has none.
        OSError: nothing has changed; `Unsynced`: deleted, but a power cut may undo that.
    """
    target = trashed_path(folder, session_id)
    prepare(folder)
    # A copy may have come back from outside: both are kept, and the mark that it is deleted never goes away.
    move_file(folder / f"{session_id}.json", _free_name(target) if target.exists() else target)


def move_back(folder: Path, session_id: str) -> None:
    """Undo `move_to_trash`. A document that is in place again already stays, and the trashed one is kept beside.

    Raises:
        OSError: nothing has changed; `Unsynced`: restored, but a power cut may undo that.
    """
    source, target = trashed_path(folder, session_id), folder / f"{session_id}.json"
    move_file(source, _free_name(source) if target.exists() else target)


def _free_name(path: Path) -> Path:
    number = 1
    while (found := path.with_suffix(f".{number}.json")).exists():
        number += 1
    return found
