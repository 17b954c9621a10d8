"""Titles by a connected model."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.domain.events import Failure, RunEnded, TextDelta
from api.domain.messages import text_of
from api.runs.naming import Naming
from api.runs.turns import NewTurn
from api.sessions.documents.session import Session

from .conftest import TalkingAgent, World, eventually

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """One where a connected model answers."""
    world = World(tmp_path)
    world.agent.name = "native"
    naming = Naming(world.engine, world.conversing)
    world.engine.on_retired.append(naming.consider)
    yield world
    await naming.close()
    await world.close()


async def answered(world: World, question: str = "why is the sky blue?") -> Session:
    """A session whose first answer is complete, and whose agent has just been asked for a title."""
    session = world.store.new()
    started = await world.conversing.start(session.session_id, NewTurn(text=question))
    world.agent.says(TextDelta(text="Rayleigh scattering.")).ends()
    await world.until_ended(started.stream_id)
    await eventually(lambda: len(world.agent.turns) == 2)
    return session


async def test_after_the_first_answer_the_model_names_the_session(world: World) -> None:
    session = await answered(world)
    assert session.title == "why is the sky blue?"
    asked = text_of(world.agent.turns[1].messages[0])
    assert "> user: why is the sky blue?\n> assistant: Rayleigh scattering." in asked

    world.agent.says(TextDelta(text='**Title:** "Why the sky'), TextDelta(text=' is blue."\n\nEnjoy!')).ends()

    await eventually(lambda: session.title_by == "agent")
    assert session.title == "Why the sky is blue"
    assert [row["title"] for row in world.store.all_rows()] == ["Why the sky is blue"]
    assert len(session.messages) == 2


async def test_a_name_given_by_hand_meanwhile_is_kept(world: World) -> None:
    session = await answered(world)

    def rename(one: Session) -> None:
        one.title, one.title_by = "Mine", "person"

    await world.conversing.change(session.session_id, rename)
    world.agent.was_let_go.clear()
    world.agent.says(TextDelta(text="Theirs")).ends()
    await world.agent.was_let_go.wait()
    await world.conversing.change(session.session_id, lambda one: None)  # the next in line after the title

    assert session.title == "Mine"


async def test_a_title_that_fails_leaves_the_first_words(world: World) -> None:
    session = await answered(world)
    world.agent.was_let_go.clear()

    world.agent.says(TextDelta(text="Half a ti"), RunEnded(outcome="failed", failure=Failure("x", "No."))).ends()
    await world.agent.was_let_go.wait()
    await world.conversing.change(session.session_id, lambda one: None)

    assert (session.title, session.title_by) == ("why is the sky blue?", "message")


@pytest.mark.parametrize("name", ["embedded", "scripted"])
async def test_only_a_connected_model_is_asked(world: World, name: str) -> None:
    world.agents.agent = world.agent = agent = TalkingAgent()
    agent.name = name
    session = world.store.new()
    started = await world.conversing.start(session.session_id, NewTurn(text="hello"))
    agent.says(TextDelta(text="hi")).ends()
    await world.until_ended(started.stream_id)
    await world.conversing.change(session.session_id, lambda one: None)

    assert len(agent.turns) == 1
    assert session.title == "hello"
