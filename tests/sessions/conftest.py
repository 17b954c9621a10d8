"""A store on a temporary folder, and another life of it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.sessions.documents.session import Session
from api.sessions.store import SessionStore


class Shelf:
    """A sessions folder with a store on it. `store` lives until `restart`, which is what a new process would see."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index_file = folder / "_index.json"
        self.cache: dict[str, Session] = {}
        self.now = 1_800_000_000.0
        self.store = self._make()

    def _make(self) -> SessionStore:
        return SessionStore(lambda: self.folder, lambda: self.index_file, lambda: self.cache, clock=lambda: self.now)

    def restart(self) -> SessionStore:
        self.store.close()
        self.cache = {}
        self.store = self._make()
        return self.store

    def saved(self, *texts: str, **fields: Any) -> Session:
        """A saved session whose messages say `texts`."""
        session = self.store.new(**fields)
        session.messages += [{"role": "user", "content": text} for text in texts]
        session.save()
        return session

    def put(self, name: str, content: Any) -> Path:
        """A file in the folder that came from elsewhere."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    def ids(self, **wanted: Any) -> list[str]:
        return [row["session_id"] for row in self.store.rows(**wanted).rows]

    def files(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    folder = tmp_path / "sessions"
    folder.mkdir()
    shelf = Shelf(folder)
    yield shelf
    shelf.store.close()


@pytest.fixture
def stored(shelf: Shelf) -> Callable[[Session], dict[str, Any]]:
    """What the disk says of a session."""
    return lambda session: json.loads((shelf.folder / f"{session.session_id}.json").read_bytes())


@pytest.fixture
def store(shelf: Shelf) -> SessionStore:
    return shelf.store


@pytest.fixture
def other_store(tmp_path: Path) -> Iterator[SessionStore]:
    """A store on another folder, as on another machine."""
    (tmp_path / "elsewhere").mkdir()
    other = Shelf(tmp_path / "elsewhere")
    yield other.store
    other.store.close()
