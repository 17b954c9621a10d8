"""What is left after a power cut at any moment: promises are kept, and nothing is ever cut or empty."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from api.agents.base import Turn
from api.domain.approvals import Decision
from api.domain.events import ApprovalRequested, ApprovalResolved, Event, TextDelta, ToolEnded, ToolStarted
from api.runs import engine
from api.runs.journal import read_journal
from api.runs.turns import NewTurn
from tests.faults.crashfs import CrashFS, Promise, State, Sync, SyncFolder, materialise
from tests.faults.scenarios import NEW, OLD, SCENARIOS
from tests.runs.conftest import World, eventually

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


class Telling:
    """An agent that says what it is given, waits for a decision, and promises then that all has been heard."""

    name = "telling"

    def __init__(self, disk: CrashFS, events: list[Event]) -> None:
        self._disk, self._events = disk, events

    async def run(self, turn: Turn) -> AsyncGenerator[Event, None]:
        for event in self._events:
            if isinstance(event, ApprovalResolved):
                await turn.permissions.decided(event.approval_id)
            else:
                yield event
        self._disk.promise()
        await asyncio.Event().wait()

    async def prepare(self, model: str = "") -> None: ...

    async def close(self) -> None: ...


ASKED = ApprovalRequested(approval_id="a1", call_id="c1", name="shell", arguments="{}", arguments_sha256="0" * 64)
TOLD: dict[str, list[Event]] = {
    "a call": [ToolStarted(call_id="c1", name="shell", title="shell")],
    "its result": [ToolStarted(call_id="c1", name="shell", title="shell"), ToolEnded(call_id="c1", output="done")],
    "a question": [ASKED],
    "a decision": [ASKED, ApprovalResolved(approval_id="a1", choice="once")],
}


@pytest.mark.anyio
@pytest.mark.parametrize("events", TOLD.values(), ids=TOLD)
async def test_an_agent_goes_on_after_a_call_a_result_or_a_decision_once_no_power_cut_can_undo_it(
    events: list[Event], tmp_path: Path
) -> None:
    world = World(tmp_path / "live")
    with CrashFS(tmp_path / "live" / "runs") as disk:
        world.agents.agent = Telling(disk, events)
        started = await world.conversing.start(world.store.new().session_id, NewTurn(text="hello"))
        if isinstance(events[-1], ApprovalResolved):
            run = world.engine.find(started.stream_id)
            await eventually(lambda: run.is_waiting)
            await run.decide(ASKED.approval_id, ASKED.arguments_sha256, Decision("once"))
        await eventually(lambda: any(isinstance(step, Promise) for step in disk.steps))
        steps = disk.steps[: next(at for at, step in enumerate(disk.steps) if isinstance(step, Promise)) + 1]
        await world.viewing.cancel(started.stream_id)
    disk.steps = steps
    kept = [
        _journaled(state, tmp_path / str(number)) for number, (state, promised) in enumerate(disk.states()) if promised
    ]
    await world.close()

    assert kept
    for told in kept:
        assert [type(event) for event in told] == [type(event) for event in events]


@pytest.mark.anyio
async def test_words_that_are_shown_are_safe_from_a_power_cut_a_quarter_of_a_second_later(tmp_path: Path) -> None:
    assert engine.SYNC_S <= 0.25
    world = World(tmp_path / "live")
    world.engine.open()
    with CrashFS(tmp_path / "live" / "runs") as disk:
        started = await world.conversing.start(world.store.new().session_id, NewTurn(text="hello"))
        world.agent.says(TextDelta(text="shown"))
        await anext(aiter(world.viewing.follow(started.stream_id)))
        written = len(disk.steps)
        # Another thread syncs: first the file, then, once, the folder that names it.
        await eventually(
            lambda: (
                any(isinstance(step, Sync) for step in disk.steps[written:])
                and any(isinstance(step, SyncFolder) for step in disk.steps)
            )
        )
        steps, disk.steps = disk.steps, []
        await world.viewing.cancel(started.stream_id)
    disk.steps = [*steps, Promise()]
    kept = [
        _journaled(state, tmp_path / str(number)) for number, (state, promised) in enumerate(disk.states()) if promised
    ]
    await world.close()

    assert kept
    assert all("".join(one.text for one in told if isinstance(one, TextDelta)) == "shown" for told in kept)


def _journaled(state: State, left: Path) -> list[Event]:
    """The events of the one journal that a power cut left."""
    left.mkdir()
    materialise(state, left)
    (path,) = left.glob("*.jsonl")
    return read_journal(path).events


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
