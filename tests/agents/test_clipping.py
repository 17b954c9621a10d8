"""A turn that outgrows its model's window goes on with less of what its calls gave."""

import json
from typing import Any

import pytest

from api.agents.facts import Facts
from api.agents.native.agent import NativeAgent
from api.agents.native.toolkit import Toolkit
from api.domain import events as ev
from tests.agents.conformance import collect, ending, said, turn_of
from tests.agents.conftest import connected
from tests.agents.test_native_tools import Folderless, Notebook

pytestmark = pytest.mark.anyio

WINDOW = 6000


class Book(Notebook):
    """Gives a long page for every note, and the note at its beginning."""

    async def run(self, arguments: dict[str, Any], context: Any) -> Any:
        result = await super().run(arguments, context)
        return type(result)(f"Page {arguments['text']}. " + "lorem " * 1000)


async def run(fake: Any, window: int | None, pages: int, *, last: str = "") -> list[ev.Event]:
    agent = NativeAgent(
        lambda _: connected(fake), Toolkit([Folderless(Book())]), facts_of=lambda _: Facts(window=window)
    )
    steps = [f"@@tool note {json.dumps({'text': str(n)})}" for n in range(pages)]
    try:
        return await collect(agent, turn_of("\n@@next\n".join([*steps, last or "@@text Read."]), model="fake/mock-1"))
    finally:
        await agent.close()


def results(sent: Any) -> list[str]:
    return [one["content"] for one in sent.json["messages"] if one["role"] == "tool"]


@pytest.mark.parametrize("known", [WINDOW, None])
async def test_the_oldest_results_are_left_out_before_the_run_fails_and_none_is_lost(fake, known):
    fake.window = WINDOW

    events = await run(fake, known, pages=12)

    assert said(events) == "Read."
    outputs = [event.output for event in events if isinstance(event, ev.ToolEnded)]
    assert [len(output) > 6000 for output in outputs] == [True] * 12
    notices = [event.code for event in events if isinstance(event, ev.Notice)]
    assert notices and set(notices) == {"clipped"}
    last = results(fake.chats[-1])
    assert [text.startswith(f"Page {n}. ") for n, text in enumerate(last)] == [True] * 12
    assert "characters were left out here" in last[0] and "left out" not in last[-1]
    refused = sum(not chat.sent_ns for chat in fake.chats)
    assert (refused == 0) == (known is not None)


async def test_results_that_are_too_much_by_themselves_are_cut_and_what_cannot_be_is_told(fake):
    fake.window = 3000
    calls = "\n".join(f"@@tool note {json.dumps({'text': str(n)})}" for n in range(2))

    events = await run(fake, None, pages=0, last=f"{calls}\n@@next\n@@text Read.")
    assert said(events) == "Read."

    fake.window = 700
    events = await run(fake, None, pages=0, last=f"{calls}\n@@next\n@@text Read.")
    assert ending(events).failure.code == "context_too_long"


async def test_what_fits_is_sent_whole(fake):
    events = await run(fake, 100_000, pages=3)

    assert not [event for event in events if isinstance(event, ev.Notice)]
    assert all("left out" not in text for text in results(fake.chats[-1]))
