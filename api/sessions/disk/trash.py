"""Deleted sessions: kept to be undone, remembered so that none comes back by itself.

The file `_trash/<id>.json` is both at once, the document and the mark that it was deleted, so one rename deletes and
one restores: there is no moment at which a session is half gone. What is removed for good is renamed once more, to
`_trash/<id>.gone`, and then emptied but for a mark that stays. A rename needs no space, so a full disk is made emptier.
"""

import contextlib
import os
from pathlib import Path

import msgspec

from api.domain.ids import OWNER_LOCAL, is_safe_id, new_session_id
from api.sessions.disk import attached
from api.sessions.disk.files import empty_file, make_subfolder, move_file, remove_file, replace_file, sync_folder
from api.sessions.disk.originals import forget_originals
from api.sessions.documents.document import Document, encode

FOLDER = "_trash"
LEDGER = "_ages.json"
"""What is known of how long each has lain there."""
CLEARED_FROM = "cleared_from"
"""The field of a document in the trash that holds what was cleared out of a session: that session's id."""


_LARGEST_MARK = 1024


class Gone(msgspec.Struct, omit_defaults=True):
    """What is remembered of a session that was removed for good. `at` in seconds since 1970."""

    at: float = 0.0
    owner: str = OWNER_LOCAL


class _StrictGone(Gone, forbid_unknown_fields=True):
    """A mark, and not a document that is about to become one."""


def prepare(folder: Path) -> None:
    """Have the trash at hand, so that sessions can still be deleted when the disk is full."""
    with contextlib.suppress(FileNotFoundError):
        make_subfolder(folder / FOLDER)


def trashed_path(folder: Path, session_id: str) -> Path:
    return folder / FOLDER / f"{session_id}.json"


def gone_path(folder: Path, session_id: str) -> Path:
    return folder / FOLDER / f"{session_id}.gone"


def is_trashed(folder: Path, session_id: str) -> bool:
    """Was it deleted, whether it can still be restored or not?"""
    return trashed_path(folder, session_id).exists() or gone_path(folder, session_id).exists()


def deleted_ids(folder: Path) -> set[str]:
    """The ids of all sessions that are deleted, those removed for good among them."""
    documents, gone, _ = _look(folder)
    return documents | gone


def restorable_ids(folder: Path) -> set[str]:
    """The ids of the sessions that can be restored."""
    documents, gone, _ = _look(folder)
    return documents - gone


def half_gone_ids(folder: Path) -> set[str]:
    """The ids of sessions that were being removed for good when the server died."""
    _, gone, copied = _look(folder)
    return (gone & copied) | {one for one in gone if not _is_emptied(gone_path(folder, one))}


def _look(folder: Path) -> tuple[set[str], set[str], set[str]]:
    """Ids by what is there of them: a document, a mark that it is gone, a document or copies of one."""
    documents, gone, copied = set(), set(), set()
    with contextlib.suppress(FileNotFoundError), os.scandir(folder / FOLDER) as entries:
        for entry in entries:
            session_id, _, rest = entry.name.partition(".")
            if is_safe_id(session_id) and rest == "gone":
                gone.add(session_id)
            elif is_safe_id(session_id) and rest.endswith("json"):
                copied.add(session_id)
                if rest == "json":
                    documents.add(session_id)
    return documents, gone, copied


def moved_at(folder: Path, session_id: str) -> int:
    """When it was moved there, by its inode, in ns since 1970; 0 when it is not there."""
    try:
        return trashed_path(folder, session_id).stat().st_ctime_ns
    except OSError:
        return 0


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
        FileNotFoundError: it was removed for good, or never deleted.
        OSError: nothing has changed; `Unsynced`: restored, but a power cut may undo that.
    """
    source, target = trashed_path(folder, session_id), folder / f"{session_id}.json"
    if gone_path(folder, session_id).exists():
        raise FileNotFoundError(source)
    move_file(source, _free_name(source) if target.exists() else target)


def keep_cleared(folder: Path, document: Document) -> str:
    """Put a copy of a session, as it is before everything is cleared out of it, into the trash; gives the copy's id.

    Raises:
        OSError: nothing has changed that counts.
    """
    session_id = new_session_id()
    own = {"session_id": session_id, "active_stream_id": None, CLEARED_FROM: document["session_id"]}
    data = encode(document | own)
    prepare(folder)
    attached.copy(folder, document["session_id"], session_id, data)
    replace_file(trashed_path(folder, session_id), data)
    return session_id


def remove_for_good(folder: Path, session_id: str, gone: Gone) -> None:
    """Remove a deleted session with every copy of it in the trash. Safe to repeat after a crash at any point.

    Raises:
        OSError: it can still be restored, unless its mark is there; then `finish_removal` does the rest.
    """
    source, mark = trashed_path(folder, session_id), gone_path(folder, session_id)
    if not mark.exists():
        move_file(source, mark)
    finish_removal(folder, session_id, gone)


def finish_removal(folder: Path, session_id: str, gone: Gone) -> None:
    """Remove what a session said, whose mark says that it is gone."""
    mark = gone_path(folder, session_id)
    if not _is_emptied(mark):
        try:
            replace_file(mark, msgspec.json.encode(gone))
        except OSError:  # a full disk has no room for another file; whose session it was is not remembered then
            empty_file(mark)
    for path in (folder / FOLDER).glob(f"{session_id}.*json"):
        remove_file(path)
    forget_originals(folder, session_id)
    sync_folder(folder / FOLDER)


def _is_emptied(mark: Path) -> bool:
    try:
        if mark.stat().st_size > _LARGEST_MARK:
            return False
        raw = mark.read_bytes()
        return not raw or bool(msgspec.json.decode(raw, type=_StrictGone))
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False


def read_gone(folder: Path, session_id: str) -> Gone | None:
    """What is remembered of a session that was removed for good; None when it was not."""
    try:
        return msgspec.json.decode(gone_path(folder, session_id).read_bytes(), type=Gone)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return Gone()  # that the mark is there is what counts


def _free_name(path: Path) -> Path:
    number = 1
    while (found := path.with_suffix(f".{number}.json")).exists():
        number += 1
    return found
