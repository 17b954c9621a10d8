"""A conversation that outgrows its model's window is summarised for it; and another model steps in where one fails."""

from typing import Any

import pytest

from api.agents.facts import Facts, facts_in, with_table
from api.agents.native.agent import NativeAgent
from api.domain import events as ev
from api.domain.budgets import Budget, Leave, Wanted, leave_for, spent
from api.domain.compactions import Compaction, cut_for, holding, shortened
from tests.agents.conformance import collect, ending, said, turn_of
from tests.agents.conftest import connected

pytestmark = pytest.mark.anyio

WORDS = "lorem ipsum " * 100


def history(turns: int) -> list[dict[str, Any]]:
    """So many turns of 2,400 characters; whoever is given the first to summarise says what the script in it says."""
    messages = []
    for n in range(turns):
        script = "@@text Notes: the boat is blue." if n == 0 else ""
        messages += [
            {"id": f"u{n}", "role": "user", "content": f"Question {n}. {WORDS}\n{script}"},
            {"id": f"a{n}", "role": "assistant", "content": f"Answer {n}. {WORDS}", "tool_calls": [{"id": "c"}]},
            {"id": f"t{n}", "role": "tool", "tool_call_id": "c", "content": f"Result {n}."},
        ]
    return messages


class Kept:
    def __init__(self) -> None:
        self.all: list[Compaction] = []

    async def __call__(self, made: Compaction) -> None:
        self.all.append(made)


async def run(fake, window: int | None, *, text: str = "And now?", turns: int = 6, **fields: Any) -> list[ev.Event]:
    agent = NativeAgent(lambda _: connected(fake), facts_of=lambda _: Facts(window=window))
    try:
        return await collect(agent, turn_of(text, model="fake/mock-1", history=history(turns), **fields))
    finally:
        await agent.close()


def sent(fake, at: int) -> str:
    return "\n".join(str(one["content"]) for one in fake.chats[at].json["messages"])


async def test_what_is_older_is_summarised_and_the_newest_part_is_sent_word_for_word(fake):
    kept = Kept()
    events = await run(fake, 4600, keep=kept)

    assert said(events) == "And now?"
    assert [one.code for one in events if isinstance(one, ev.Notice)] == ["compacted"]
    assert "Question 0." in sent(fake, 0)
    assert "Notes: the boat is blue." in sent(fake, 1)
    assert ("Question 0." in sent(fake, 1), "Question 5." in sent(fake, 1)) == (False, True)
    made = kept.all[0]
    assert (made.up_to, made.text) == (f"t{made.count // 3 - 1}", "Notes: the boat is blue.")
    assert [e.usage.input_tokens for e in events if isinstance(e, ev.UsageUpdated)] == [7, 14]


async def test_a_summary_that_was_made_is_not_asked_for_again(fake):
    kept = Kept()
    made = Compaction(up_to="t3", count=12, text="Notes: the boat is blue.", at=1.0)

    await run(fake, 4600, keep=kept, compaction=made)

    assert (len(fake.chats), kept.all) == (1, [])
    assert ("Notes: the boat is blue." in sent(fake, 0), "Question 3." in sent(fake, 0)) == (True, False)


async def test_what_fits_or_may_fit_is_sent_as_it_is(fake):
    await run(fake, 100_000)
    await run(fake, None)

    assert [("Question 0." in sent(fake, at)) for at in (0, 1)] == [True, True]


async def test_a_provider_that_finds_it_too_long_is_asked_once_more_with_less(fake):
    fake.scripts = {"And now?": "@@err 413"}
    kept = Kept()

    events = await run(fake, None, keep=kept)

    assert len(fake.chats) == 3
    assert "Notes: the boat is blue." in sent(fake, 2)
    assert ending(events).failure.code == "context_too_long"
    assert len(kept.all) == 1


async def test_a_summary_keeps_to_the_budget(fake):
    def ask(wanted: Wanted) -> Leave:
        return leave_for(wanted, Budget(chat_tokens=100), chat=spent(wanted.used), day=spent(wanted.used))

    events = await run(fake, 4600, spend=ask)

    assert (ending(events).failure.code, fake.chats) == ("budget_reached", [])


def test_a_summary_is_void_once_a_message_before_its_end_is_gone_or_another():
    messages = history(4)
    stored = [{"up_to": "t1", "count": 6, "text": "short", "at": 1.0}, {"nonsense": 1}]

    made = holding(stored, messages)

    assert made is not None
    assert [one["id"] for one in shortened(messages, made)][:2] == ["summary", "u2"]
    assert holding(stored, messages[:5]) is None
    assert holding(stored, [*messages[:3], {"id": "edited", "role": "user", "content": "other"}, *messages[4:]]) == made
    assert holding(stored, [*messages[:5], {"id": "other", "role": "tool"}, *messages[6:]]) is None


def test_a_cut_is_made_at_a_turn_so_that_calls_stay_with_their_results():
    messages = history(4)

    assert [cut_for(messages, characters) for characters in (1, 3000, 6000, 10**6)] == [9, 9, 6, 0]


async def fallen_back(fake, text: str) -> list[ev.Event]:
    agent = NativeAgent(lambda _: connected(fake), fallback=lambda: "fake/mock-2")
    try:
        return await collect(agent, turn_of(text, model="fake/mock-1"))
    finally:
        await agent.close()


async def test_another_model_answers_where_one_fails_before_its_first_word_and_that_is_said(fake):
    events = await fallen_back(fake, "@@flaky 1 404\n@@text Here I am.")

    notice = next(one for one in events if isinstance(one, ev.Notice))
    assert (said(events), notice.code) == ("Here I am.", "fell_back")
    assert notice.message.startswith("mock-1 did not answer, so mock-2 does.")
    assert [chat.json["model"] for chat in fake.chats] == ["mock-1", "mock-2"]


@pytest.mark.parametrize("script", ["@@text Half a\n@@drop", "@@err 413"])
async def test_an_answer_that_had_begun_and_a_request_that_is_too_long_are_left_to_the_person(fake, script):
    events = await fallen_back(fake, script)

    assert ending(events).outcome == "failed"
    assert {chat.json["model"] for chat in fake.chats} == {"mock-1"}


@pytest.mark.parametrize(
    ("row", "kind", "facts"),
    [
        ({"max_model_len": 8192}, "openai_compatible", Facts(window=8192)),
        (
            {
                "context_length": 9000,
                "supported_parameters": ["tools"],
                "architecture": {"input_modalities": ["text", "image"]},
            },
            "openai_compatible",
            Facts(window=9000, tools=True, images=True, reasoning=False),
        ),
        ({"inputTokenLimit": 1000, "thinking": True}, "google", Facts(window=1000, tools=True, reasoning=True)),
        (
            {"max_input_tokens": 200, "capabilities": {"image_input": {"supported": True}, "thinking": 7}},
            "anthropic",
            Facts(window=200, tools=True, images=True),
        ),
        ({"context_length": "many", "capabilities": [], "meta": {"n_ctx": True}}, "openai_compatible", Facts()),
    ],
)
def test_what_a_list_says_of_a_model_is_read_in_every_way_that_is_about(row, kind, facts):
    assert facts_in(row, kind) == facts


def test_prices_come_from_the_table_by_the_address_alone():
    known = with_table(Facts(), "gpt-4o", "https://api.openai.com/v1")

    assert (known.window, known.input_price, known.output_price) == (128_000, 2.5, 10.0)
    assert with_table(Facts(), "gpt-4o", "http://127.0.0.1:11434/v1") == Facts()
