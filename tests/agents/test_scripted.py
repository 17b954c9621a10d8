"""The scripted agent."""

from typing import get_args

import msgspec
import pytest

from api.agents.base import Steer
from api.agents.scripted import ScriptedAgent
from api.domain import events as ev
from api.domain.approvals import Decision
from api.domain.attachments import Attachment
from api.domain.pictures import measured
from tests.agents.conformance import AgentConformance, collect, ending, said, turn_of, user

pytestmark = pytest.mark.anyio

EVERYTHING = """@@step 1
@@think Let me look.
@@plan completed Read | in_progress Write | pending Test
@@tool read_file {"path": "a.txt"}
@@approval execute read_file {"path": "a.txt"}
@@output line one
@@result line one\\nline two
@@ask Which one? | this | that
@@text Here it is.
@@picture 30 20
@@usage 12 34 0.005
@@title A title
@@notice The disk is nearly full.
@@end done"""


@pytest.fixture
def agent() -> ScriptedAgent:
    return ScriptedAgent()


class TestConformance(AgentConformance):
    @pytest.fixture
    async def agent(self):
        yield ScriptedAgent()

    def speaking(self, words):
        return turn_of(words)

    def silent(self):
        return turn_of("@@text word\n@@hang")

    def refused(self):
        return turn_of("@@fail broken The script wanted this.")


async def test_a_message_without_instructions_is_echoed_to_the_letter(agent):
    text = "  Hello\n\n```py\nprint( 1 )\n```\n"

    events = await collect(agent, turn_of(text))

    assert said(events) == text
    assert len(events) > 3


async def test_every_kind_of_event_can_be_asked_for(agent):
    def attach(name: str, data: bytes) -> Attachment:
        assert measured(data, "image/png") == (30, 20, 1)
        return Attachment("att-1", name, "image/png", len(data), 30, 20)

    events = await collect(agent, turn_of(EVERYTHING, attach=attach))

    by_the_run = {ev.ApprovalResolved, ev.QuestionAnswered}
    assert {type(event) for event in events} == set(get_args(ev.Event)) - by_the_run - {ev.Steered}
    assert ending(events).outcome == "done"


async def test_what_it_is_told_meanwhile_is_taken_before_the_next_step_and_done(agent):
    turn = turn_of("@@step 1\n@@text one\n@@step 2\n@@text two")
    events: list[ev.Event] = []
    async for event in agent.run(turn):
        events.append(event)
        if event == ev.TextDelta(text="one"):
            assert turn.steering.tell(Steer("m1", "@@text hurry"), lambda: None)

    taken = events.index(ev.Steered(message_id="m1", text="@@text hurry"))
    assert said(events[:taken]).strip() == "one"
    assert events[taken + 1] == ev.StepStarted(step=2)
    assert said(events[taken:]) == "hurrytwo"


@pytest.mark.parametrize("script", ["no step at all", "@@text one\n@@step 1\n@@text in the last step"])
async def test_without_a_further_step_it_cannot_be_told_anything(agent, script):
    turn = turn_of(script)
    async for event in agent.run(turn):
        if isinstance(event, ev.TextDelta) and event.text != "one":
            assert not turn.steering.tell(Steer("m1", "too late"), lambda: None)


async def test_the_same_script_gives_the_same_events(agent):
    script = EVERYTHING.replace("@@approval", "@@text approval")  # which has an id of its own every time

    assert await collect(agent, turn_of(script)) == await collect(agent, turn_of(script))


async def test_a_call_that_was_denied_has_the_no_and_its_reason_as_its_result(agent):
    script = '@@tool shell {"command": "rm"}\n@@approval execute shell {"command": "rm"}\n@@result gone\n@@text Next.'

    events = await collect(agent, turn_of(script), word=Decision("deny", "Keep it."))

    assert ev.ToolEnded(call_id="call-1", output="Not allowed. Keep it.", is_error=True) in events
    assert said(events) == "Next."


async def test_lines_between_instructions_are_said_as_they_are(agent):
    events = await collect(agent, turn_of("@@think hm\n# Title\n\n- one\n@@text done"))

    assert said(events) == "# Title\n\n- one\ndone"


async def test_a_call_left_open_is_closed_before_the_run_ends(agent):
    events = await collect(agent, turn_of('@@tool ls {"path": "."}'))

    assert events[-1] == ev.ToolEnded(call_id="call-1")


async def test_a_line_that_is_no_instruction_fails_with_its_number(agent):
    events = await collect(agent, turn_of("@@text fine\n@@dance now"))

    assert said(events) == "fine"
    assert ending(events).failure.code == "bad_script"
    assert "Line 2" in ending(events).failure.message


@pytest.mark.parametrize(
    "line", ["@@delay soon", "@@delay -1", "@@repeat x y", "@@tool", "@@output x", "@@plan nope x"]
)
async def test_an_instruction_with_a_wrong_value_fails_with_a_sentence(agent, line):
    end = ending(await collect(agent, turn_of(line)))

    assert end.failure.code == "bad_script"
    assert end.failure.message.endswith(".")


async def test_continuing_goes_on_after_what_was_said_and_past_what_ended_it(agent):
    script = "@@text one two three four\n@@fail broken Once.\n@@text five"
    cut = {"id": "a", "role": "assistant", "content": "one two th"}
    turn = msgspec.structs.replace(turn_of(script), messages=[user(script), cut], continuing=True)

    events = await collect(agent, turn)

    assert said(events) == "ree fourfive"


async def test_a_crash_is_a_crash(agent):
    with pytest.raises(RuntimeError, match="asked for a crash"):
        await collect(agent, turn_of("@@text word\n@@crash"))
