"""What of a session's messages a model is given, and what of a continued answer is shown."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.agents.continuation import Continuation
from api.agents.native.agent import NativeAgent
from api.agents.native.request import price
from tests.agents.conformance import collect, said, turn_of, user
from tests.agents.conftest import connected

pytestmark = pytest.mark.anyio


def assistant(text: str, **fields: object) -> dict:
    return {"role": "assistant", "content": text, **fields}


def call(call_id: str, name: str, arguments: object) -> dict:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def result(call_id: str, text: str) -> dict:
    return {"role": "tool", "tool_call_id": call_id, "name": "x", "content": text}


async def sent(fake, history: list, *, kind: str = "openai_compatible") -> dict:
    """The body that a turn with `history` sends."""
    agent = NativeAgent(lambda _: connected(fake, kind))
    assert said(await collect(agent, turn_of("next", model="fake/m", history=history))) == "next"
    await agent.close()
    return fake.chats[-1].json


async def test_user_and_assistant_take_turns_and_empty_failures_are_left_out(fake):
    history = [
        user("one"),
        assistant("", outcome="failed", failure={"code": "x", "message": "y"}),
        user("two"),
        assistant("part of an ans", outcome="interrupted", reasoning="secret thoughts"),
        assistant("and more"),
    ]

    messages = (await sent(fake, history))["messages"]

    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert messages[1]["content"] == "one\n\n---\n\ntwo"
    assert "part of an ans" in messages[2]["content"] and "and more" in messages[2]["content"]
    assert "secret thoughts" not in json.dumps(messages)


async def test_calls_and_their_results_go_together_under_ids_of_their_own(fake):
    history = [
        user("look"),
        assistant("Let me see.", tool_calls=[call("c1", "read file!", '{"path": "a"}'), call("c2", "ls", "{broken")]),
        result("c2", "two"),
        result("c1", "one"),
        assistant("And again.", tool_calls=[call("c1", "ls", {"path": "b"}), call("lost", "ls", "")]),
        result("c1", "three"),
        result("orphan", "nobody asked"),
        assistant("Done."),
    ]

    messages = (await sent(fake, history))["messages"]

    calls = [one for message in messages for one in message.get("tool_calls") or ()]
    results = {message["tool_call_id"]: message["content"] for message in messages if message["role"] == "tool"}
    outputs = [results[one["id"]] for one in calls]
    assert outputs == ["one", "two", "three", "No result was recorded."]
    assert [one["function"]["name"] for one in calls] == ["read_file_", "ls", "ls", "ls"]
    arguments = [json.loads(one["function"]["arguments"]) for one in calls]
    assert arguments == [{"path": "a"}, {"value": "{broken"}, {"path": "b"}, {}]


@pytest.mark.parametrize("kind", ["anthropic", "google"])
async def test_a_history_with_calls_is_understood_by_every_kind_of_provider(fake, kind):
    history = [
        user("look"),
        assistant("", tool_calls=[call("c1", "ls", "{}")]),
        result("c1", "one"),
        assistant("Done."),
    ]

    body = await sent(fake, history, kind=kind)

    assert "one" in json.dumps(body)
    if kind == "anthropic":
        assert [tool["name"] for tool in body["tools"]] == ["ls"]
        assert body["tool_choice"] == {"type": "none"}


@pytest.mark.parametrize(
    "odd",
    [
        {"role": "assistant", "content": None, "tool_calls": "none"},
        {"role": "assistant", "content": [{"type": "text", "text": "parts"}, 5, {"type": "image_url"}]},
        {"role": "assistant", "tool_calls": [None, {"id": 5}, {"function": "x"}]},
        {"role": "system", "content": "from elsewhere"},
        {"role": 5},
        {},
    ],
)
async def test_messages_of_odd_shapes_do_not_stop_a_turn(fake, odd):
    messages = (await sent(fake, [user("one"), odd, user("two")]))["messages"]

    assert messages[-1]["content"].endswith("next")


@given(st.text(alphabet="ab c", min_size=30, max_size=80), st.integers(0, 80), st.lists(st.integers(1, 9), max_size=20))
def test_what_a_continued_answer_repeats_is_shown_once_however_it_is_cut(answer, overlap, cuts):
    said_before, rest = answer, " and QUITE something new"
    repeated = answer[-overlap:] if overlap >= 12 else ""
    pieces, text = [], repeated + rest
    for size in cuts:
        pieces, text = [*pieces, text[:size]], text[size:]
    continuation = Continuation(said_before)

    shown = "".join(map(continuation.hear, [*pieces, text])) + continuation.rest()

    assert (said_before + shown).endswith(answer[-12:] + rest)
    assert len(shown) <= len(repeated + rest)


def test_an_answer_that_is_begun_anew_is_shown_from_where_it_was_cut():
    continuation = Continuation("The first part of a long ans")

    shown = [continuation.hear(word) for word in ("The first part ", "of a long ", "answer", " is here.")]

    assert "".join(shown) == "wer is here."


def test_a_short_word_that_is_said_twice_is_said_twice():
    continuation = Continuation("no, no, ")

    assert continuation.hear("no, ") + continuation.hear("never") == "no, never"


def test_an_answer_that_only_repeats_adds_nothing():
    continuation = Continuation("All of it has been said before.")

    assert continuation.hear("has been said before.") + continuation.rest() == ""


def test_prices_are_known_by_the_address_and_not_by_the_name_of_the_model():
    known = price(1_000_000, 0, 0, model="gpt-4o", base_url="https://api.openai.com/v1")

    assert known is not None and known > 0
    assert price(1_000_000, 0, 0, model="gpt-4o", base_url="http://localhost:11434/v1") is None
    assert price(1, 1, 0, model="no-such-model", base_url="https://api.openai.com/v1") is None
