"""Watching a run from any number on."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.domain.events import Event, TextDelta, ToolStarted
from api.runs import watching
from api.runs.run import Run
from api.runs.turns import NewTurn
from api.runs.viewing import Bye, Resync

from .conftest import World, eventually

pytestmark = pytest.mark.anyio


async def started_run(world: World, count: int) -> str:
    """A run that has said `count` words, each an event of its own, and goes on."""
    session = world.store.new()
    run_id = (await world.conversing.start(session.session_id, NewTurn(text="count"))).stream_id
    run = world.engine.find(run_id)
    assert run is not None
    for number in range(count):
        run._record([TextDelta(text=f"{number} ")])
    return run_id


async def seen_by(world: World, run_id: str, after: int) -> list[Event]:
    return [event async for batch in world.viewing.follow(run_id, after) if isinstance(batch, list) for event in batch]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(0, 40), data=st.data())
def test_every_watcher_sees_each_event_once_wherever_it_begins(
    make_world: Callable[[], World], count: int, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, count))

    async def scenario() -> None:
        world = make_world()
        run_id = await started_run(world, count)
        late = asyncio.create_task(seen_by(world, run_id, cut))
        await world.viewing.cancel(run_id)

        assert [event.seq for event in await late] == list(range(cut + 1, count + 2))
        assert [event.seq for event in await seen_by(world, run_id, cut)] == list(range(cut + 1, count + 2))
        await world.engine.close()

    asyncio.run(scenario())


async def test_what_is_no_longer_in_memory_is_read_from_the_journal(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching.Shown.__init__, "__defaults__", (0, 5))
    run_id = await started_run(world, 50)

    first = await anext(aiter(world.viewing.follow(run_id, 3)))

    assert isinstance(first, list)
    assert [event.seq for event in first] == list(range(4, 51))


async def test_a_watcher_that_falls_behind_is_told_to_start_afresh(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching.Shown.__init__, "__defaults__", (0, 5))
    run_id = await started_run(world, 1)
    run = world.engine.find(run_id)
    assert run is not None
    watcher = aiter(world.viewing.follow(run_id))
    await anext(watcher)
    waiting = asyncio.ensure_future(anext(watcher))
    await asyncio.sleep(0)

    run._record([TextDelta(text=str(number)) for number in range(20)])

    assert await waiting == Resync()


async def test_a_number_beyond_the_end_is_told_to_start_afresh(world: World) -> None:
    run_id = await started_run(world, 3)

    assert await anext(aiter(world.viewing.follow(run_id, 10**12))) == Resync()

    await world.viewing.cancel(run_id)
    assert await anext(aiter(world.viewing.follow(run_id, 5))) == Resync()


async def test_watchers_are_let_go_when_the_server_stops(world: World) -> None:
    run_id = await started_run(world, 1)
    watcher = aiter(world.viewing.follow(run_id))
    await anext(watcher)

    world.engine.begin_closing()

    assert await anext(watcher) == Bye()


async def test_a_snapshot_and_what_follows_it_are_the_whole_run(world: World) -> None:
    run_id = await started_run(world, 7)
    run = world.engine.find(run_id)
    assert run is not None

    view = await world.viewing.session(run.header.session_id)
    assert view.active_run is not None
    so_far, number = view.active_run.transcript.text, view.active_run.seq
    await world.viewing.cancel(run_id)

    after = [event for event in await seen_by(world, run_id, number) if isinstance(event, TextDelta)]
    assert so_far + "".join(event.text for event in after) == "0 1 2 3 4 5 6 "
    assert (await world.viewing.session(run.header.session_id)).active_run is None


async def test_a_snapshot_stays_as_it_was_taken_while_the_run_goes_on(world: World) -> None:
    run_id = await started_run(world, 3)
    run = world.engine.find(run_id)
    assert run is not None
    taken = (await world.viewing.session(run.header.session_id)).active_run
    assert taken is not None

    run._record([TextDelta(text="and more"), ToolStarted(call_id="c", name="look")])

    assert taken.transcript.text == "0 1 2 "
    assert (taken.seq, taken.transcript.seq, len(taken.transcript.blocks)) == (3, 3, 1)
    await world.viewing.cancel(run_id)


async def test_a_snapshot_taken_while_the_run_enters_its_session_is_followed_to_the_ending(world: World) -> None:
    run_id = await started_run(world, 3)
    run = world.engine.find(run_id)
    assert run is not None
    finish, gate = run._finish, asyncio.Event()

    async def finish_later(one: Run) -> None:
        await gate.wait()
        await finish(one)

    run._finish = finish_later
    ending = asyncio.create_task(world.viewing.cancel(run_id))
    await eventually(lambda: run.transcript.outcome)
    taken = (await world.viewing.session(run.header.session_id)).active_run
    gate.set()
    await ending

    assert taken is not None
    assert (taken.seq, taken.transcript.seq, taken.transcript.outcome) == (3, 3, None)
    assert [event.seq for event in await seen_by(world, run_id, taken.seq)] == [4]
