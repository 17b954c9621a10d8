"""The built-in agent against a provider that does what it is told."""

import asyncio
from contextlib import aclosing

import msgspec
import pytest

from api.agents.limits import Limits
from api.agents.native.agent import NativeAgent
from api.domain import events as ev
from tests.agents.conformance import AgentConformance, collect, ending, said, turn_of, user
from tests.agents.conftest import KEY, connected, until
from tests.fakes.provider import FakeProvider

# The libraries warn about impossible usage, which some of these providers report on purpose.
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Failed to extract usage"),
    pytest.mark.filterwarnings("ignore:Pydantic serializer"),
]

MODEL = "fake/mock-1"


def ask(text: str, **fields: object):
    return turn_of(text, model=MODEL, **fields)


@pytest.fixture
async def agent(fake):
    agent = NativeAgent(lambda provider_id: connected(fake) if provider_id == "fake" else None)
    yield agent
    await agent.close()


def limited(fake, **limits: object) -> NativeAgent:
    return NativeAgent(lambda _: connected(fake), limits=Limits(**limits))


class TestConformance(AgentConformance):
    @pytest.fixture
    async def agent(self, fake):
        self.fake = fake
        agent = NativeAgent(lambda _: connected(fake))
        yield agent
        await agent.close()

    def speaking(self, words):
        return ask(words)

    def silent(self):
        return ask("@@text word\n@@silence")

    def refused(self):
        return ask("@@err 401 Wrong key")

    async def assert_work_ended(self):
        await until(lambda: all(r.answered or r.disconnected for r in self.fake.chats))


@pytest.mark.parametrize("kind", ["openai_compatible", "openai", "anthropic", "google"])
async def test_each_kind_of_provider_thinks_speaks_and_counts(fake, kind):
    agent = NativeAgent(lambda _: connected(fake, kind))

    events = await collect(agent, ask("@@think First this.\n@@text Then 这个 that."))

    assert "".join(e.text for e in events if isinstance(e, ev.ThinkingDelta)) == "First this."
    assert said(events) == "Then 这个 that."
    assert [e.usage.input_tokens for e in events if isinstance(e, ev.UsageUpdated)] == [7]
    assert not isinstance(events[-1], ev.RunEnded)
    await agent.close()


@pytest.mark.parametrize("kind", ["openai_compatible", "anthropic", "google"])
async def test_each_kind_of_provider_that_breaks_off_leaves_the_words_and_a_failure(fake, kind):
    agent = NativeAgent(lambda _: connected(fake, kind))

    events = await collect(agent, ask("@@text One two\n@@cut"))

    assert said(events) == "One two"
    assert ending(events).failure.code == "provider_cut"
    await agent.close()


# What a provider does -> (code of the failure, how often it was asked, text that was kept)
REFUSALS = {
    "@@err 401 No such key": ("key_refused", 1, ""),
    "@@err 403": ("key_refused", 1, ""),
    "@@err 402 Pay first": ("quota_used_up", 1, ""),
    "@@err 404": ("model_not_found", 1, ""),
    "@@err 413": ("context_too_long", 1, ""),
    "@@err 400 prompt is too long: 208310 tokens > 200000 maximum": ("context_too_long", 1, ""),
    "@@err 400 This model's maximum context length is 4096 tokens.": ("context_too_long", 1, ""),
    "@@err 400 The input token count (9) exceeds the maximum number of tokens.": ("context_too_long", 1, ""),
    "@@err 400 the request exceeds the available context size": ("context_too_long", 1, ""),
    "@@err 422 Cannot be processed": ("provider_refused", 1, ""),
    "@@err 429 1000000000 Slow down": ("rate_limited", 1, ""),
    "@@html": ("provider_nonsense", 1, ""),
    "@@errbody Out of memory": ("provider_failed", 1, ""),
    "@@nobody": ("empty_answer", 1, ""),
    "@@text  \\n ": ("empty_answer", 1, " \n "),
    "@@finish content_filter": ("answer_withheld", 1, ""),
    "@@redirect http://localhost:1/v1": ("provider_redirects", 1, ""),
    "@@gzipbomb": ("provider_nonsense", 1, ""),
    "@@gziplie": ("provider_nonsense", 1, ""),
    "@@bigline 10000000": ("answer_too_long", 1, ""),
    "@@text a b\n@@drop": ("provider_cut", 1, "a b"),
    "@@text a b\n@@cut": ("provider_cut", 1, "a b"),
    "@@text a b\n@@badsse": ("provider_nonsense", 1, "a b"),
    "@@text a b\n@@inerr Overloaded": ("provider_failed", 1, "a b"),
    "@@shortlength": ("provider_cut", 1, "x"),
    "@@text a b\n@@bigline 10000000": ("answer_too_long", 1, "a b"),
}


# Bad inputs 80, 81, 82, 85, 87, 92, 93
@pytest.mark.parametrize("script", REFUSALS)
async def test_what_a_provider_does_wrong_is_a_failure_that_keeps_what_came(fake, agent, script):
    code, times_asked, text = REFUSALS[script]

    events = await collect(agent, ask(script))

    end = ending(events)
    assert (end.outcome, end.failure.code) == ("failed", code)
    assert end.failure.message.endswith(".") and end.failure.hint.endswith(".")
    assert said(events) == text
    assert len(fake.chats) == times_asked


# Bad input 84
@pytest.mark.parametrize(
    "script",
    [
        "@@crlf\n@@text 你好 👍 ok",
        "@@bytes\n@@text 你好 👍 ok",
        "@@empties 50\n@@text 你好 👍 ok",
        "@@nodone\n@@text 你好 👍 ok",
        "@@twodone\n@@text 你好 👍 ok",
        "@@raw ZGF0YTp7ImlkIjoiYyIsImNob2ljZXMiOltdfQoK\n@@text 你好 👍 ok",
        "@@bom\n@@text 你好 👍 ok",
        "@@raw OiBjb21tZW50CnJldHJ5OiA1CgpldmVudDogeAoK\n@@text 你好 👍 ok",
        '@@usage "many"\n@@text 你好 👍 ok',
        '@@usage {"prompt_tokens": -4, "completion_tokens": "9", "total_tokens": 1}\n@@text 你好 👍 ok',
        '@@usage {"prompt_tokens": 1e40, "completion_tokens": 9223372036854775809}\n@@text 你好 👍 ok',
        "@@nousage\n@@text 你好 👍 ok",
    ],
)
async def test_what_a_provider_does_oddly_is_tolerated(agent, script):
    events = await collect(agent, ask(script))

    assert said(events) == "你好 👍 ok"
    assert not isinstance(events[-1], ev.RunEnded)


# Bad input 90
@pytest.mark.parametrize(
    "usage", ["@@nousage", '@@usage {"prompt_tokens": -4, "completion_tokens": 2, "total_tokens": 1}']
)
async def test_usage_that_is_missing_or_impossible_is_unknown(agent, usage):
    events = await collect(agent, ask(f"{usage}\n@@text ok"))

    assert not [event for event in events if isinstance(event, ev.UsageUpdated)]


# Bad inputs 81, 82
@pytest.mark.parametrize("refusal", ["@@flaky 1 503", "@@flaky 1 429 0", "@@refuse 1"])
async def test_a_passing_refusal_before_the_first_word_is_asked_again_and_told(fake, agent, refusal):
    events = await collect(agent, ask(f"{refusal}\n@@text There you are."))

    assert said(events) == "There you are."
    assert [event.code for event in events if isinstance(event, ev.Notice)] == ["retrying"]
    assert [event.attempt for event in events if isinstance(event, ev.StepStarted)] == [1, 2]
    assert len(fake.chats) == 2


async def test_a_refusal_that_stays_is_not_asked_for_ever(fake):
    agent = limited(fake, retries=1)

    events = await collect(agent, ask("@@err 500 <html><title>Out of order</title></html>"))

    assert ending(events).failure.code == "provider_failed"
    assert "Out of order." in ending(events).failure.message
    assert len(fake.chats) == 2
    await agent.close()


async def test_closing_while_waiting_to_ask_again_ends_at_once(fake, agent):
    run = agent.run(ask("@@err 429 15"))
    async with asyncio.timeout(5):
        while not isinstance(await anext(run), ev.Notice):
            pass
        await run.aclose()

    assert len(fake.chats) == 1


# Bad input 87
async def test_only_reasoning_is_shown_as_what_it_is(agent):
    events = await collect(agent, ask("@@think Hm."))

    assert [event.code for event in events if isinstance(event, ev.Notice)] == ["only_reasoning"]


async def test_an_answer_at_the_longest_output_says_so(agent):
    events = await collect(agent, ask("@@finish length\n@@text Once upon"))

    assert [event.code for event in events if isinstance(event, ev.Notice)] == ["output_limit"]


async def test_a_call_although_no_tools_were_offered_is_shown_and_ended(agent):
    events = await collect(agent, ask('@@tool ls {"path": "."}\n@@tool rm {broken'))

    started = [event for event in events if isinstance(event, ev.ToolStarted)]
    ended = [event for event in events if isinstance(event, ev.ToolEnded)]
    assert [event.name for event in started] == ["ls", "rm"]
    assert [event.call_id for event in ended] == [event.call_id for event in started]
    assert all(event.is_error for event in ended)


# Bad input 83
async def test_silence_ends_the_run_after_the_stated_time(fake):
    agent = limited(fake, silence_s=0.2)

    events = await collect(agent, ask("@@text word\n@@silence"), limit_s=5)

    assert said(events) == "word"
    assert ending(events).failure.code == "provider_silent"
    await agent.close()


async def test_pieces_without_words_end_the_run_after_the_stated_time(fake):
    agent = limited(fake, wordless_s=0.3)

    events = await collect(agent, ask("@@text word\n@@pace 0.01\n@@empties 100000"), limit_s=5)

    assert ending(events).failure.code == "provider_silent"
    await until(lambda: fake.chats[0].disconnected)
    await agent.close()


# Bad input 86
@pytest.mark.parametrize("limits", [{"answer_characters": 1000}, {"response_bytes": 50_000}])
async def test_an_answer_without_end_is_stopped_at_its_limit(fake, limits):
    agent = limited(fake, **limits)

    events = await collect(agent, ask("@@endless word "))

    assert said(events).startswith("word word ")
    assert ending(events).failure.code == "answer_too_long"
    await until(lambda: fake.chats[0].disconnected)
    await agent.close()


# Bad input 83
async def test_nothing_at_an_address_is_told_within_the_stated_time(fake):
    closed = FakeProvider()
    agent = NativeAgent(lambda _: connected(closed, base_url="http://127.0.0.1:9/v1"))

    events = await collect(agent, ask("hello"), limit_s=5)

    assert ending(events).failure.code == "provider_unreachable"
    assert "127.0.0.1:9" in ending(events).failure.message
    await agent.close()


# Bad input 94
async def test_a_key_that_a_provider_echoes_does_not_get_into_the_failure(fake, agent):
    events = await collect(agent, ask("@@echo_key"))

    failure = ending(events).failure
    assert failure.code == "provider_refused" and "[key]" in failure.message
    assert KEY not in str(failure)


async def test_a_fault_of_our_own_is_logged_without_the_key_and_told_without_details(fake, agent, monkeypatch, caplog):
    await agent.prepare(MODEL)

    def broken(*_: object, **__: object):
        raise KeyError(f"Authorization: Bearer {KEY}")

    monkeypatch.setattr("api.agents.native.request.model_request_stream", broken)

    events = await collect(agent, ask("hello"))

    assert ending(events).failure.code == "agent_failed"
    logged = [vars(record) for record in caplog.records]
    assert "KeyError" in str(logged) and "broken" in str(logged)
    assert KEY not in str(logged) + str(events)


# Bad input 92
async def test_a_key_is_not_sent_where_a_redirect_points(fake, agent):
    with FakeProvider() as elsewhere:
        events = await collect(agent, ask(f"@@redirect {elsewhere.url}/chat/completions"))

        assert elsewhere.requests == []
    assert f"127.0.0.1:{elsewhere.port}" in ending(events).failure.message


async def test_no_key_is_made_up_where_none_is_set():
    with FakeProvider() as fake:
        agent = NativeAgent(lambda _: connected(fake, key=""))

        assert said(await collect(agent, ask("hello"))) == "hello"
        assert "authorization" not in fake.chats[0].headers
        await agent.close()


async def test_what_the_libraries_read_from_the_environment_is_not_sent_to_any_address(fake, monkeypatch):
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "ANTHROPIC_AUTH_TOKEN", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/canary")
    agents = [NativeAgent(lambda _, kind=kind: connected(fake, kind)) for kind in ("openai_compatible", "anthropic")]

    for agent in agents:
        assert said(await collect(agent, ask("hello"))) == "hello"
        await agent.close()

    assert "canary" not in str([request.headers for request in fake.chats]).replace(KEY, "")


async def test_a_model_that_is_not_connected_is_a_failure(agent):
    events = await collect(agent, turn_of("hello", model="gone/model"))

    assert ending(events).failure.code == "model_not_connected"


async def test_turns_after_the_first_use_the_connection_again(fake, agent):
    await agent.prepare(MODEL)
    for text in ("one", "two", "three"):
        await collect(agent, ask(text))

    assert fake.connections == 1


async def test_a_word_is_passed_on_when_it_comes_and_not_when_more_have_come(fake, agent):
    async with aclosing(agent.run(ask("@@text first\n@@delay 30\n@@text last"))) as events:
        async with asyncio.timeout(5):
            async for event in events:
                if isinstance(event, ev.TextDelta):
                    break

    assert event.text == "first"


async def test_continuing_says_only_what_is_new(fake, agent):
    answer = "The first part of a long answer, which was cut"
    history = [user("@@text ignored"), {"role": "assistant", "content": answer, "outcome": "interrupted"}]
    script = {"role": "user", "content": "@@text which was cut off in the middle."}
    turn = turn_of("", model=MODEL)
    turn = msgspec.structs.replace(turn, messages=[history[0], script, history[1]], continuing=True)

    # The fake provider answers the last user message, which is the request to go on: it has no script of its own.
    events = await collect(agent, turn)

    asked = fake.chats[-1].json["messages"]
    assert [message["role"] for message in asked] == ["system", "user", "assistant", "user"]
    assert asked[2]["content"] == answer
    assert "cut off" in asked[3]["content"]
    assert said(events).startswith("Your last answer was cut off.")
