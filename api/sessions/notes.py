"""A small file for each session, in which another room keeps what it must remember of it."""

from pathlib import Path
from typing import Any

from api.sessions.disk.files import StateFile, make_subfolder, remove_file


class Notes:
    """`folder` is made when there is something to keep. All calls block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, session_id: str) -> "Note":
        return Note(self._folder / f"{session_id}.json")

    def remove(self, session_id: str) -> None:
        """Its session is gone for good."""
        remove_file(self._folder / f"{session_id}.json")


class Note:
    """As `StateFile`, but makes its folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Any]:
        return StateFile(self._path).read()

    def write(self, value: dict[str, Any]) -> None:
        make_subfolder(self._path.parent)
        StateFile(self._path).write(value)
