"""Runs from a message to its answer."""

import asyncio
import errno
import os
from typing import Any

import msgspec
import pytest

from api.domain.errors import Conflict, NotFound, RunActive, StaleRevision, StorageFailed, Unavailable
from api.domain.events import Failure, RunEnded, TextDelta, ThinkingDelta, TitleChanged, ToolEnded, ToolStarted
from api.runs.turns import NewTurn

from .conftest import TalkingAgent, World

pytestmark = pytest.mark.anyio


def hello(**fields: Any) -> NewTurn:
    return NewTurn(text="hello", **fields)


def document(world: World, session_id: str) -> dict[str, Any]:
    return msgspec.json.decode((world.folder / "sessions" / f"{session_id}.json").read_bytes())


async def test_a_message_is_on_disk_when_its_sender_is_answered(world: World) -> None:
    session = world.store.new()

    started = await world.conversing.start(session.session_id, hello())

    kept = document(world, session.session_id)
    assert [message["content"] for message in kept["messages"]] == ["hello"]
    assert kept["active_stream_id"] == started.stream_id
    assert kept["title"] == "hello"


async def test_the_answer_is_in_the_document_when_the_end_is_shown(world: World) -> None:
    session = world.store.new()
    started = await world.conversing.start(session.session_id, hello())
    world.agent.says(ThinkingDelta(text="hm"), TextDelta(text="hi "), TextDelta(text="there")).ends()

    await world.until_ended(started.stream_id)

    _, answer = document(world, session.session_id)["messages"]
    assert (answer["role"], answer["content"], answer["reasoning"]) == ("assistant", "hi there", "hm")
    assert (answer["outcome"], answer["run_id"]) == ("done", started.stream_id)
    assert session.active_stream_id is None


async def test_an_event_is_in_the_journal_when_it_is_shown(world: World) -> None:
    session = world.store.new()
    started = await world.conversing.start(session.session_id, hello())
    world.agent.says(TextDelta(text="first"))

    batch = await anext(aiter(world.viewing.follow(started.stream_id)))

    assert isinstance(batch, list)
    assert b"first" in (world.folder / "runs" / f"{started.stream_id}.jsonl").read_bytes()


async def test_stopping_keeps_what_was_shown(world: World) -> None:
    session = world.store.new()
    started = await world.conversing.start(session.session_id, hello())
    watcher = aiter(world.viewing.follow(started.stream_id))
    world.agent.says(TextDelta(text="half an ans"))
    await anext(watcher)

    was_running = await world.viewing.cancel(started.stream_id)

    assert was_running
    answer = document(world, session.session_id)["messages"][-1]
    assert (answer["content"], answer["outcome"]) == ("half an ans", "cancelled")
    assert [event async for batch in watcher for event in batch][-1].outcome == "cancelled"
    await world.agent.was_let_go.wait()


async def test_an_agent_that_ignores_being_stopped_is_fenced_off(world: World) -> None:
    session = world.store.new()
    world.agent.is_stubborn = True
    first = await world.conversing.start(session.session_id, hello())
    world.agent.says(TextDelta(text="before"))
    await anext(aiter(world.viewing.follow(first.stream_id)))

    await world.viewing.cancel(first.stream_id)
    world.agent.says(TextDelta(text="after")).ends()
    await world.agent.was_let_go.wait()

    assert document(world, session.session_id)["messages"][-1]["content"] == "before"
    events = await world.until_ended(first.stream_id)
    assert [type(event) for event in events] == [TextDelta, RunEnded]


async def test_an_agent_that_goes_on_after_it_was_stopped_says_nothing_into_the_next_turn(world: World) -> None:
    session = world.store.new()
    old = world.agent
    old.is_stubborn = True
    first = await world.conversing.start(session.session_id, hello())
    old.says(TextDelta(text="before"))
    await anext(aiter(world.viewing.follow(first.stream_id)))
    await world.viewing.cancel(first.stream_id)
    world.agents.agent = new = TalkingAgent()
    second = await world.conversing.start(session.session_id, hello())

    old.says(TextDelta(text="after")).ends()
    await old.was_let_go.wait()
    new.says(TextDelta(text="next")).ends()
    await world.until_ended(second.stream_id)

    said = [one["content"] for one in document(world, session.session_id)["messages"]]
    assert said == ["hello", "before", "hello", "next"]


async def test_an_agent_that_breaks_ends_its_run_as_failed(world: World) -> None:
    session = world.store.new()
    started = await world.conversing.start(session.session_id, hello())
    world.agent.says(TextDelta(text="so far")).breaks(ValueError("a bug"))

    ending = (await world.until_ended(started.stream_id))[-1]

    assert isinstance(ending, RunEnded) and ending.outcome == "failed" and ending.failure
    assert "a bug" not in ending.failure.message
    assert document(world, session.session_id)["messages"][-1]["content"] == "so far"


async def test_a_failure_that_the_agent_explains_is_kept_with_the_answer(world: World) -> None:
    session = world.store.new()
    started = await world.conversing.start(session.session_id, hello())
    refused = Failure(code="provider_refused", message="The key was refused.", hint="Check it.")
    world.agent.says(RunEnded(outcome="failed", failure=refused))

    await world.until_ended(started.stream_id)

    answer = document(world, session.session_id)["messages"][-1]
    assert answer["failure"] == {"code": "provider_refused", "message": "The key was refused.", "hint": "Check it."}


async def test_a_second_message_waits_for_the_first_answer(world: World) -> None:
    session = world.store.new()
    started = await world.conversing.start(session.session_id, hello())

    with pytest.raises(RunActive) as refused:
        await world.conversing.start(session.session_id, NewTurn(text="and another thing"))

    assert refused.value.fields["active_stream_id"] == started.stream_id
    assert len(session.messages) == 1


# Bad input 28
async def test_fifty_messages_at_once_begin_one_run(world: World) -> None:
    session = world.store.new()

    results = await asyncio.gather(
        *(world.conversing.start(session.session_id, NewTurn(text=f"message {n}")) for n in range(50)),
        return_exceptions=True,
    )

    assert sum(isinstance(one, RunActive) for one in results) == 49
    assert len(session.messages) == 1


async def test_sending_a_message_again_gives_the_same_answer_and_does_nothing(world: World) -> None:
    session = world.store.new()
    first = await world.conversing.start(session.session_id, hello(message_id="m1"))

    again = await world.conversing.start(session.session_id, hello(message_id="m1"))

    assert again.stream_id == first.stream_id
    assert len(session.messages) == 1
    with pytest.raises(Conflict, match="Another message"):
        await world.conversing.start(session.session_id, NewTurn(text="other words", message_id="m1"))


async def test_a_retry_answers_the_last_message_anew_and_keeps_the_old_answer_aside(world: World) -> None:
    session = world.store.new()
    first = await world.conversing.start(session.session_id, hello())
    world.agent.says(TextDelta(text="wrong")).ends()
    await world.until_ended(first.stream_id)

    second = await world.conversing.retry(session.session_id, revision=session.revision)
    world.agent.says(TextDelta(text="right")).ends()
    await world.until_ended(second.stream_id)

    question, answer = document(world, session.session_id)["messages"]
    assert answer["content"] == "right"
    assert [[one["content"] for one in old] for old in question["alternatives"]] == [["hello", "wrong"]]
    assert [message["content"] for message in world.agent.turns[-1].messages] == ["hello"]


async def test_a_retry_may_name_another_model_which_the_session_keeps(world: World) -> None:
    session = world.store.new(model="test/refusing")
    first = await world.conversing.start(session.session_id, hello())
    world.agent.ends()
    await world.until_ended(first.stream_id)

    second = await world.conversing.retry(session.session_id, model="test/willing")
    world.agent.says(TextDelta(text="gladly")).ends()
    await world.until_ended(second.stream_id)

    assert world.agent.turns[-1].model == "test/willing"
    assert document(world, session.session_id)["model"] == "test/willing"


async def test_a_retry_from_a_stale_window_changes_nothing(world: World) -> None:
    session = world.store.new()
    first = await world.conversing.start(session.session_id, hello())
    world.agent.ends()
    await world.until_ended(first.stream_id)

    with pytest.raises(StaleRevision) as refused:
        await world.conversing.retry(session.session_id, revision=session.revision - 1)

    assert refused.value.fields["revision"] == session.revision
    assert len(session.messages) == 2


async def test_an_answer_that_was_cut_off_is_gone_on_with(world: World) -> None:
    session = world.store.new()
    first = await world.conversing.start(session.session_id, hello())
    world.agent.says(TextDelta(text="one, two, "))
    await anext(aiter(world.viewing.follow(first.stream_id)))
    await world.viewing.cancel(first.stream_id)

    second = await world.conversing.resume(session.session_id)
    world.agent.says(TextDelta(text="three")).ends()
    await world.until_ended(second.stream_id)

    assert world.agent.turns[-1].continuing
    assert [one["content"] for one in document(world, session.session_id)["messages"]] == [
        "hello",
        "one, two, ",
        "three",
    ]
    with pytest.raises(Conflict, match="complete"):
        await world.conversing.resume(session.session_id)


async def test_two_identical_replies_in_a_row_are_both_kept(world: World) -> None:
    session = world.store.new()

    for _ in range(2):
        started = await world.conversing.start(session.session_id, hello())
        world.agent.says(TextDelta(text="yes")).ends()
        await world.until_ended(started.stream_id)

    assert [one["content"] for one in document(world, session.session_id)["messages"]] == ["hello", "yes"] * 2


async def test_a_title_given_by_hand_is_never_overwritten(world: World) -> None:
    session = world.store.new()
    session.title, session.title_by = "My own", "person"
    started = await world.conversing.start(session.session_id, hello())
    world.agent.says(TitleChanged(title="Another")).ends()

    await world.until_ended(started.stream_id)

    assert document(world, session.session_id)["title"] == "My own"


async def test_tool_calls_enter_the_document_in_the_shape_that_model_apis_share(world: World) -> None:
    session = world.store.new()
    started = await world.conversing.start(session.session_id, hello())
    world.agent.says(TextDelta(text="look"), ToolStarted(call_id="c1", name="ls")).says(
        ToolEnded(call_id="c1", output="a.txt"), TextDelta(text="one file")
    ).ends()

    await world.until_ended(started.stream_id)

    _, call, result, answer = document(world, session.session_id)["messages"]
    assert call["tool_calls"] == [{"id": "c1", "type": "function", "function": {"name": "ls", "arguments": ""}}]
    assert (result["role"], result["tool_call_id"], result["content"]) == ("tool", "c1", "a.txt")
    assert answer["content"] == "one file"


async def test_a_session_deleted_while_it_answers_stays_deleted(world: World) -> None:
    session = world.store.new()
    started = await world.conversing.start(session.session_id, hello())
    world.agent.says(TextDelta(text="too late"))

    world.store.delete(session.session_id)
    world.agent.ends()
    await world.until_ended(started.stream_id)

    assert not (world.folder / "sessions" / f"{session.session_id}.json").exists()
    assert list((world.folder / "runs").glob("*.jsonl")) == []


async def test_a_message_sent_while_its_session_is_deleted_is_refused_or_its_answer_comes_back_with_it(
    world: World,
) -> None:
    session = world.store.new()
    first = await world.conversing.start(session.session_id, hello())
    world.agent.says(TextDelta(text="one")).ends()
    await world.until_ended(first.stream_id)

    world.agent.says(TextDelta(text="two"))
    sent, _ = await asyncio.gather(
        world.conversing.start(session.session_id, hello()),
        world.conversing.delete(session.session_id),
        return_exceptions=True,
    )
    await world.conversing.restore(session.session_id)

    shown = await world.viewing.session(session.session_id)
    events = [] if isinstance(sent, NotFound) else await world.until_ended(sent.stream_id)
    told = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert shown.active_run is None
    assert "".join(one["content"] for one in shown.messages if one["role"] == "assistant") == f"one{told}"


async def test_a_message_that_cannot_be_stored_is_refused_and_leaves_no_trace(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = world.store.new()
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", _disk_full)
        with pytest.raises(StorageFailed):
            await world.conversing.start(session.session_id, hello())

    assert (session.messages, session.title, session.active_stream_id) == ([], "Untitled", None)
    assert list((world.folder / "runs").glob("*.jsonl")) == []
    await world.conversing.start(session.session_id, hello())


async def test_an_answer_that_cannot_enter_its_document_is_shown_and_enters_it_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = world.store.new()
    started = await world.conversing.start(session.session_id, hello())
    world.agent.says(TextDelta(text="precious")).ends()
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", _disk_full)
        await world.until_ended(started.stream_id)
        shown = await world.viewing.session(session.session_id)

    assert [one["content"] for one in shown.messages] == ["hello", "precious"]
    again = await world.conversing.start(session.session_id, NewTurn(text="more"))
    assert [one["content"] for one in document(world, session.session_id)["messages"]] == ["hello", "precious", "more"]
    world.agent.ends()
    await world.until_ended(again.stream_id)


async def test_a_stopping_server_ends_its_runs_as_interrupted_and_takes_no_more(world: World) -> None:
    session = world.store.new()
    started = await world.conversing.start(session.session_id, hello())
    world.agent.says(TextDelta(text="not yet fin"))
    await anext(aiter(world.viewing.follow(started.stream_id)))

    await world.engine.close()

    answer = document(world, session.session_id)["messages"][-1]
    assert (answer["content"], answer["outcome"]) == ("not yet fin", "interrupted")
    with pytest.raises(Unavailable):
        await world.conversing.start(session.session_id, hello())


def _disk_full(_: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")
