"""Recovery alone, in processes that are killed while they are at it."""

import json
import multiprocessing
import shutil
import threading
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from api.runs.recovery import recover
from api.sessions.documents.session import Session
from api.sessions.store import SessionStore
from tests.faults.conftest import Dice

_TIMES = {"timestamp", "updated_at", "last_message_at"}


def recovered(remains: Path, target: Path) -> Path:
    """A copy of a dead server's folder, after one recovery from end to end."""
    shutil.copytree(remains, target)
    _recover(target)
    return target


def recovered_with_deaths(remains: Path, target: Path, deaths: int, dice: Dice) -> Path:
    """The same, where each of the first `deaths` attempts was killed somewhere on its way."""
    began = time.monotonic()
    recovered(remains, target.with_suffix(".timed"))
    takes_s = time.monotonic() - began
    shutil.copytree(remains, target)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    for _ in range(deaths):
        is_at_it = context.Event()
        process = context.Process(target=_recover, args=(target, is_at_it))
        process.start()
        assert is_at_it.wait(30)
        threading.Event().wait(dice.uniform(0, takes_s))
        process.kill()
        process.join()
    _recover(target)
    return target


def _recover(folder: Path, is_at_it: Event | None = None) -> None:
    sessions, cache = folder / "sessions", dict[str, Session]()
    store = SessionStore(lambda: sessions, lambda: sessions / "_index.db", lambda: cache)
    if is_at_it is not None:
        is_at_it.set()
    recover(store, folder / "runs")


def contents(folder: Path) -> dict[str, Any]:
    """Every document and journal below `folder`, without the times at which things were written."""
    journals = {str(path.relative_to(folder)): path.read_bytes() for path in (folder / "runs").rglob("*.jsonl")}
    documents = {path.name: _timeless(json.loads(path.read_bytes())) for path in (folder / "sessions").glob("*.json")}
    return journals | documents


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(one) for name, one in value.items() if name not in _TIMES}
    return [_timeless(one) for one in value] if isinstance(value, list) else value
