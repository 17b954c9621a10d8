"""What a person sets for a chat reaches every kind of provider in its own words, or is said to be impossible."""

from typing import Any

import pytest

from api.agents.native.agent import NativeAgent
from api.domain import events as ev
from api.domain.parameters import Parameters, parameters_of
from tests.agents.conformance import collect, ending, said, turn_of
from tests.agents.conftest import connected

pytestmark = pytest.mark.anyio

ALL = Parameters(temperature=0.25, top_p=0.5, max_tokens=99, effort="low")
MODELS = {"anthropic": "claude-sonnet-4-5", "google": "gemini-2.5-flash"}


async def answered(fake, kind: Any, parameters: Parameters, text: str = "hello", **fields: Any) -> list[ev.Event]:
    agent = NativeAgent(lambda _: connected(fake, kind))
    try:
        return await collect(agent, turn_of(text, model=_model(kind), parameters=parameters, **fields))
    finally:
        await agent.close()


def _model(kind: str) -> str:
    return f"fake/{MODELS.get(kind, 'mock-1')}"


EXPECTED = {
    "openai_compatible": {"temperature": 0.25, "top_p": 0.5, "max_tokens": 99, "reasoning_effort": "low"},
    "openai": {"temperature": 0.25, "top_p": 0.5, "max_completion_tokens": 99, "reasoning_effort": "low"},
    "anthropic": {"temperature": 0.25, "top_p": 0.5, "max_tokens": 99},
}


@pytest.mark.parametrize("kind", EXPECTED)
async def test_what_is_set_is_sent_in_the_words_of_the_provider(fake, kind):
    events = await answered(fake, kind, ALL)

    sent = fake.chats[0].json
    assert said(events) == "hello"
    assert {name: sent.get(name) for name in EXPECTED[kind]} == EXPECTED[kind]
    assert kind != "anthropic" or sent["thinking"]["type"] == "enabled"


async def test_google_gets_what_is_set_as_its_generation_config(fake):
    await answered(fake, "google", ALL)

    sent = fake.chats[0].json["generationConfig"]
    assert (sent["temperature"], sent["topP"], sent["maxOutputTokens"]) == (0.25, 0.5, 99)
    assert sent["thinkingConfig"]["thinking_budget"] > 0


@pytest.mark.parametrize("kind", ["openai_compatible", "openai", "google"])
async def test_what_is_not_set_is_not_sent(fake, kind):
    await answered(fake, kind, Parameters())

    body = fake.chats[0].body
    assert not [name for name in ("temperature", "top", "max", "reasoning_effort", "thinking") if f'"{name}' in body]


async def test_a_parameter_that_a_provider_refuses_is_named(fake):
    script = "@@err 400 Unsupported value: 'temperature' does not support 0.25 with this model."

    failure = ending(await answered(fake, "openai", ALL, script)).failure

    assert failure is not None
    assert failure.code == "parameter_refused"
    assert failure.message.startswith("mock-1 does not take the temperature that is set for this chat.")


async def test_a_parameter_that_the_library_knows_to_be_refused_is_not_left_out_in_silence(fake):
    agent = NativeAgent(lambda _: connected(fake, "anthropic"))

    events = await collect(agent, turn_of("hi", model="fake/claude-opus-5", parameters=ALL))

    failure = ending(events).failure
    assert failure is not None
    assert (failure.code, "temperature" in failure.message, fake.chats) == ("parameter_refused", True, [])
    await agent.close()


async def test_a_system_prompt_stands_in_place_of_our_own(fake):
    await answered(fake, "openai_compatible", Parameters(), system_prompt="Speak like a pirate.")

    first = fake.chats[0].json["messages"][0]
    assert (first["role"], first["content"]) == ("system", "Speak like a pirate.")


def test_what_a_document_from_elsewhere_says_is_taken_as_far_as_it_can_be_used():
    stored = {"temperature": True, "top_p": 0.9, "max_tokens": -1, "effort": "huge", "seed": 4}

    assert parameters_of(stored) == Parameters(top_p=0.9)
    assert parameters_of(["temperature"]) == Parameters()
