"""Programs that speak ACP, as agents: with a scripted one that can also misbehave."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.agents.acp.agent import AcpAgent
from api.agents.acp.limits import Limits
from api.agents.acp.program import Program
from api.agents.acp.programs import Programs
from api.agents.acp.sessions import Memory
from api.agents.acp.surroundings import Surroundings
from api.agents.base import Turn
from api.agents.mcp.server import Server
from api.agents.permissions import Permissions
from api.domain import events as ev
from api.domain.approvals import Decision
from api.domain.ids import RunId, SessionId
from api.domain.transcript import ToolBlock, fold
from api.workspace.environment import for_tools
from api.workspace.sandbox import Sandbox
from api.workspace.shell import Shell
from tests.agents.conformance import AgentConformance, collect, ending, said, user
from tests.agents.conftest import until
from tests.agents.test_embedded import is_alive
from tests.agents.test_providers import MemoryFile

pytestmark = pytest.mark.anyio

FAKE = Path(__file__).parents[1] / "fakes/acp_agent.py"
QUICK = Limits(cancel_s=0.3, end_s=0.3)


def program(*options: str, **fields: Any) -> Program:
    argv = (sys.executable, str(FAKE), *options)
    return Program(name="fake", title="Fake Agent", argv=argv, source="config", **fields)


def shell_in(sandbox: Sandbox) -> Callable[[], Awaitable[Shell]]:
    async def shell() -> Shell:
        return Shell(sandbox, env=for_tools({"PATH": os.environ["PATH"]}), mark="test-acp")

    return shell


UNHELD = shell_in(Sandbox(kind="none", home=Path("/nowhere")))


@asynccontextmanager
async def running(
    folder: Path,
    *options: str,
    limits: Limits = QUICK,
    memory: Memory | None = None,
    shell: Callable[[], Awaitable[Shell]] = UNHELD,
    servers: Sequence[Server] = (),
    **fields: Any,
) -> AsyncIterator[AcpAgent]:
    """The fake as an agent that works in `folder`."""
    programs = Programs(MemoryFile(), configured=[program(*options, **fields)])
    files: dict[SessionId, MemoryFile] = {}
    memory = memory or Memory(lambda session_id: files.setdefault(session_id, MemoryFile()))
    env = {"PATH": "/usr/bin:/bin"}
    around = Surroundings(home=folder, env=env, mark="test-acp", shell=shell, limits=limits)
    agent = AcpAgent(programs, memory, around, servers=lambda: servers)
    try:
        yield agent
    finally:
        await agent.close()


def ask(text: str, *, run_id: str = "r", history: list[dict[str, Any]] | None = None, **fields: Any) -> Turn:
    """A turn of a conversation: its last message bears the run's id, as the messages of every turn do."""
    messages = [*(history or []), user(text) | {"run_id": run_id}]
    given = {"session_id": SessionId("s"), "run_id": RunId(run_id), "messages": messages, "model": "acp/fake"}
    return Turn(**{**given, **fields})


def answered(turn: Turn, text: str) -> list[dict[str, Any]]:
    """The conversation after a turn."""
    return [*turn.messages, {"role": "assistant", "content": text, "run_id": turn.run_id}]


def tools(events: list[ev.Event]) -> list[ToolBlock]:
    """The tool calls as a person is shown them in the end."""
    numbered = [msgspec.structs.replace(event, seq=n) for n, event in enumerate(events, start=1)]
    return [block for block in fold(numbered).blocks if isinstance(block, ToolBlock)]


class TestConformance(AgentConformance):
    @pytest.fixture
    async def agent(self, tmp_path):
        async with running(tmp_path) as agent:
            yield agent

    def speaking(self, words):
        return ask(words)

    def silent(self):
        return ask("@@text word\n@@hang")

    def refused(self):
        return ask("@@refuse -32603 The provider has no more credit")


async def test_everything_that_an_agent_reports_becomes_an_event(tmp_path):
    script = """@@think Let me look.
@@plan Read | Write
@@tool a read {"path":"a.txt"} Read a.txt
@@progress a in_progress line one
@@progress a completed line one\\nline two
@@text Here it is.
@@title A title
@@usage 100 1000 0.25
@@tokens 12 34"""
    async with running(tmp_path) as agent:
        events = await collect(agent, ask(script))

    kinds = list(dict.fromkeys(type(event) for event in events))
    assert kinds == [
        ev.ThinkingDelta,
        ev.PlanUpdated,
        ev.ToolStarted,
        ev.ToolArguments,
        ev.ToolOutput,
        ev.ToolEnded,
        ev.TextDelta,
        ev.TitleChanged,
        ev.UsageUpdated,
        ev.RunEnded,
    ]
    [call] = tools(events)
    assert (call.title, call.tool_kind, call.output, call.state) == ("Read a.txt", "read", "line one\nline two", "done")
    assert call.arguments == '{"path": "a.txt"}'
    used = ev.Usage(input_tokens=12, output_tokens=34, cost=0.25)
    assert events[-2] == ev.UsageUpdated(usage=used, context=ev.Context(filled=100, window=1000))


async def test_a_call_is_one_however_often_and_in_whatever_order_it_is_reported(tmp_path):
    script = """@@progress early in_progress first
@@tool early execute {"command":"ls"} List
@@tool early execute {"command":"ls"} List
@@progress early completed first\\nsecond
@@progress early completed first\\nsecond
@@tool left edit {"path":"b"} Edit b
@@text done"""
    async with running(tmp_path) as agent:
        events = await collect(agent, ask(script))

    early, left = tools(events)
    assert (early.title, early.output, early.state) == ("List", "first\nsecond", "done")
    assert sum(isinstance(event, ev.ToolEnded) for event in events) == 2
    assert (left.title, left.arguments, left.state) == ("Edit b", '{"path": "b"}', "done")


async def test_a_question_under_an_id_of_its_own_is_about_the_open_call_but_says_itself_what_is_asked(tmp_path):
    script = """@@tool t execute {"command":"harmless"} Terminal
@@permission ask-1 allow_once,reject_once {"title": "Delete", "kind": "execute", "rawInput": {"command": "rm x"}}
@@permission ask-2 allow_once,reject_once {"kind": "execute"}"""
    async with running(tmp_path) as agent:
        events, asked = await decided(agent, may("ask", script))

    [call] = tools(events)
    assert [(one.call_id, one.title, one.arguments) for one in asked] == [
        (call.call_id, "Delete", '{"command": "rm x"}')
    ]
    assert said(events) == "[allow_once][reject_once]"


async def test_the_id_of_an_ended_call_may_be_anothers_and_what_is_asked_is_about_that(tmp_path):
    script = """@@tool c0 read {"path":"a"} Read
@@progress c0 completed text
@@permission c0 allow_once,reject_once {"title": "Delete", "rawInput": {"path": "b"}}
@@progress c0 completed gone"""
    async with running(tmp_path) as agent:
        events, [asked] = await decided(agent, may("ask", script))

    read, delete = tools(events)
    assert (read.title, read.arguments, read.output) == ("Read", '{"path": "a"}', "text")
    assert (delete.title, delete.arguments, delete.output) == ("Delete", '{"path": "b"}', "gone")
    assert (asked.arguments, asked.call_id) == ('{"path": "b"}', delete.call_id)


async def test_an_edit_shows_what_it_changes(tmp_path):
    async with running(tmp_path) as agent:
        events = await collect(agent, ask("@@diff e notes.txt old words => new words"))

    [call] = tools(events)
    assert call.tool_kind == "edit"
    assert call.diff == "--- a/notes.txt\n+++ b/notes.txt\n@@ -1,1 +1,1 @@\n-old words\n+new words\n"


@pytest.mark.parametrize(
    "line",
    [
        "@@raw Loading, please wait ...",
        '@@raw [1, 2]\n@@raw "words"\n@@raw {"jsonrpc": "2.0"}\n@@raw {"id": 99, "result": {}}',
        "@@raw " + "[" * 100_000,
        '@@update {"sessionUpdate": "holodeck"}\n@@update {"sessionUpdate": "tool_call"}\n@@update {}',
        '@@update {"sessionUpdate": "agent_message_chunk", "content": {"type": "smell"}}',
        '@@raw {"jsonrpc": "2.0", "method": "session/update", "params": [5]}',
        '@@raw {"jsonrpc": "2.0", "id": 7, "method": "no/such", "params": {}}',
        "@@bigline 3000000",
        "@@mode default\n@@usage 1 2 0.5",
    ],
)
async def test_what_cannot_be_understood_is_passed_over(tmp_path, line):
    async with running(tmp_path, "modes") as agent:
        events = await collect(agent, ask(f"@@text before \n{line}\n@@text after"))

    assert said(events) == "before after"
    assert ending(events).outcome == "done"


async def test_half_a_surrogate_pair_becomes_a_sign_that_can_be_stored(tmp_path):
    chunk = '{"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "a\\ud83d b\\u0000"}}'
    async with running(tmp_path) as agent:
        events = await collect(agent, ask(f"@@update {chunk}"))

    assert said(events) == "a\ufffd b"


@pytest.mark.parametrize(
    ("script", "options", "code", "words"),
    [
        ("@@stderr \\e[31mout of credit, key sk-abcdefghijklmnop1234\n@@crash", (), "agent_stopped", "out of credit"),
        ("@@stop because", (), "agent_nonsense", "because"),
        ("@@stop refusal", (), "answer_withheld", "declined"),
        ("@@refuse -32603 Rate limited", (), "agent_reports", "Rate limited"),
        ("@@delay 0", (), "empty_answer", "without a word"),
        ("@@bigline 17000000", (), "answer_too_long", "16 MB"),
        ("words", ("login",), "agent_not_signed_in", "not signed in"),
        ("words", ("old",), "agent_not_started", "version 7"),
        ("words", ("mute",), "agent_not_started", "said nothing"),
    ],
)
async def test_a_failure_is_told_in_a_sentence_without_keys(tmp_path, script, options, code, words):
    limits = Limits(start_s=0.5 if "mute" in options else 60, cancel_s=0.3, end_s=0.3)
    async with running(tmp_path, *options, limits=limits) as agent:
        events = await collect(agent, ask(script))

    failure = ending(events).failure
    assert failure is not None and (failure.code, words in failure.message) == (code, True)
    assert "sk-" not in failure.message and "\x1b" not in failure.message and failure.message.endswith((".", "!", "?"))


async def test_a_program_that_is_not_there_is_said_to_be(tmp_path):
    gone = Program(name="gone", title="Gone", argv=("/no/such/program",), source="config")
    around = Surroundings(home=tmp_path, env={}, mark="test-acp", shell=UNHELD, limits=QUICK)
    agent = AcpAgent(Programs(MemoryFile(), configured=[gone]), Memory(lambda _: MemoryFile()), around)

    not_found = ending(await collect(agent, ask("words", model="acp/gone"))).failure
    unknown = ending(await collect(agent, ask("words", model="acp/never"))).failure
    await agent.close()

    assert not_found.code == "agent_not_started" and "/no/such/program" in not_found.message
    assert unknown.code == "agent_not_installed"


async def test_an_agent_that_dies_keeps_what_was_shown_and_is_started_anew(tmp_path):
    async with running(tmp_path) as agent:
        events = await collect(agent, ask("@@text half an \n@@tool t execute {} Work\n@@text answer\n@@crash"))
        again = await collect(agent, ask("once more", run_id="r2"))

    assert said(events) == "half an answer"
    assert tools(events)[0].state == "error"
    assert ending(events).failure.code == "agent_stopped"
    assert said(again) == "once more"


async def test_one_that_says_nothing_is_stopped_but_not_while_a_person_is_waited_for(tmp_path):
    limits = Limits(silence_s=0.3, tool_silence_s=0.3, cancel_s=0.3, end_s=0.3)
    permissions = Permissions(RunId("r"))
    asking = '@@permission t allow_once,reject_once {"title": "Wait", "rawInput": {"a": 1}}\n@@text after'
    async with running(tmp_path, limits=limits) as agent:
        silent = await collect(agent, ask("@@text word\n@@hang"))
        async for event in agent.run(ask(asking, run_id="r2", permissions=permissions)):
            if isinstance(event, ev.ApprovalRequested):
                await asyncio.sleep(1)
                permissions.decisions.tell(event.approval_id, Decision("once"))
            last = event

    assert ending(silent).failure.code == "agent_silent"
    assert last == ev.RunEnded(outcome="done")


async def test_an_answer_without_end_is_stopped(tmp_path):
    limits = msgspec.structs.replace(QUICK, answer_characters=5000, waiting_events=50)
    async with running(tmp_path, limits=limits) as agent:
        events = await collect(agent, ask("@@repeat 100000 words"))

    assert ending(events).failure.code == "answer_too_long"
    assert 5000 <= len(said(events)) < 100_000


async def test_what_ignores_that_it_is_cancelled_is_ended_with_all_that_it_started(tmp_path):
    async with running(tmp_path) as agent:
        run = agent.run(ask("@@fork\n@@deaf\n@@hang"))
        child = int((await anext(run)).text)
        [pid] = agent.running.pids()

        await run.aclose()

        assert said(await collect(agent, ask("again", run_id="r2"))) == "again"
        await until(lambda: not is_alive(pid) and not is_alive(child))


async def test_what_listens_to_a_cancel_goes_on_to_be_used(tmp_path):
    async with running(tmp_path) as agent:
        run = agent.run(ask("@@text word\n@@hang"))
        await anext(run)
        [pid] = agent.running.pids()

        await run.aclose()
        events = await collect(agent, ask("again", run_id="r2"))

        assert said(events) == "again"
        assert agent.running.pids() == [pid]


async def test_closing_ends_the_program_and_what_it_started_in_a_session_of_its_own(tmp_path):
    async with running(tmp_path) as agent:
        child = int(said(await collect(agent, ask("@@fork"))))
        [pid] = agent.running.pids()
        assert is_alive(child)

    assert not is_alive(pid) and not is_alive(child)


async def test_a_program_that_nobody_uses_is_ended(tmp_path):
    async with running(tmp_path, limits=msgspec.structs.replace(QUICK, idle_s=0.05)) as agent:
        await collect(agent, ask("words"))
        [pid] = agent.running.pids() or [0]

        await until(lambda: not agent.running.pids() and not is_alive(pid))


async def test_one_that_was_started_ahead_and_then_not_asked_is_ended_sooner(tmp_path):
    async with running(tmp_path, limits=msgspec.structs.replace(QUICK, ahead_s=0.05)) as agent:
        await agent.prepare("acp/fake")
        [pid] = agent.running.pids() or [0]

        await until(lambda: not agent.running.pids() and not is_alive(pid))
        await collect(agent, ask("words"))
        assert agent.running.pids()


async def test_a_program_gets_its_own_environment_and_none_of_the_servers(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    async with running(tmp_path, env=(("OWN", "value"),)) as agent:
        events = await collect(agent, ask("@@env OPENAI_API_KEY\n@@env OWN\n@@env HOME"))

    assert said(events) == "(not set)value(not set)"


async def test_a_form_that_cannot_be_shown_is_declined_and_the_person_told_what_was_asked(tmp_path):
    async with running(tmp_path) as agent:
        events = await collect(agent, ask("@@form What is your name?\n@@text  On."))

    assert said(events) == "[decline] On."
    [notice] = [event for event in events if isinstance(event, ev.Notice)]
    assert notice.code == "form_declined" and "What is your name?" in notice.message


# Permissions


async def decided(
    agent: AcpAgent, turn: Turn, choice: str = "once"
) -> tuple[list[ev.Event], list[ev.ApprovalRequested]]:
    """The events of a turn whose every question is answered with `choice`, and the questions."""
    events, asked = [], []
    async for event in agent.run(turn):
        events.append(event)
        if isinstance(event, ev.ApprovalRequested):
            asked.append(event)
            turn.permissions.decisions.tell(event.approval_id, Decision(choice))
    return events, asked


def may(mode: str, text: str, run_id: str = "r") -> Turn:
    return ask(text, run_id=run_id, permissions=Permissions(RunId(run_id), mode=mode))


@pytest.mark.parametrize(
    ("choice", "offered", "chosen"),
    [
        ("once", "reject_once,allow_always,allow_once", "allow_once"),
        ("always", "reject_once,allow_always,allow_once", "allow_once"),
        ("session", "allow_always,reject_once", "allow_always"),
        ("once", "allow_always,reject_once", "cancelled"),
        ("deny", "allow_once,reject_always,reject_once", "reject_once"),
        ("deny", "allow_once,reject_always", "reject_always"),
        ("deny", "allow_once", "cancelled"),
        ("expired", "allow_once,reject_once", "reject_once"),
        ("once", "", "cancelled"),
    ],
)
async def test_a_persons_word_is_given_by_the_kind_of_an_option_and_never_as_more(tmp_path, choice, offered, chosen):
    call = '{"title": "Remove it", "kind": "execute", "rawInput": {"command": "rm x"}}'
    line = f"@@permission t {offered or ','} {call}"
    async with running(tmp_path) as agent:
        events, [asked] = await decided(agent, may("ask", line), choice)

    assert said(events) == f"[{chosen}]"
    assert (asked.title, asked.kind, asked.folder) == ("Remove it", "execute", str(tmp_path))
    assert asked.runner == "agent"
    assert asked.arguments == '{"command": "rm x"}'
    assert asked.call_id == tools(events)[0].call_id


async def test_a_question_is_joined_with_what_was_reported_of_the_call_before(tmp_path):
    script = '@@tool t execute {"command":"make"} Build it\n@@permission t allow_once,reject_once {}'
    async with running(tmp_path) as agent:
        events, [asked] = await decided(agent, may("ask", script))

    assert (asked.title, asked.arguments, asked.kind) == ("Build it", '{"command": "make"}', "execute")
    assert len(tools(events)) == 1


async def test_a_question_that_does_not_say_about_what_is_refused_unasked(tmp_path):
    async with running(tmp_path) as agent:
        events, asked = await decided(agent, may("full", "@@permission t allow_once,reject_once {}"))

    assert said(events) == "[reject_once]" and not asked
    assert [event.code for event in events if isinstance(event, ev.Notice)] == ["nothing_to_allow"]


@pytest.mark.parametrize(
    ("mode", "path", "outcome"),
    [
        ("edit", "notes.txt", "[allow_once]"),
        ("edit", "/etc/passwd", "asked"),
        ("edit", "../notes.txt", "asked"),
        ("edit", ".git/hooks/pre-commit", "asked"),
        ("read", "notes.txt", "[reject_once]"),
        ("full", "/etc/passwd", "[allow_once]"),
    ],
)
async def test_the_mode_of_a_session_decides_about_what_an_agent_does_itself(tmp_path, mode, path, outcome):
    call = {"title": "Edit", "kind": "edit", "content": [{"type": "diff", "path": path, "oldText": "", "newText": "x"}]}
    line = f"@@permission t allow_once,reject_once {msgspec.json.encode(call).decode()}"
    async with running(tmp_path) as agent:
        events, asked = await decided(agent, may(mode, line), "deny")

    assert (said(events) if not asked else "asked") == outcome
    assert [one.sets_off for one in asked] == [".git" in path for _ in asked]


async def test_a_question_is_withdrawn_when_the_turn_is_stopped(tmp_path):
    line = '@@permission t allow_once,reject_once {"title": "Wait"}\n@@hang'
    async with running(tmp_path) as agent:
        run = agent.run(may("ask", line))
        while not isinstance(await anext(run), ev.ApprovalRequested):
            pass
        [pid] = agent.running.pids()

        await run.aclose()

        assert said(await collect(agent, ask("again", run_id="r2"))) == "again"
        assert agent.running.pids() == [pid]


async def test_a_session_that_may_only_read_has_the_agent_read_only_where_it_can(tmp_path):
    async with running(tmp_path, "modes") as agent:
        reading = await collect(agent, may("read", "@@mode plan\n@@text same"))
        after = await collect(agent, may("ask", "@@mode plan\n@@text other", "r2"))

    assert not [event for event in reading if isinstance(event, ev.Notice)]
    assert [event.code for event in after if isinstance(event, ev.Notice)] == ["agent_mode"]


@pytest.mark.parametrize(
    ("modes", "inside"),
    [
        ("default,plan", "plan default default default"),
        ("auto,default,plan", "plan default default auto"),
        ("agent,read-only,workspace-write", "read-only read-only workspace-write agent"),
        ("build,plan", "plan build build build"),
    ],
)
async def test_an_agent_that_would_decide_itself_is_put_into_the_mode_in_which_it_asks(tmp_path, modes, inside):
    async with running(tmp_path, f"modes={modes}") as agent:
        told = [said(await collect(agent, may(mode, "@@inside", mode))) for mode in ("read", "ask", "edit", "full")]

    assert " ".join(told) == inside


# Sessions of the agent


async def test_a_conversation_goes_on_in_the_agents_own_session(tmp_path):
    async with running(tmp_path) as agent:
        first = ask("@@told")
        told = said(await collect(agent, first))
        second = ask("@@told", run_id="r2", history=answered(first, told))

        assert said(await collect(agent, second)) == "prompt 2: @@told"


async def test_what_was_said_elsewhere_meanwhile_is_told_as_text(tmp_path):
    async with running(tmp_path) as agent:
        first = ask("hello")
        await collect(agent, first)
        elsewhere = [
            user("what is 6 times 7?") | {"run_id": "x"},
            {"role": "assistant", "content": "42", "run_id": "x"},
        ]
        second = ask("@@told", run_id="r2", history=[*answered(first, "hello"), *elsewhere])

        told = said(await collect(agent, second))

    assert told.startswith("prompt 2: ") and "User: what is 6 times 7?\n\nAssistant: 42" in told and "hello" not in told


async def test_an_edit_begins_a_session_that_knows_only_what_now_stands(tmp_path):
    async with running(tmp_path) as agent:
        first = ask("secret")
        await collect(agent, first)
        second = ask("@@told", run_id="r2", history=[user("changed") | {"run_id": "q"}])

        told = said(await collect(agent, second))

    assert told.startswith("prompt 1: ") and "User: changed" in told and "secret" not in told


async def test_a_question_aside_leaves_the_conversations_session_alone(tmp_path):
    async with running(tmp_path) as agent:
        first = ask("hello")
        await collect(agent, first)
        history = answered(first, "hello")
        aside = ask("@@told", run_id="a", messages=[*history, user("@@told")])
        second = ask("@@told", run_id="r2", history=history)

        assert said(await collect(agent, aside)).startswith("prompt 1: ")
        assert said(await collect(agent, second)) == "prompt 2: @@told"


@pytest.mark.parametrize("options", [(), ("resume",)])
async def test_a_session_is_taken_up_again_by_the_next_process(tmp_path, options):
    kept, sessions = MemoryFile(), tmp_path / "sessions"
    sessions.mkdir()
    first = ask("hello")
    for turn in (first, ask("@@told", run_id="r2", history=answered(first, "hello"))):
        async with running(tmp_path, f"sessions={sessions}", *options, memory=Memory(lambda _: kept)) as agent:
            events = await collect(agent, turn)

    assert said(events) == "prompt 2: @@told"


async def test_one_that_cannot_be_taken_up_is_told_the_conversation_and_a_person_is_told_that(tmp_path):
    kept = MemoryFile()
    first = ask("hello")
    for turn in (first, ask("@@told", run_id="r2", history=answered(first, "good day"))):
        async with running(tmp_path, "no-load", memory=Memory(lambda _: kept)) as agent:
            events = await collect(agent, turn)

    assert "User: hello\n\nAssistant: good day" in said(events)
    assert [event.code for event in events if isinstance(event, ev.Notice)] == ["agent_told_again"]


async def test_what_an_agent_tells_again_of_a_loaded_session_is_not_shown(tmp_path):
    kept, sessions = MemoryFile(), tmp_path / "sessions"
    sessions.mkdir()
    first = ask("hello")
    for turn in (first, ask("once more", run_id="r2", history=answered(first, "hello"))):
        async with running(tmp_path, f"sessions={sessions}", memory=Memory(lambda _: kept)) as agent:
            events = await collect(agent, turn)

    assert said(events) == "once more"


async def test_an_answer_that_was_cut_off_is_gone_on_with(tmp_path):
    async with running(tmp_path) as agent:
        first = ask("hello")
        await collect(agent, first)
        continuing = ask("", run_id="r2", messages=answered(first, "half an"), continuing=True)

        told = said(await collect(agent, continuing))

    assert "Go on exactly where it stops" in told


async def test_the_costs_of_a_turn_are_its_own(tmp_path):
    async with running(tmp_path) as agent:
        first = ask("@@text a\n@@usage 1 2 0.25")
        spent = [await collect(agent, first)]
        second = ask("@@text b\n@@usage 1 2 0.75", run_id="r2", history=answered(first, "a"))
        spent.append(await collect(agent, second))

    costs = [event.usage.cost for events in spent for event in events if isinstance(event, ev.UsageUpdated)]
    assert costs == [0.25, 0.5]
