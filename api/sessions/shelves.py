"""Files that another room keeps for a session, by names of its own."""

from collections.abc import Iterable
from pathlib import Path

from api.sessions.disk.files import make_subfolder, remove_file, replace_file


class Shelf:
    """The files of one session. The folder is made when there is something to keep. All calls block.

    Names are ASCII letters, digits and `-`, and come from the program, never from outside.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, data: bytes) -> None:
        """Raises:
        OSError: it could not be kept.
        """
        make_subfolder(self._folder.parent)
        make_subfolder(self._folder)
        replace_file(self._folder / name, data)

    def get(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        remove_file(self._folder / name)

    def names(self) -> Iterable[str]:
        return sorted(path.name for path in self._folder.glob("*"))

    def clear(self) -> None:
        """Its session is gone for good."""
        for name in self.names():
            self.remove(name)
        if self._folder.is_dir():
            self._folder.rmdir()
