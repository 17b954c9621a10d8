"""What is left after a power cut at any moment: promises are kept, and nothing is ever cut or empty."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.crashfs import CrashFS, materialise
from tests.faults.scenarios import NEW, OLD, SCENARIOS

pytestmark = pytest.mark.faults

# The index is left out: its durability is not promised, and SQLite writes past `os`.
NAMES = [name for name, one in SCENARIOS.items() if one.is_in_crashfs and not name.endswith("_indexed")]


@pytest.mark.parametrize("name", NAMES)
def test_after_a_power_cut_at_any_moment_promises_are_kept(name: str, tmp_path: Path) -> None:
    scenario = SCENARIOS[name]
    folder = tmp_path / "live"
    folder.mkdir()
    scenario.prepare(folder)
    with CrashFS(folder) as disk:
        act = scenario.begin(folder)
        act()
        disk.promise()

    verdicts = []
    for number, (state, promised) in enumerate(disk.states()):
        left = tmp_path / str(number)
        left.mkdir()
        materialise(state, left)
        verdict = scenario.judge(left)
        assert verdict == "new" or not promised, state
        verdicts.append(verdict)

    print(f"{name}: {len(disk.steps)} steps, {len(verdicts)} states, {verdicts.count('old')} old")
    assert {*verdicts} == {"old", "new"}


def _in_place(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.write(descriptor, NEW.encode())
    os.fsync(descriptor)
    os.close(descriptor)


def _replaced(path: Path, *, sync_file: bool, sync_folder: bool, remove_first: bool = False) -> None:
    temp = path.with_name("temp")
    descriptor = os.open(temp, os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(descriptor, NEW.encode())
    if sync_file:
        os.fsync(descriptor)
    os.close(descriptor)
    if remove_first:
        path.unlink()
    temp.rename(path)
    if sync_folder:
        descriptor = os.open(path.parent, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


WRITERS: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "careful": (lambda path: _replaced(path, sync_file=True, sync_folder=True), set()),
    "in place": (_in_place, {"damaged"}),
    "no file sync": (lambda path: _replaced(path, sync_file=False, sync_folder=True), {"damaged"}),
    "no folder sync": (lambda path: _replaced(path, sync_file=True, sync_folder=False), {"broken promise"}),
    "removed first": (
        lambda path: _replaced(path, sync_file=True, sync_folder=True, remove_first=True),
        {"damaged"},
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_recorder_finds_what_careless_writers_lose(name: str, tmp_path: Path) -> None:
    write, expected = WRITERS[name]
    path = tmp_path / "a.txt"
    path.write_text(OLD)
    with CrashFS(tmp_path) as disk:
        write(path)
        disk.promise()

    found = set()
    for state, promised in disk.states():
        content = state.get("a.txt", b"").decode()
        if content not in (OLD, NEW):
            found.add("damaged")
        elif promised and content != NEW:
            found.add("broken promise")

    assert path.read_text() == NEW
    assert found == expected
