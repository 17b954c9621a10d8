"""What agent programs have us do, and what they are given: files, commands, MCP servers."""

import os

import msgspec
import pytest

from api.agents.acp.agent import AcpAgent
from api.agents.acp.programs import Programs
from api.agents.acp.sessions import Memory
from api.agents.acp.surroundings import Surroundings
from api.agents.mcp.server import Listed, Server
from api.domain import events as ev
from api.workspace.sandbox import find_sandbox
from tests.agents.conformance import collect, said
from tests.agents.conftest import until
from tests.agents.test_acp import QUICK, UNHELD, answered, ask, decided, may, program, running, shell_in, tools
from tests.agents.test_embedded import is_alive
from tests.agents.test_providers import MemoryFile

pytestmark = pytest.mark.anyio

# Files and commands of the client


async def test_files_are_read_and_written_in_the_sessions_folder_and_nowhere_else(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "notes.txt").write_text("first\n")
    (tmp_path / "secret").write_text("hidden")
    (folder / "link").symlink_to(tmp_path / "secret")
    reads = f"@@read {folder}/notes.txt\n@@read {tmp_path}/secret\n@@read link"
    script = f"{reads}\n@@write sub/new.txt made\\n\n@@write link x"
    async with running(folder) as agent:
        events, asked = await decided(agent, may("ask", script))

    first, secret, link, written, refused = [part.strip("[") for part in said(events).split("]")[:5]]
    assert (first.strip(), written) == ("first", "written")
    assert all(part.startswith("refused: ") for part in (secret, link, refused))
    assert "hidden" not in said(events) and (tmp_path / "secret").read_text() == "hidden"
    assert (folder / "sub/new.txt").read_text() == "made\n"
    assert [(one.kind, one.title, "+made" in one.diff) for one in asked] == [("edit", "sub/new.txt", True)]
    [call] = tools(events)
    assert (call.title, call.state, "+made" in call.diff) == ("sub/new.txt", "done", True)


async def test_what_is_not_allowed_is_neither_written_nor_run(tmp_path):
    async with running(tmp_path) as agent:
        events, asked = await decided(agent, may("ask", "@@write a.txt x\n@@run touch b.txt"), "deny")
        reading, _ = await decided(agent, may("read", "@@write a.txt x\n@@run touch b.txt", "r2"))

    assert [one.kind for one in asked] == ["edit", "execute"]
    assert "[refused: " in said(events) and "[refused: " in said(reading)
    assert list(tmp_path.iterdir()) == []


async def test_a_command_is_shown_as_it_speaks_and_ends_with_the_turn(tmp_path):
    async with running(tmp_path) as agent:
        events, [asked] = await decided(agent, may("ask", "@@run echo one; echo two >&2; exit 3"))
        run = agent.run(may("full", "@@run echo $$; sleep 600", "r2"))
        pid = 0
        while not pid:
            event = await anext(run)
            pid = int(event.text) if isinstance(event, ev.ToolOutput) else 0
        await run.aclose()

        await until(lambda: not is_alive(pid))

    [call] = tools(events)
    assert said(events).startswith("[3: ") and sorted(call.output.split()) == ["one", "two"]
    assert (call.title, call.state) == ("echo one; echo two >&2; exit 3", "error")
    assert (asked.arguments, asked.runner) == (call.title, "fireside")


async def test_a_command_is_held_as_those_of_the_built_in_agent_are(tmp_path):
    home, folder = tmp_path / "home", tmp_path / "work"
    for place in (home, folder / "sub"):
        place.mkdir(parents=True)
    (home / "secret").write_text("CANARY")
    sandbox = await find_sandbox(mark="test-acp", path=os.environ["PATH"], home=home, hidden=[])
    if sandbox.kind == "none":
        pytest.skip(sandbox.why)
    script = f"@@run cat {home}/secret\n@@run echo x > {tmp_path}/out\n@@run pwd > a && cat a\n@@in sub pwd"
    async with running(folder, shell=shell_in(sandbox)) as agent:
        said_of = said(await collect(agent, may("full", script))).split("[")

    _, read, _, own, below = said_of  # what is written outside may go into thin air
    assert "CANARY" not in read and not read.startswith("0:")
    assert (own, below) == (f"0: {folder}]", f"0: {folder}/sub]")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "work"]


async def test_a_command_without_end_is_ended_and_the_agent_told(tmp_path):
    async with running(tmp_path, limits=msgspec.structs.replace(QUICK, command_s=0.2)) as agent:
        events = await collect(agent, may("full", "@@run echo begun; sleep 600"))

    assert said(events).startswith("[None: begun") and "It was ended after" in said(events)


async def test_no_command_is_run_in_a_folder_that_is_no_workspace(tmp_path):
    around = Surroundings(home=tmp_path, env={}, mark="test-acp", shell=UNHELD, limits=QUICK, refused=(tmp_path,))
    agent = AcpAgent(Programs(MemoryFile(), configured=[program()]), Memory(lambda _: MemoryFile()), around)

    events = await collect(agent, may("full", "@@run touch made"))
    await agent.close()

    assert said(events).startswith("[refused: ") and list(tmp_path.iterdir()) == []


async def test_what_was_allowed_when_the_agent_asked_is_not_asked_again_when_it_has_us_do_it(tmp_path):
    edit = {
        "title": "Edit",
        "kind": "edit",
        "content": [{"type": "diff", "path": "a.txt", "oldText": None, "newText": "x"}],
    }
    command = {"title": "Run", "kind": "execute", "rawInput": {"command": "echo hi"}}
    script = "\n".join(
        [
            f"@@permission e allow_once,reject_once {msgspec.json.encode(edit).decode()}",
            "@@write a.txt x",
            f"@@permission c allow_once,reject_once {msgspec.json.encode(command).decode()}",
            "@@run echo hi",
            "@@run echo hi",
        ]
    )
    async with running(tmp_path) as agent:
        events, asked = await decided(agent, may("ask", script))

    assert [one.kind for one in asked] == ["edit", "execute", "execute"]
    assert said(events) == "[allow_once][written][allow_once][0: hi][0: hi]"
    assert (tmp_path / "a.txt").read_text() == "x"


# MCP servers that it is given


TOOL = Listed(name="look", offered="look", schema={}, is_on=True)
FILES = Server(name="files", argv=("/bin/files", "--all"), env=(("KEY", "k"),), tools=(TOOL,), version="1")
WEB = Server(name="web", url="https://example.org/mcp", headers=(("Authorization", "Bearer k"),), tools=(TOOL,))
OFF = Server(name="off", argv=("/bin/off",), tools=(msgspec.structs.replace(TOOL, is_on=False),))


@pytest.mark.parametrize("options", [("http-mcp",), ()])
async def test_an_agent_is_given_the_servers_that_are_named_for_it_as_far_as_it_can_use_them(tmp_path, options):
    others = [FILES, WEB, OFF, msgspec.structs.replace(FILES, name="other")]
    async with running(tmp_path, *options, servers=others, mcp=("files", "web", "off", "gone")) as agent:
        events = await collect(agent, ask("@@mcp"))

    files = {
        "name": "files",
        "command": "/bin/files",
        "args": ["--all"],
        "env": [{"name": "KEY", "value": "k"}],
    }
    web = {"type": "http", "name": "web", "url": WEB.url, "headers": [{"name": "Authorization", "value": "Bearer k"}]}
    assert msgspec.json.decode(said(events)) == ([files, web] if options else [files])
    told = [event.code for event in events if isinstance(event, ev.Notice)]
    assert told == ([] if options else ["mcp_not_handed_on"])


async def test_a_session_that_is_taken_up_again_has_the_servers_of_now_and_one_without_any_has_none(tmp_path):
    kept, file = f"sessions={tmp_path}", MemoryFile()
    memory, first = Memory(lambda _: file), ask("@@mcp")
    changed = msgspec.structs.replace(FILES, env=(("KEY", "other"),))
    async with running(tmp_path, kept, memory=memory, servers=[FILES], mcp=("files",)) as agent:
        before = said(await collect(agent, first))
    async with running(tmp_path, kept, memory=memory, servers=[changed], mcp=("files",)) as agent:
        second = ask("@@mcp\n@@told", run_id="r2", history=answered(first, before))
        after = said(await collect(agent, second))
    async with running(tmp_path, servers=[FILES]) as agent:
        none = said(await collect(agent, ask("@@mcp")))

    assert '"k"' in before and '"other"' in after and "prompt 2" in after
    assert none == "[]"
