"""Which folders there are on this machine, for a person to choose one to work in. Tells names, and opens no file."""

import heapq
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from api.domain.errors import BadRequest
from api.workspace.folder import Folder, explained

MOST = 500


class Place(msgspec.Struct, frozen=True):
    """A folder and the names of those in it, hidden ones last. `is_cut`: there are more than `MOST`."""

    path: Path
    folders: list[str]
    is_cut: bool


def place_named(text: str, field: str = "path") -> Path:
    """The path that a person typed in `field`, who may write `~` for the home folder.

    Raises:
        BadRequest: it is not named in full.
    """
    if text == "~" or text.startswith("~/"):
        return Path.home() / text[2:]
    if not text.startswith("/"):
        raise BadRequest("Name the folder in full: from / or ~ on.", code="folder_not_in_full", field=field)
    return Path(text)


def workable(path: Path, refused: Iterable[Path]) -> str:
    """The true name of a folder, if it can be worked in. Raises as `Folder`."""
    with Folder(path, refused) as folder:
        return str(folder.path)


def look_into(path: Path) -> Place:
    """What folders there are in one. Links to folders are folders; what may not be looked at is left out.

    Raises:
        NotFound, Forbidden, BadRequest: it cannot be looked into.
    """
    try:
        path = path.resolve()
        with os.scandir(path) as entries:
            # One more than are told, to know whether there are more.
            names = heapq.nsmallest(MOST + 1, (entry.name for entry in entries if _is_folder(entry)), key=_order)
    except OSError as error:
        raise explained(error, str(path)) from error
    except RuntimeError as error:  # what pathlib says of links that go in circles
        raise BadRequest(f"{str(path)!r} leads in circles.", field="path") from error
    return Place(path, names[:MOST], len(names) > MOST)


def _order(name: str) -> tuple[bool, str, str]:
    return name.startswith("."), name.casefold(), name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        # A name that is no text cannot be asked for by a page.
        return entry.is_dir() and entry.name.isprintable()
    except OSError:
        return False
