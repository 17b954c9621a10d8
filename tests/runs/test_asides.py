"""Questions asked aside."""

import asyncio

import pytest

from api.domain.errors import BadRequest, Conflict, NotFound, TooMany
from api.domain.events import RunEnded, TextDelta
from api.runs.asides import MAX_OPEN
from api.runs.turns import NewTurn

from .conftest import TalkingAgent, World

pytestmark = pytest.mark.anyio


async def talked(world: World) -> str:
    """A session with one question and its answer."""
    session = world.store.new()
    started = await world.conversing.start(session.session_id, NewTurn(text="hello"))
    world.agent.says(TextDelta(text="hi")).ends()
    await world.until_ended(started.stream_id)
    return session.session_id


def files(world: World) -> list[str]:
    return sorted(path.name for path in (world.folder / "runs" / "asides").glob("*"))


async def test_an_aside_knows_the_conversation_and_leaves_it_alone(world: World) -> None:
    session_id = await talked(world)
    before = (world.folder / "sessions" / f"{session_id}.json").read_bytes()

    aside = await world.asides.ask(session_id, "what does that mean?")
    world.agent.says(TextDelta(text="this")).ends()
    events = await world.until_ended(aside.stream_id)

    said = [message["content"] for message in world.agent.turns[-1].messages]
    assert said == ["hello", "hi", "what does that mean?"]
    assert sum(isinstance(event, RunEnded) for event in events) == 1
    assert (world.folder / "sessions" / f"{session_id}.json").read_bytes() == before
    assert len(world.store.all_rows()) == 1


async def test_it_can_be_asked_while_an_answer_is_written_and_knows_what_that_has_said(world: World) -> None:
    session_id = await talked(world)
    main = world.agent
    started = await world.conversing.start(session_id, NewTurn(text="tell me more"))
    main.says(TextDelta(text="well, so far"))
    await anext(aiter(world.viewing.follow(started.stream_id)))
    world.agents.agent = other = TalkingAgent()

    aside = await world.asides.ask(session_id, "short version?")
    other.says(TextDelta(text="yes")).ends()
    await world.until_ended(aside.stream_id)

    assert [one["content"] for one in other.turns[0].messages][-2:] == ["well, so far", "short version?"]
    assert (await world.viewing.status(started.stream_id))["active"]


async def test_what_is_listed_stays_as_it_was_when_it_was_looked_at(world: World) -> None:
    session_id = await talked(world)
    aside = await world.asides.ask(session_id, "and?")
    world.agent.says(TextDelta(text="so "))
    watcher = aiter(world.viewing.follow(aside.stream_id))
    await anext(watcher)

    (listed,) = world.asides.of(session_id)
    world.agent.says(TextDelta(text="forth"))
    await anext(watcher)

    assert (listed.transcript.text, listed.seq) == ("so ", 1)


async def test_kept_it_stands_at_the_end_of_the_conversation_once(world: World) -> None:
    session_id = await talked(world)
    aside = await world.asides.ask(session_id, "and now?")
    world.agent.says(TextDelta(text="later")).ends()
    await world.until_ended(aside.stream_id)

    session = await world.asides.keep(aside.stream_id)

    assert [one["content"] for one in session.messages] == ["hello", "hi", "and now?", "later"]
    assert files(world) == []
    with pytest.raises(NotFound):
        await world.asides.keep(aside.stream_id)


async def test_while_it_is_answered_it_cannot_be_kept(world: World) -> None:
    aside = await world.asides.ask(await talked(world), "wait")

    with pytest.raises(Conflict):
        await world.asides.keep(aside.stream_id)


async def test_dropped_it_leaves_nothing(world: World) -> None:
    session_id = await talked(world)
    aside = await world.asides.ask(session_id, "never mind")

    await world.asides.drop(aside.stream_id)

    assert world.asides.of(session_id) == []
    assert files(world) == []
    with pytest.raises(NotFound):
        await world.viewing.status(aside.stream_id)


async def test_it_is_there_after_the_server_died_with_what_was_shown(world: World) -> None:
    session_id = await talked(world)
    aside = await world.asides.ask(session_id, "quick question")
    watcher = aiter(world.viewing.follow(aside.stream_id))
    world.agent.says(TextDelta(text="half of "))
    await anext(watcher)

    world.restart()
    world.asides.open()

    (again,) = world.asides.of(session_id)
    assert (again.question, again.transcript.text) == ("quick question", "half of ")
    assert again.transcript.outcome == "interrupted"
    assert isinstance((await world.until_ended(aside.stream_id))[-1], RunEnded)


async def test_asides_go_with_their_session(world: World) -> None:
    session_id = await talked(world)
    aside = await world.asides.ask(session_id, "still there?")

    await world.asides.drop_all(session_id)

    assert world.engine.find(aside.stream_id) is None
    assert files(world) == []


async def test_an_empty_question_an_unknown_session_and_a_crowd_are_refused(world: World) -> None:
    session_id = await talked(world)
    with pytest.raises(BadRequest):
        await world.asides.ask(session_id, "  \n ")
    with pytest.raises(NotFound):
        await world.asides.ask("nowhere", "hello?")

    await asyncio.gather(*(world.asides.ask(session_id, f"question {number}") for number in range(MAX_OPEN)))

    with pytest.raises(TooMany):
        await world.asides.ask(session_id, "one more")


async def test_another_owner_finds_nothing(world: World) -> None:
    aside = await world.asides.ask(await talked(world), "mine")

    with pytest.raises(NotFound):
        await world.asides.drop(aside.stream_id, owner="someone else")
