"""What is worked on in the background."""

import pytest

from api.domain.errors import BadRequest, NotFound
from api.domain.events import Notice, QuestionAsked, TextDelta
from api.runs.recovery import recover
from api.runs.tasks import AT_ONCE
from api.runs.turns import NewTurn

from .conftest import TalkingAgent, World, eventually

pytestmark = pytest.mark.anyio


async def until_delivered(world: World, session_id: str) -> None:
    await eventually(lambda: not world.tasks.of(session_id))


def answers(world: World, session_id: str) -> list[str]:
    return [one["content"] for one in world.store.get(session_id).messages if one["role"] == "assistant"]


async def test_the_answer_arrives_as_one_message_and_is_marked_unread(world: World) -> None:
    session = world.store.new()
    await world.tasks.accept(session.session_id, "count the stars")
    world.agent.says(TextDelta(text="ma"), Notice(code="busy", message="Wait."), TextDelta(text="ny")).ends()

    await until_delivered(world, session.session_id)

    (message,) = session.messages
    assert message["notices"] == [{"code": "busy", "message": "Wait."}]
    assert (message["role"], message["content"], message["task"]) == (
        "assistant",
        "many",
        {"prompt": "count the stars"},
    )
    assert session.row()["unread"]
    assert list((world.folder / "runs" / "tasks").glob("*.json")) == []


async def test_accepted_it_is_on_disk_and_its_blank_session_has_a_name(world: World) -> None:
    session = world.store.new()

    task = await world.tasks.accept(session.session_id, "count the stars")

    assert (world.folder / "runs" / "tasks" / f"{task.task_id}.json").exists()
    assert [row["title"] for row in world.store.all_rows()] == ["count the stars"]


async def test_it_waits_for_the_answer_that_is_being_written(world: World) -> None:
    session = world.store.new()
    main = world.agent
    started = await world.conversing.start(session.session_id, NewTurn(text="hello"))
    world.agents.agent = other = TalkingAgent()
    task = await world.tasks.accept(session.session_id, "in the meantime")
    other.says(TextDelta(text="done")).ends()
    await world.until_ended(await started_run(world, task.task_id))
    assert answers(world, session.session_id) == []

    main.says(TextDelta(text="hi")).ends()
    await world.until_ended(started.stream_id)
    await until_delivered(world, session.session_id)

    assert answers(world, session.session_id) == ["hi", "done"]


async def started_run(world: World, task_id: str) -> str:
    await eventually(lambda: world.tasks.find(task_id).stream_id)
    return world.tasks.find(task_id).stream_id


async def test_a_task_whose_process_died_is_begun_again_and_answered_once(world: World) -> None:
    session = world.store.new()
    task = await world.tasks.accept(session.session_id, "long work")
    world.agent.says(TextDelta(text="first try"))
    await anext(aiter(world.viewing.follow(task.stream_id)))

    world.restart()
    recover(world.store, world.folder / "runs")
    await world.tasks.open()
    world.agent.says(TextDelta(text="second try")).ends()
    await until_delivered(world, session.session_id)

    assert answers(world, session.session_id) == ["second try"]


async def test_an_answer_that_was_ready_when_the_process_died_is_delivered_by_the_next(world: World) -> None:
    session = world.store.new()
    main = world.agent
    await world.conversing.start(session.session_id, NewTurn(text="hello"))
    world.agents.agent = other = TalkingAgent()
    task = await world.tasks.accept(session.session_id, "ready soon")
    other.says(TextDelta(text="ready")).ends()
    await world.until_ended(await started_run(world, task.task_id))
    main.says(TextDelta(text="never finished"))

    world.restart()
    recover(world.store, world.folder / "runs")
    await world.tasks.open()

    assert "ready" in answers(world, session.session_id)
    assert world.agent.turns == []


async def test_more_than_a_few_wait_their_turn_in_order(world: World) -> None:
    session = world.store.new()
    for number in range(AT_ONCE + 2):
        await world.tasks.accept(session.session_id, f"task {number}")

    states = [task.state for task in world.tasks.of(session.session_id)]
    assert states == ["running"] * AT_ONCE + ["waiting"] * 2

    for number in range(AT_ONCE + 2):
        world.agent.says(TextDelta(text=f"answer {number}")).ends()
    await until_delivered(world, session.session_id)
    assert len(answers(world, session.session_id)) == AT_ONCE + 2


async def test_one_that_waits_for_a_person_gives_its_place_to_the_next_and_goes_on_when_answered(world: World) -> None:
    session = world.store.new()
    asking, others = world.agent, TalkingAgent()
    first = await world.tasks.accept(session.session_id, "asks")
    world.agents.agent = others
    for number in range(AT_ONCE):
        await world.tasks.accept(session.session_id, f"task {number}")
    assert len(others.turns) == AT_ONCE - 1

    asking.says(QuestionAsked(question_id="q", text="Which?"))
    await eventually(lambda: len(others.turns) == AT_ONCE)
    await world.tasks.accept(session.session_id, "one too many")
    run = world.engine.find(first.stream_id)
    await run.answer("q", "that")
    asking.says(TextDelta(text="then that")).ends()
    await eventually(lambda: len(world.tasks.of(session.session_id)) == AT_ONCE + 1)

    assert answers(world, session.session_id) == ["then that"]
    assert [task.state for task in world.tasks.of(session.session_id)] == ["running"] * AT_ONCE + ["waiting"]
    assert len(others.turns) == AT_ONCE


async def test_cancelled_it_delivers_what_it_had_said(world: World) -> None:
    session = world.store.new()
    task = await world.tasks.accept(session.session_id, "long work")
    world.agent.says(TextDelta(text="so far"))
    await anext(aiter(world.viewing.follow(task.stream_id)))

    await world.tasks.cancel(task.task_id)
    await until_delivered(world, session.session_id)

    assert [(one["content"], one["outcome"]) for one in session.messages] == [("so far", "cancelled")]
    with pytest.raises(NotFound):
        await world.tasks.cancel(task.task_id)


async def test_the_tasks_of_a_deleted_session_are_given_up(world: World) -> None:
    session = world.store.new()
    task = await world.tasks.accept(session.session_id, "never mind")

    await world.tasks.drop_all(session.session_id)

    assert world.engine.find(task.stream_id) is None
    assert world.tasks.of(session.session_id) == []


async def test_an_empty_prompt_is_refused(world: World) -> None:
    session = world.store.new()

    with pytest.raises(BadRequest):
        await world.tasks.accept(session.session_id, " ")

    assert session.is_blank
