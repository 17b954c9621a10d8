"""The back end that the documentation writes: taken from its page, and held to what is promised there."""

import re
import types
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.agents.base import Steer
from api.agents.permissions import Permissions
from api.domain import events as ev
from api.domain.approvals import Decision
from api.domain.transcript import ToolBlock, fold
from tests.agents.conformance import AgentConformance, collect, said, turn_of

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parents[2] / "docs/writing-a-back-end.md"


def written() -> dict[str, Any]:
    """What the page's blocks of code define: the back end, and what its tests inherit."""
    module = types.ModuleType("written_back_end")
    names = vars(module) | {"pytest": pytest, "AgentConformance": AgentConformance, "turn_of": turn_of}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        exec(compile(block, PAGE, "exec"), names)
    return names


TestConformance = written()["TestConformance"]


@pytest.fixture
def agent() -> Any:
    return written()["DiceAgent"]()


def rolls(events: list[ev.Event]) -> list[tuple[str, bool]]:
    return [(event.output, event.is_error) for event in events if isinstance(event, ev.ToolEnded)]


async def test_it_rolls_when_it_may_and_says_so_when_not(agent: Any) -> None:
    [(allowed, _)] = rolls(await collect(agent, turn_of("!roll")))
    denied = rolls(await collect(agent, turn_of("!roll"), word=Decision("deny", "Not today.")))
    read_only = await collect(agent, turn_of("!roll", permissions=Permissions(mode="read")))

    assert re.fullmatch(r"A [1-6]\.", allowed)
    assert denied == [("Not rolled. Not today.", True)]
    assert not any(isinstance(event, ev.ApprovalRequested) for event in read_only) and rolls(read_only)[0][1]


async def test_it_does_what_it_is_told_meanwhile(agent: Any) -> None:
    turn, events = turn_of("one\ntwo\n"), []

    async for event in agent.run(turn):
        events.append(event)
        if len(events) == 1:
            assert turn.steering.tell(Steer("m1", "three"), lambda: None)

    assert said(events) == "one\ntwo\nthree"
    assert [event.message_id for event in events if isinstance(event, ev.Steered)] == ["m1"]
    assert not turn.steering.is_open


async def test_it_goes_on_after_a_restart_with_the_call_that_waits_and_nothing_before_it(agent: Any) -> None:
    turn, events = turn_of("Before.\n!roll\nAfter."), []
    async for event in agent.run(turn):
        events.append(msgspec.structs.replace(event, seq=len(events) + 1))
        if isinstance(event, ev.ApprovalRequested):
            break
    before = fold(events)
    permissions = Permissions("r", pending=before.pending_approvals)
    permissions.decisions.tell(before.pending_approvals[0].approval_id, Decision("once"))

    after = await collect(agent, msgspec.structs.replace(turn, resumes=before, permissions=permissions))

    assert not any(isinstance(event, ev.ApprovalRequested | ev.ToolStarted) for event in after)
    assert said(after) == "After." and len(rolls(after)) == 1
    whole = fold(
        [*events, *(msgspec.structs.replace(one, seq=len(events) + n) for n, one in enumerate(after, start=1))]
    )
    assert [block.state for block in whole.blocks if isinstance(block, ToolBlock)] == ["done"]


async def test_continuing_says_only_what_is_missing(agent: Any) -> None:
    message = {"id": "u", "role": "user", "content": "One two\n!roll\nthree four"}
    cut = {"id": "a", "role": "assistant", "content": "One two\nthree "}
    turn = msgspec.structs.replace(turn_of(""), messages=[message, cut], continuing=True)

    events = await collect(agent, turn)

    assert said(events) == "four" and rolls(events) == []
