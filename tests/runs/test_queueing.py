"""What waits for an answer to be done, and what an agent is told while it works."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.domain.errors import Conflict, NotFound, StaleRevision, StorageFailed, TooMany
from api.domain.events import RunEnded, Steered, StepStarted, TextDelta
from api.runs.queueing import Added
from api.runs.recovery import recover
from api.runs.turns import NewTurn
from api.sessions import waiting as limits
from api.sessions.disk.trash import Gone, remove_for_good
from api.sessions.documents.session import Session

from .conftest import World, eventually

pytestmark = pytest.mark.anyio


async def begin(world: World, text: str = "first") -> tuple[Session, str]:
    """A session in the middle of an answer, and its run."""
    session = world.store.new()
    started = await world.conversing.start(session.session_id, NewTurn(text=text))
    await eventually(lambda: world.agent.turns)
    return session, started.stream_id


async def wait(world: World, session: Session, text: str, **more: Any) -> Added:
    steer = more.pop("steer", False)
    return await world.queueing.add(session.session_id, NewTurn(text=text, **more), steer=steer)


async def waiting(world: World, session: Session) -> list[str]:
    return [one.text for one in (await world.queueing.of(session.session_id)).items]


async def answered(world: World, session: Session, count: int) -> None:
    """Wait until so many answers are in the document and no run is active."""
    await eventually(lambda: len(said(session, "assistant")) == count and not world.engine.active_count)


def said(session: Session, role: str = "user") -> list[str]:
    return [one["content"] for one in session.messages if one["role"] == role]


def file_of(world: World, session: Session) -> Path:
    return world.folder / "queues" / f"{session.session_id}.json"


def stored(world: World, session: Session) -> list[str]:
    return [one["text"] for one in json.loads(file_of(world, session).read_text())["items"]]


async def until_held(world: World, session: Session) -> None:
    await eventually(lambda: world.queueing._queues.get(session.session_id).is_held)


# In order, each its own turn


async def test_each_message_is_sent_when_the_answer_before_it_is_done_as_a_turn_of_its_own(world: World) -> None:
    session, _ = await begin(world)
    for text in ("second", "third"):
        assert (await wait(world, session, text)).started is None

    for answer in ("one", "two", "three"):
        world.agent.says(TextDelta(text=answer)).ends()
    await answered(world, session, 3)

    order = [one["content"] for one in session.messages]
    assert order == ["first", "one", "second", "two", "third", "three"]
    assert [[m["content"] for m in turn.messages][-1] for turn in world.agent.turns] == ["first", "second", "third"]
    # The answer may be there before the disk has let go of what it answers.
    await eventually(lambda: not file_of(world, session).exists())
    assert await waiting(world, session) == []


async def test_with_nothing_to_wait_for_it_is_sent_at_once(world: World) -> None:
    session = world.store.new()

    added = await wait(world, session, "hello", message_id="m1")

    assert added.started is not None and added.started.message_id == added.message_id == "m1"
    assert said(session) == ["hello"]
    assert not file_of(world, session).exists()


async def test_a_message_is_on_disk_before_it_is_answered_for_and_told_of(world: World) -> None:
    session, _ = await begin(world)

    await wait(world, session, "second")

    assert stored(world, session) == ["second"]
    assert world.told == [session.session_id]


async def test_a_message_keeps_the_model_that_was_chosen_for_it(world: World) -> None:
    session, _ = await begin(world)
    await wait(world, session, "second", model="test/other")

    world.agent.ends()
    await eventually(lambda: len(world.agent.turns) == 2)

    assert world.agent.turns[-1].model == "test/other"


@pytest.mark.parametrize("ending", ["stopped", "failed", "crashed"])
async def test_after_an_answer_that_did_not_end_well_they_wait_until_someone_says_so(world: World, ending: str) -> None:
    session, run_id = await begin(world)
    await wait(world, session, "second")
    if ending == "stopped":
        await world.viewing.cancel(run_id)
    elif ending == "failed":
        world.agent.says(RunEnded(outcome="failed"))
    else:
        world.agent.breaks(RuntimeError("broken"))
    await until_held(world, session)
    assert await waiting(world, session) == ["second"]

    line, started = await world.queueing.resume(session.session_id)

    assert started is not None and line.items == [] and not line.is_held
    assert said(session) == ["first", "second"]


async def test_what_was_held_waits_on_through_another_answer(world: World) -> None:
    session, run_id = await begin(world)
    await wait(world, session, "second")
    await world.viewing.cancel(run_id)
    await until_held(world, session)

    await world.conversing.start(session.session_id, NewTurn(text="something else"))
    world.agent.says(TextDelta(text="answer")).ends()
    await answered(world, session, 2)

    assert (await world.queueing.of(session.session_id)).is_held
    assert await waiting(world, session) == ["second"]


async def test_told_to_go_on_while_an_answer_is_written_they_follow_it(world: World) -> None:
    session, run_id = await begin(world)
    await wait(world, session, "second")
    await world.viewing.cancel(run_id)
    await until_held(world, session)
    await world.conversing.start(session.session_id, NewTurn(text="something else"))

    assert (await world.queueing.resume(session.session_id))[1] is None
    world.agent.ends()
    world.agent.ends()
    await answered(world, session, 3)

    assert said(session) == ["first", "something else", "second"]


# Once


async def test_the_same_message_again_waits_once(world: World) -> None:
    session, _ = await begin(world)

    first, again = [await wait(world, session, "second", message_id="m2") for _ in range(2)]

    assert first == again
    with pytest.raises(Conflict, match="already has this id"):
        await wait(world, session, "other words", message_id="m2")


async def test_the_same_message_after_it_was_sent_is_answered_as_sent(world: World) -> None:
    session, _ = await begin(world)
    await wait(world, session, "second", message_id="m2")
    world.agent.ends()
    world.agent.ends()
    await answered(world, session, 2)

    again = await wait(world, session, "second", message_id="m2")

    assert again.started is not None
    assert said(session) == ["first", "second"]


async def test_a_message_sent_in_another_way_waits_no_more(world: World) -> None:
    session, run_id = await begin(world)
    await wait(world, session, "second", message_id="m2")
    await world.viewing.cancel(run_id)
    await until_held(world, session)

    await world.conversing.start(session.session_id, NewTurn(text="second", message_id="m2"))
    await world.queueing.forget(session.session_id, "m2")

    assert await waiting(world, session) == []


@pytest.mark.parametrize("died", ["before it was sent", "between its session and the queue"])
async def test_killed_after_an_answer_was_done_the_next_process_sends_what_is_next_once(
    world: World, died: str
) -> None:
    session, _ = await begin(world)
    await wait(world, session, "second", message_id="m2")
    await wait(world, session, "third")
    before = file_of(world, session).read_bytes()
    world.engine.on_retired.remove(world.queueing._on_retired)  # it dies before it comes to that
    world.agent.ends()
    await answered(world, session, 1)
    if died != "before it was sent":
        await world.conversing.start(session.session_id, NewTurn(text="second", message_id="m2"))
        world.agent.ends()
        await answered(world, session, 2)
    world.restart()
    assert file_of(world, session).read_bytes() == before

    recover(world.store, world.folder / "runs")
    for _ in range(2):
        world.agent.ends()
    await world.queueing.open(world.folder / "sessions")
    again = world.store.get(session.session_id)
    await answered(world, again, 3)

    assert said(again) == ["first", "second", "third"]
    assert await waiting(world, again) == []


async def test_killed_in_the_middle_of_an_answer_they_wait_until_someone_says_so(world: World) -> None:
    session, _ = await begin(world)
    await wait(world, session, "second")
    world.restart()

    recover(world.store, world.folder / "runs")
    await world.queueing.open(world.folder / "sessions")

    again = world.store.get(session.session_id)
    assert (await world.queueing.of(session.session_id)).is_held
    assert said(again) == ["first"]
    await world.queueing.resume(session.session_id)
    assert said(again) == ["first", "second"]


async def test_a_disk_that_refuses_takes_on_nothing_and_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, _ = await begin(world)
    await wait(world, session, "second")
    monkeypatch.setattr("api.sessions.disk.files.os.fsync", _refuse)
    with pytest.raises(StorageFailed):
        await wait(world, session, "third")
    assert await waiting(world, session) == ["second"]
    monkeypatch.undo()

    assert stored(world, session) == ["second"]


def _refuse(_: int) -> None:
    raise OSError(5, "Input/output error")


@pytest.mark.parametrize("content", ['{"items": 5, "revision": 1}', '{"items": [{"text": "no id"}]}', "[]", "{", ""])
async def test_a_queue_that_cannot_be_understood_is_set_aside_and_hinders_nothing(world: World, content: str) -> None:
    session, _ = await begin(world)
    file_of(world, session).parent.mkdir()
    file_of(world, session).write_text(content)

    assert await waiting(world, session) == []
    await wait(world, session, "second")

    assert stored(world, session) == ["second"]
    (kept,) = (world.folder / "queues/quarantine").iterdir()
    assert kept.read_text() == content


# Changing


async def test_it_is_edited_reordered_taken_out_and_put_back(world: World) -> None:
    session, _ = await begin(world)
    for number in "abc":
        await wait(world, session, number, message_id=f"m-{number}")
    queue, session_id = world.queueing, session.session_id

    await queue.edit(session_id, "m-b", "B", revision=1)
    await queue.reorder(session_id, "m-c", "m-a")
    await queue.reorder(session_id, "m-a", None)
    assert await waiting(world, session) == ["c", "B", "a"]

    line = await queue.delete(session_id, ["m-c", "m-a"])
    assert [one.text for one in line.items] == ["B"] and line.can_put_back
    await queue.put_back(session_id)

    assert await waiting(world, session) == stored(world, session) == ["c", "B", "a"]


async def test_a_text_changed_elsewhere_is_not_overwritten(world: World) -> None:
    session, _ = await begin(world)
    await wait(world, session, "second", message_id="m2")
    await world.queueing.edit(session.session_id, "m2", "theirs", revision=1)

    with pytest.raises(StaleRevision) as refused:
        await world.queueing.edit(session.session_id, "m2", "ours", revision=1)

    assert refused.value.fields == {"revision": 2, "text": "theirs"}
    assert await waiting(world, session) == ["theirs"]


async def test_what_waits_no_more_is_not_changed(world: World) -> None:
    session, _ = await begin(world)

    with pytest.raises(NotFound, match="waits no more"):
        await world.queueing.edit(session.session_id, "m2", "late")
    with pytest.raises(NotFound):
        await world.queueing.delete(session.session_id, ["m2"])
    with pytest.raises(Conflict):
        await world.queueing.put_back(session.session_id)


async def test_a_full_queue_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_ITEMS", 2)
    monkeypatch.setattr(limits, "MOST_CHARACTERS", 100)
    session, _ = await begin(world)
    await wait(world, session, "a")

    with pytest.raises(TooMany, match="very long"):
        await wait(world, session, "x" * 100)
    await wait(world, session, "b")
    with pytest.raises(TooMany, match="2 messages wait"):
        await wait(world, session, "c")


async def test_it_goes_with_its_session_and_comes_back_with_it(world: World) -> None:
    session, run_id = await begin(world)
    await wait(world, session, "second")
    await world.viewing.cancel(run_id)
    await until_held(world, session)

    world.store.delete(session.session_id)
    with pytest.raises(NotFound):
        await world.queueing.of(session.session_id)
    world.store.restore(session.session_id)

    assert await waiting(world, session) == ["second"]


async def test_the_queue_of_a_session_that_is_gone_for_good_goes_too(world: World) -> None:
    session, run_id = await begin(world)
    await wait(world, session, "second")
    await world.viewing.cancel(run_id)
    await until_held(world, session)
    world.store.delete(session.session_id)
    world.restart()
    await world.queueing.open(world.folder / "sessions")
    assert file_of(world, session).exists()

    remove_for_good(world.folder / "sessions", session.session_id, Gone())
    world.restart()
    await world.queueing.open(world.folder / "sessions")

    assert not file_of(world, session).exists()


@pytest.mark.parametrize("place", ["away.json", "sessions/_trash/{}.json"], ids=["away", "in the trash"])
async def test_a_queue_whose_document_is_not_there_at_the_start_is_held_until_it_is(world: World, place: str) -> None:
    session, _ = await begin(world)
    await wait(world, session, "second")
    document = world.folder / "sessions" / f"{session.session_id}.json"
    elsewhere = world.folder / place.format(session.session_id)
    elsewhere.parent.mkdir(exist_ok=True)
    document.rename(elsewhere)
    world.restart()
    await world.queueing.open(world.folder / "sessions")

    elsewhere.rename(document)
    queue = await world.queueing.of(session.session_id)

    assert [one.text for one in queue.items] == ["second"]
    assert queue.is_held


# Steering


async def test_what_the_agent_is_told_stands_where_it_took_it_and_waits_no_more(world: World) -> None:
    session, run_id = await begin(world)
    steering = world.agent.turns[-1].steering
    steering.is_open = True
    added = await wait(world, session, "shorter", message_id="m2", steer=True)
    assert added.accepted and [one.steers for one in added.queue.items] == [True]
    assert stored(world, session) == ["shorter"]

    steer = steering.take()
    assert steer is not None
    world.agent.says(TextDelta(text="one"), Steered(message_id="m2", text=steer.text), TextDelta(text="two")).ends()
    await answered(world, session, 2)
    await eventually(lambda: not file_of(world, session).exists())

    assert [(one["role"], one["content"]) for one in session.messages] == [
        ("user", "first"),
        ("assistant", "one"),
        ("user", "shorter"),
        ("assistant", "two"),
    ]
    assert session.messages[-1]["outcome"] == "done"
    assert session.messages[2] | {"steered": True, "run_id": run_id} == session.messages[2]


async def test_an_agent_that_cannot_be_told_has_it_wait_before_all_others(world: World) -> None:
    session, _ = await begin(world)
    await wait(world, session, "second")

    added = await wait(world, session, "at once", steer=True)

    assert not added.accepted
    assert await waiting(world, session) == ["at once", "second"]


async def test_what_was_never_taken_is_sent_as_the_next_turn(world: World) -> None:
    session, _ = await begin(world)
    world.agent.turns[-1].steering.is_open = True
    assert (await wait(world, session, "shorter", steer=True)).accepted

    world.agent.says(TextDelta(text="done already")).ends()
    world.agent.ends()
    await answered(world, session, 2)

    assert said(session) == ["first", "shorter"]
    assert not any(one.get("steered") for one in session.messages)


async def test_an_agent_is_told_what_stands_in_the_queue_when_it_asks(world: World) -> None:
    session, _ = await begin(world)
    steering = world.agent.turns[-1].steering
    steering.is_open = True
    for number in "ab":
        await wait(world, session, number, message_id=f"m-{number}", steer=True)

    await world.queueing.edit(session.session_id, "m-a", "A")
    await world.queueing.delete(session.session_id, ["m-b"])

    assert [steering.take(), steering.take()] == [("m-a", "A"), None]


async def test_killed_after_the_agent_took_it_it_is_in_the_session_once(world: World) -> None:
    session, run_id = await begin(world)
    steering = world.agent.turns[-1].steering
    steering.is_open = True
    await wait(world, session, "shorter", message_id="m2", steer=True)
    before = file_of(world, session).read_bytes()
    steering.take()
    world.agent.says(Steered(message_id="m2", text="shorter"), StepStarted(step=2))
    run = world.engine.find(run_id)
    assert run is not None
    await eventually(lambda: run.journal.seq == 2 and not file_of(world, session).exists())
    file_of(world, session).write_bytes(before)  # it died between the two
    world.restart()

    recover(world.store, world.folder / "runs")
    await world.queueing.open(world.folder / "sessions")

    again = world.store.get(session.session_id)
    assert said(again) == ["first", "shorter"]
    assert await waiting(world, again) == []
    assert again.messages[-1]["outcome"] == "interrupted"


async def test_a_retry_answers_the_turn_anew_and_not_what_the_agent_was_told_in_it(world: World) -> None:
    session, _ = await begin(world)
    steering = world.agent.turns[-1].steering
    steering.is_open = True
    await wait(world, session, "shorter", message_id="m2", steer=True)
    steering.take()
    world.agent.says(Steered(message_id="m2", text="shorter"), TextDelta(text="short")).ends()
    await answered(world, session, 1)

    await world.conversing.retry(session.session_id)
    world.agent.says(TextDelta(text="long")).ends()
    await answered(world, session, 1)

    assert [one["content"] for one in session.messages] == ["first", "long"]
    (kept,) = session.messages[0]["alternatives"]
    assert [one["content"] for one in kept] == ["first", "shorter", "short"]
