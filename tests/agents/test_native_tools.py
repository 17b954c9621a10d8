"""The built-in agent with tools, against a provider that asks for them."""

import asyncio
import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.agents.base import Steer
from api.agents.limits import Limits
from api.agents.native.agent import NativeAgent
from api.agents.native.own_tools import AskPerson, UpdatePlan
from api.agents.native.toolkit import Toolkit
from api.agents.permissions import Permissions
from api.domain import events as ev
from api.domain.approvals import Decision
from api.domain.errors import StorageFailed
from api.domain.ids import RunId
from api.domain.transcript import ToolBlock, Transcript, fold, messages_of
from api.tools.base import Context, Result
from tests.agents.conformance import collect, ending, said, turn_of, user
from tests.agents.conftest import connected

pytestmark = pytest.mark.anyio

MODEL = "fake/mock-1"


class Notebook:
    """A tool that keeps what it is told, and can be made to break or to hang."""

    name = "note"
    kind = "edit"
    description = "Keep a note."

    def __init__(self) -> None:
        self.schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
        self.notes: list[str] = []
        self.at_work = asyncio.Event()
        self.was_cancelled = False

    def title(self, arguments: dict[str, Any]) -> str:
        return f"Note {arguments.get('text')}"

    def problem(self, arguments: dict[str, Any]) -> str:
        return "" if "text" in arguments else "A text is missing."

    async def preview(self, arguments: dict[str, Any], context: Context) -> str:
        return f"+{arguments.get('text')}\n"

    async def run(self, arguments: dict[str, Any], context: Context) -> Result:
        text = arguments["text"]
        if text == "break":
            raise RuntimeError("The pencil broke.")
        if text == "hang":
            self.at_work.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.was_cancelled = True
                raise
        context.emit(f"writing {text}\n")
        self.notes.append(text)
        return Result(f"Kept {text}.", diff=f"+{text}\n")


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
async def agent(fake, notebook):
    agent = NativeAgent(lambda _: connected(fake), Toolkit([Folderless(notebook), UpdatePlan(), AskPerson()]))
    yield agent
    await agent.close()


class Folderless:
    """A tool that is offered although no folder was chosen."""

    def __init__(self, tool: Notebook) -> None:
        self._tool = tool
        self.kind = "other"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tool, name)


def ask(text: str, **fields: Any):
    return turn_of(text, model=MODEL, **fields)


def results(events: list[ev.Event]) -> list[str]:
    return [event.output for event in events if isinstance(event, ev.ToolEnded)]


def note(text: str) -> str:
    return f"@@tool note {json.dumps({'text': text})}"


@pytest.mark.parametrize("kind", ["openai_compatible", "openai", "anthropic", "google"])
async def test_every_kind_of_provider_asks_for_tools_and_reads_what_came_of_them(fake, notebook, kind):
    agent = NativeAgent(lambda _: connected(fake, kind), Toolkit([Folderless(notebook)]))
    script = f"@@text Noting.\n{note('one')}\n{note('two')}\n@@next\n{note('three')}\n@@next\n@@text Done."

    events = await collect(agent, ask(script))

    assert notebook.notes == ["one", "two", "three"]
    assert said(events) == "Noting.Done."
    assert [event.step for event in events if isinstance(event, ev.StepStarted)] == [1, 2, 3]
    assert len({event.call_id for event in events if isinstance(event, ev.ToolEnded)}) == 3
    assert (
        "Kept one." in fake.chats[1].body and "Kept two." in fake.chats[1].body and "Kept three." in fake.chats[2].body
    )
    assert [e.usage.input_tokens for e in events if isinstance(e, ev.UsageUpdated)] == [7, 14, 21]
    await agent.close()


async def test_a_call_is_shown_with_its_title_its_output_as_it_comes_and_its_diff(agent):
    events = await collect(agent, ask(f"{note('one')}\n@@next\n@@text Done."))

    kinds = [
        type(event).__name__ for event in events if "Tool" in type(event).__name__ or "Appr" in type(event).__name__
    ]
    assert kinds == ["ToolStarted", "ToolArguments", "ToolStarted", "ApprovalRequested", "ToolOutput", "ToolEnded"]
    asked = next(event for event in events if isinstance(event, ev.ApprovalRequested))
    assert (asked.title, asked.arguments, asked.diff) == ("Note one", '{"text": "one"}', "+one\n")
    ended = next(event for event in events if isinstance(event, ev.ToolEnded))
    assert (ended.output, ended.diff) == ("Kept one.", "+one\n")


async def test_the_time_that_a_person_takes_is_not_the_models(fake, notebook):
    agent = NativeAgent(lambda _: connected(fake), Toolkit([Folderless(notebook)]), limits=Limits(answer_s=1.0))
    turn, events = ask(f"{note('one')}\n@@next\n@@text Done."), []

    async for event in agent.run(turn):
        events.append(event)
        if isinstance(event, ev.ApprovalRequested):
            tell = turn.permissions.decisions.tell
            asyncio.get_running_loop().call_later(1.2, tell, event.approval_id, Decision("once"))

    assert said(events) == "Done."
    await agent.close()


async def test_what_is_denied_is_not_done_and_the_model_reads_why(agent, fake, notebook):
    events = await collect(agent, ask(f"{note('one')}\n@@next\n@@text Well."), word=Decision("deny", "Not today."))

    assert notebook.notes == []
    assert "Not today." in results(events)[0] and "Not today." in fake.chats[-1].body
    assert said(events) == "Well."


async def test_a_word_with_the_leave_reaches_the_model_too(agent, fake, notebook):
    await collect(agent, ask(f"{note('one')}\n@@next\n@@text Well."), word=Decision("once", "Only this one."))

    assert notebook.notes == ["one"]
    assert "Only this one." in fake.chats[-1].body


# Bad input 88
@pytest.mark.parametrize(
    ("call", "told"),
    [
        ('@@tool note {"text": ', "not a JSON object"),
        ('@@tool note ["one"]', "not a JSON object"),
        ('@@tool note "one"', "not a JSON object"),
        ('@@tool delete_everything {"a": 1}', "no tool called 'delete_everything'"),
        (note("break"), "The pencil broke."),
        ('@@tool note {"other": 1}', "A text is missing."),
    ],
)
@pytest.mark.parametrize("kind", ["openai_compatible", "anthropic"])  # Google's API can only carry objects
async def test_a_call_that_cannot_be_done_is_an_error_for_the_model_and_no_end(fake, notebook, kind, call, told):
    agent = NativeAgent(lambda _: connected(fake, kind), Toolkit([Folderless(notebook)]))

    events = await collect(agent, ask(f"{call}\n@@next\n@@text Sorry."))

    [ended] = [event for event in events if isinstance(event, ev.ToolEnded)]
    assert ended.is_error and told in ended.output
    assert said(events) == "Sorry."
    assert notebook.notes == []
    await agent.close()


# Bad input 89, S28
async def test_128_calls_at_once_are_done_up_to_a_limit_that_the_model_is_told(agent, notebook):
    calls = "\n".join(note(str(number)) for number in range(128))

    events = await collect(agent, ask(f"{calls}\n@@next\n@@text Done."))

    assert len(notebook.notes) == 32
    assert len(results(events)) == 128
    assert "at most 32" in results(events)[-1]


# Bad input 89, S28
async def test_a_model_that_makes_the_same_call_for_ever_is_told_and_then_stopped(agent, notebook):
    script = "\n@@next\n".join([note("same")] * 50)

    events = await collect(agent, ask(script))

    assert ending(events).failure.code == "agent_loops"
    assert len(notebook.notes) == 10
    assert "3 times" in results(events)[2]


# Bad input 89, S28
async def test_two_calls_that_take_turns_for_ever_are_stopped_too(agent):
    script = "\n@@next\n".join([note("one"), note("two")] * 50)

    assert ending(await collect(agent, ask(script))).failure.code == "agent_loops"


async def test_a_model_that_takes_no_tools_is_asked_once_and_each_conversation_told_once(agent, fake):
    fake.toolless = True

    told = await collect(agent, ask("Hello there"))
    numbered = [msgspec.structs.replace(event, seq=seq) for seq, event in enumerate(told, 1)]
    kept = messages_of(fold(numbered), RunId("r"), model=MODEL, now=0.0)
    later = await collect(agent, ask("Hello again", history=[user("Hello there"), *kept]))
    elsewhere = await collect(agent, ask("Hello you"))

    assert [said(one) for one in (told, later, elsewhere)] == ["Hello there", "Hello again", "Hello you"]
    notices = [[event.code for event in one if isinstance(event, ev.Notice)] for one in (told, later, elsewhere)]
    assert notices == [["no_tools"], [], ["no_tools"]]
    assert [bool(request.json.get("tools")) for request in fake.chats] == [True, False, False, False]


async def test_a_plan_is_shown_and_a_question_is_answered(agent, fake):
    plan = json.dumps({"entries": [{"text": "Look", "status": "completed"}, {"text": "Tell"}]})
    question = json.dumps({"question": "Which?", "options": ["this", "that"]})

    events = await collect(
        agent, ask(f"@@tool update_plan {plan}\n@@next\n@@tool ask_person {question}\n@@next\n@@text Then.")
    )

    [shown] = [event for event in events if isinstance(event, ev.PlanUpdated)]
    assert [(one.text, one.status) for one in shown.entries] == [("Look", "completed"), ("Tell", "pending")]
    [asked] = [event for event in events if isinstance(event, ev.QuestionAsked)]
    assert (asked.text, asked.options) == ("Which?", ("this", "that"))
    assert results(events)[1] == "that"


async def test_a_sub_agent_works_apart_and_only_its_outcome_is_read(fake, notebook, tmp_path):
    agent = NativeAgent(lambda _: connected(fake), Toolkit([notebook]))
    work = f"@@text Looking.\n{note('inside')}\n@@next\n@@text Found it."
    call = json.dumps({"task": work, "title": "Look for it"})
    script = f"@@tool delegate {call}\n@@next\n@@text So it is there."

    events = await collect(agent, ask(script, workspace=str(tmp_path)))

    assert notebook.notes == ["inside"]
    outer, inner = (event for event in events if isinstance(event, ev.ToolStarted) and event.title)
    assert (outer.title, inner.title, inner.parent) == ("Look for it", "Note inside", outer.call_id)
    ended = {event.call_id: event.output for event in events if isinstance(event, ev.ToolEnded)}
    assert ended == {inner.call_id: "Kept inside.", outer.call_id: "Found it."}
    assert said(events) == "So it is there."
    assert "Found it." in fake.chats[-1].body and "Kept inside." not in fake.chats[-1].body
    assert [e.usage.input_tokens for e in events if isinstance(e, ev.UsageUpdated)] == [7, 14, 21, 28]
    transcript = fold([msgspec.structs.replace(event, seq=seq) for seq, event in enumerate(events, 1)])
    assert [block.parent for block in transcript.blocks if isinstance(block, ToolBlock)] == ["", outer.call_id]

    kept = messages_of(transcript, RunId("r"), model=MODEL, now=0.0)
    await collect(agent, ask("And now?", history=[user(script), *kept]))
    assert "Kept inside." not in fake.chats[-1].body
    await agent.close()


async def test_what_a_person_says_meanwhile_reaches_the_model_at_its_next_step(agent, fake):
    turn = ask(f"{note('one')}\n@@next\n@@text Done.")

    events: list[ev.Event] = []
    async for event in agent.run(turn):
        events.append(event)
        if isinstance(event, ev.ApprovalRequested):
            assert turn.steering.tell(Steer("m1", "Use a pen."), lambda: None)
            turn.permissions.decisions.tell(event.approval_id, Decision("once"))

    assert ev.Steered(message_id="m1", text="Use a pen.") in events
    assert "Use a pen." in fake.chats[1].body
    assert said(events) == "Use a pen."  # which the provider answers as any message


async def test_cancelling_a_run_ends_the_tool_at_work(agent, notebook):
    turn = ask(note("hang"), permissions=Permissions(mode="full"))
    task = asyncio.create_task(collect(agent, turn))
    await asyncio.wait_for(notebook.at_work.wait(), 20)

    task.cancel()
    await asyncio.wait({task}, timeout=2)

    assert task.done() and notebook.was_cancelled


async def test_a_run_that_waited_when_the_server_stopped_goes_on_with_what_was_left(fake, agent, notebook):
    script = f"@@text First.\n{note('one')}\n{note('two')}\n{note('three')}\n@@next\n@@text Last."
    before = await _until_asked(agent, ask(script), about="two")
    assert notebook.notes == ["one"]

    turn = ask(script, resumes=before, permissions=Permissions("r", pending=before.pending_approvals))
    turn.permissions.decisions.tell(before.pending_approvals[0].approval_id, Decision("once"))
    events = await collect(agent, turn)

    assert notebook.notes == ["one", "two", "three"]
    assert [event.arguments for event in events if isinstance(event, ev.ApprovalRequested)] == ['{"text": "three"}']
    assert said(events) == "Last."
    sent = fake.chats[-1].body
    assert all(f"Kept {word}." in sent for word in ("one", "two", "three"))


async def _until_asked(agent: NativeAgent, turn: Any, *, about: str) -> Transcript:
    """What a run has said when it asks about a call with `about` in it. It goes no further."""
    transcript = Transcript()
    async with aclosing(agent.run(turn)) as events:
        async for event in events:
            if isinstance(event, ev.ApprovalRequested) and about in event.arguments:
                return fold([_numbered(event, transcript)], onto=transcript)
            fold([_numbered(event, transcript)], onto=transcript)
            if isinstance(event, ev.ApprovalRequested):
                turn.permissions.decisions.tell(event.approval_id, Decision("once"))
                resolved = ev.ApprovalResolved(approval_id=event.approval_id, choice="once")
                fold([_numbered(resolved, transcript)], onto=transcript)
    raise AssertionError(f"nothing was asked about {about}")


def _numbered(event: ev.Event, transcript: Transcript) -> ev.Event:
    return msgspec.structs.replace(event, seq=transcript.seq + 1)


def open_files() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


class Broken:
    """What cannot be read, as a file of root's cannot."""

    def read(self) -> tuple[str, str]:
        raise StorageFailed("It cannot be read.")

    async def __call__(self) -> Any:
        raise StorageFailed("It cannot be read.")


@pytest.mark.parametrize("broken", ["memory", "shell"])
async def test_a_turn_that_cannot_begin_leaves_its_folder_closed(tmp_path, broken):
    before = open_files()

    with pytest.raises(StorageFailed):
        await Toolkit(**{broken: Broken()}).open(ask("hello", workspace=str(tmp_path)))

    assert open_files() == before
