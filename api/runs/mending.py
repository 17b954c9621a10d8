"""What `doctor --fix` does: moves aside what cannot be read, and builds anew what is derived. It deletes nothing."""

from collections.abc import Iterator
from pathlib import Path

from api.runs.doctor import is_object, small_files, store_of_files, temps, why_unreadable
from api.runs.recovery import UNREADABLE
from api.sessions.disk.files import set_aside
from api.sessions.finding.index import drop_index
from api.sessions.keeping.checking import index_problems


def mend(state_dir: Path, runs_dir: Path) -> Iterator[str]:
    """Mend what can be mended; gives a sentence for each thing done. Call with the folder locked.

    Raises:
        OSError: the disk refused; what was done so far stays, and the rest may be tried again.
    """
    aside = state_dir / "quarantine"
    store = store_of_files(state_dir / "sessions")
    for one in store.quarantined():
        yield _moved(store.folder / one.name, aside, state_dir)
    for path in sorted(runs_dir.glob("*.jsonl")):
        if why_unreadable(path):
            yield _moved(path, runs_dir / UNREADABLE, state_dir)
    for path in small_files(state_dir, store.folder):
        if not is_object(path):
            yield _moved(path, aside, state_dir)
    for path in temps(state_dir):
        yield _moved(path, aside, state_dir)
    if any(index_problems(store.folder, store.folder / "_index.db")):
        drop_index(store.folder / "_index.db")
        yield "The index was dropped; the next start builds it anew."


def _moved(path: Path, aside: Path, state_dir: Path) -> str:
    return f"{path.relative_to(state_dir)} is now {set_aside(path, aside).relative_to(state_dir)}."
