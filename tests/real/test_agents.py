"""Real agents, each doing a small task against the fake provider. They are downloaded, so they are run when asked for.

FIRESIDE_REAL_AGENTS=1 ./run test tests/real
"""

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from api.agents.acp.agent import AcpAgent
from api.agents.acp.programs import Programs
from api.agents.acp.sessions import Memory
from api.agents.acp.surroundings import Surroundings
from api.agents.mcp.server import Listed, Server
from api.domain import events as ev
from tests.agents.conformance import collect, ending, said
from tests.agents.test_acp import UNHELD, answered, ask, decided, tools
from tests.agents.test_providers import MemoryFile
from tests.fakes.provider import FakeProvider
from tests.real.installing import AGENTS

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.agents,
    pytest.mark.skipif(os.environ.get("FIRESIDE_REAL_AGENTS") != "1", reason="FIRESIDE_REAL_AGENTS=1 downloads them"),
]

MCP_SERVER = Path(__file__).parents[1] / "fakes/mcp_server.py"

MADE = '{"file_path": "WORK/made.txt", "content": "hello"}'
READ = json.dumps({"command": "python3 -c 'print(open(\"made.txt\").read())'", "description": "Show it"})
PATCH = "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: made.txt\n+hello\n*** End Patch\nEOF"
ESCALATED = '{"cmd": "cat made.txt", "sandbox_permissions": "require_escalated", "justification": "To see."}'
TASKS = {
    "harness": ("write_file", '{"path": "made.txt", "content": "hello"}', "run_command", '{"command": "cat made.txt"}'),
    "hermes": (
        "write_file",
        '{"path": "WORK/made.txt", "content": "hello"}',
        "terminal",
        '{"command": "rm -rf WORK/old && cat WORK/made.txt"}',
    ),
    "opencode": (
        "write",
        '{"filePath": "WORK/made.txt", "content": "hello"}',
        "bash",
        '{"command": "cat made.txt", "description": "Show it"}',
    ),
    "claude": ("Write", MADE, "Bash", READ),
    "codex": ("exec_command", json.dumps({"cmd": PATCH}), "exec_command", ESCALATED),
    "gemini": ("write_file", MADE, "run_shell_command", READ),
    "qwen": ("write_file", MADE, "run_shell_command", READ),
}
"""What each calls its tools. Hermes asks about dangerous commands only, Claude Code not about those that only read."""


@asynccontextmanager
async def at_work(name: str, tmp_path: Path, *servers: Server) -> AsyncIterator[tuple[str, AcpAgent, Path]]:
    """A real agent that is given `servers`, and the folder that it works in."""
    work, home = tmp_path / "work", tmp_path / "home"
    work.mkdir()
    home.mkdir()
    files: dict[str, MemoryFile] = {}
    with FakeProvider() as provider:
        given = tuple(server.name for server in servers)
        program = replace(AGENTS[name](home, provider.url), source="config", mcp=given)
        around = Surroundings(home=work, env={"PATH": os.environ["PATH"]}, mark="test-real", shell=UNHELD)
        memory = Memory(lambda session_id: files.setdefault(session_id, MemoryFile()))
        agent = AcpAgent(Programs(MemoryFile(), configured=[program]), memory, around, servers=lambda: servers)
        yield name, agent, work
        await agent.close()


@pytest.fixture(params=list(AGENTS))
async def named(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[str, AcpAgent, Path]]:
    async with at_work(request.param, tmp_path) as named:
        yield named


def turn(name: str, script: str, run_id: str, **fields: object):
    return ask(script, run_id=run_id, model=f"acp/{name}", **fields)


async def test_a_real_agent_writes_a_file_and_runs_a_command_after_it_has_asked(named: tuple[str, AcpAgent, Path]):
    name, agent, work = named
    write, file, run, command = (part.replace("WORK", str(work)) for part in TASKS[name])
    script = f"@@tool {write} {file}\n@@next\n@@tool {run} {command}\n@@next\n@@text All done."

    events, asked = await decided(agent, turn(name, script, "r1"))

    assert ending(events).outcome == "done"
    assert said(events).endswith("All done.")  # Claude Code begins with a warning about the address of its provider
    assert (work / "made.txt").read_text().strip() == "hello"
    assert [one.kind for one in asked] == ["edit", "execute"] and "+hello" in asked[0].diff
    tells_output = name != "gemini"
    assert any("hello" in block.output for block in tools(events)) is tells_output
    assert all(block.state == "done" for block in tools(events))


@pytest.mark.parametrize(("name", "tool"), [("hermes", "mcp__tools__echo"), ("opencode", "tools_echo")])
async def test_a_real_agent_uses_an_mcp_server_that_it_is_given_and_asks_nobody(name: str, tool: str, tmp_path: Path):
    echo = Listed(name="echo", offered="echo", schema={}, is_on=True)
    server = Server(name="tools", argv=(sys.executable, str(MCP_SERVER)), tools=(echo,))
    script = f'@@tool {tool} {{"text": "Hello from afar."}}\n@@next\n@@text All done.'
    async with at_work(name, tmp_path, server) as (_, agent, _work):
        events, asked = await decided(agent, turn(name, script, "r1"))

    [call] = tools(events)
    assert "Hello from afar." in call.output and call.state == "done"
    assert asked == []  # why servers are handed on by name only


async def test_a_real_agent_goes_on_with_a_conversation_is_stopped_and_goes_on(named: tuple[str, AcpAgent, Path]):
    name, agent, _ = named
    first = turn(name, "@@think Hm hm.\n@@text Hello there.", "r1")
    events = await collect(agent, first, limit_s=120)
    second = turn(name, "@@text word\n@@silence", "r2", history=answered(first, said(events)))
    run = agent.run(second)
    while not isinstance(await anext(run), ev.TextDelta):
        pass
    before = agent.running.pids()
    await run.aclose()
    third = turn(name, "@@text Still here.", "r3", history=answered(second, "word"))

    again = await collect(agent, third, limit_s=120)

    thought = "".join(event.text for event in events if isinstance(event, ev.ThinkingDelta))
    assert thought.replace("*", "").split() == ["Hm", "hm."]  # Gemini CLI makes a heading of each
    assert said(again).strip() == "Still here."
    assert agent.running.pids() == before
