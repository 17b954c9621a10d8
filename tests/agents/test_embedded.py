"""The demo model, for real."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from api.agents.embedded import agent as embedded
from api.agents.embedded.agent import MODEL, EmbeddedAgent
from api.agents.embedded.prompt import PROMPT_TOKENS, estimated_tokens, prompt_of
from api.domain import events as ev
from tests.agents.conformance import AgentConformance, collect, ending, said, turn_of, user
from tests.agents.conftest import until

pytestmark = [pytest.mark.anyio]

needs_model = pytest.mark.skipif(embedded.why_unavailable() is not None, reason="no demo model on this machine")


def ask(text: str, **fields: object):
    return turn_of(text, model=MODEL, **fields)


def is_alive(pid: int) -> bool:
    """Whether a process still runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.embedded
@needs_model
class TestConformance(AgentConformance):
    can_fail = False

    @pytest.fixture
    async def agent(self):
        agent = EmbeddedAgent()
        yield agent
        await agent.close()

    def speaking(self, words):
        return ask(f"Say hello. {words[:12]}")

    def silent(self):
        return ask("Write a long story about a lighthouse.")

    def refused(self):
        raise NotImplementedError

    def assert_said(self, script, events):
        # What so small a model says cannot be told in advance; that it says something of its own, whole, can.
        assert said(events).strip()
        assert "\ufffd" not in said(events)


@pytest.mark.embedded
@needs_model
async def test_a_crashed_model_is_a_failure_and_then_started_again():
    agent = EmbeddedAgent()
    run = agent.run(ask("Write a long story about a lighthouse."))
    first = await anext(run)
    crashed = agent.pid
    os.kill(crashed, signal.SIGKILL)

    rest = [event async for event in run]

    assert isinstance(first, ev.TextDelta)
    assert ending(rest).failure.code == "demo_stopped"
    assert said(await collect(agent, ask("Hello")))
    assert agent.pid not in (None, crashed)
    await agent.close()


@pytest.mark.embedded
@needs_model
async def test_an_unused_model_gives_its_memory_back_and_comes_again_when_asked():
    agent = EmbeddedAgent(idle_s=0.05)
    await agent.prepare()
    await until(lambda: agent.pid is None)

    assert said(await collect(agent, ask("Hello")))
    await agent.close()
    assert agent.pid is None


STARTS_AND_WAITS = """
import asyncio
from api.agents.embedded.agent import EmbeddedAgent

async def main():
    agent = EmbeddedAgent()
    await agent.prepare()
    print(agent.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.embedded
@needs_model
async def test_the_model_ends_when_the_server_is_killed():
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", STARTS_AND_WAITS, stdout=subprocess.PIPE)
    assert server.stdout is not None
    pid = int(await server.stdout.readline())
    assert is_alive(pid)

    server.kill()
    await server.wait()

    await until(lambda: not is_alive(pid))


@pytest.mark.embedded
@needs_model
async def test_continuing_goes_on_with_the_answer_that_was_cut():
    agent = EmbeddedAgent()
    cut = {"role": "assistant", "content": "The capital of France is the city of Par"}
    turn = ask("What is the capital of France?")
    turn.messages.append(cut)

    text = said(await collect(agent, turn))

    assert text[0].islower()
    assert not text.startswith("the capital")
    await agent.close()


async def test_a_machine_without_the_library_says_so(monkeypatch):
    monkeypatch.setattr(embedded.importlib.util, "find_spec", lambda name: None)
    agent = EmbeddedAgent()

    await agent.prepare()
    events = await collect(agent, ask("Hello"))

    assert ending(events).failure.code == "demo_unavailable"
    await agent.close()


async def test_a_model_file_that_cannot_be_loaded_is_a_failure(monkeypatch, tmp_path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"not a model")
    monkeypatch.setattr(embedded, "model_file", lambda: broken)
    monkeypatch.setattr(embedded, "why_unavailable", lambda: None)
    agent = EmbeddedAgent()

    events = await collect(agent, ask("Hello"))

    assert ending(events).failure.code == "demo_unavailable"
    assert agent.pid is None
    await agent.close()


def conversation(turns: int) -> list[dict]:
    return [m for n in range(turns) for m in (user(f"{n} {'q' * 300}"), {"role": "assistant", "content": "a" * 600})]


def test_what_the_model_reads_fits_begins_with_a_user_and_ends_with_the_question():
    prompt = prompt_of(ask("And now?", history=conversation(200)))

    assert sum(estimated_tokens(message["content"]) for message in prompt) <= PROMPT_TOKENS
    assert [message["role"] for message in prompt[:2]] == ["system", "user"]
    assert prompt[-1] == {"role": "user", "content": "And now?"}
    assert len(prompt) > 5


def test_what_the_model_reads_begins_in_the_same_place_for_several_turns():
    starts = [prompt_of(ask("And now?", history=conversation(turns)))[1]["content"] for turns in range(30, 60)]

    assert len(set(starts)) < len(starts) / 2


@pytest.mark.parametrize("text", ["word " * 100_000, "你好" * 100_000, "👩‍👩‍👧" * 50_000])
def test_a_question_that_is_too_long_loses_its_middle(text):
    prompt = prompt_of(ask(text, history=conversation(3)))

    assert prompt[-1]["role"] == "user"
    assert "[…]" in prompt[-1]["content"]
    assert sum(estimated_tokens(message["content"]) for message in prompt) <= PROMPT_TOKENS


def test_calls_and_failures_without_words_are_not_read():
    history = [
        user("one"),
        {"role": "assistant", "content": "", "tool_calls": [{"id": "c"}]},
        {"role": "tool", "tool_call_id": "c", "content": "result"},
        {"role": "assistant", "content": "", "outcome": "failed"},
    ]

    assert [m["content"] for m in prompt_of(ask("two", history=history))[1:]] == ["one", "two"]
