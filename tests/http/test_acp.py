"""Agents that are programs, through the server: configured, chosen, talked to, asked by, stopped, started again."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import pictures
from tests.http.conftest import until
from tests.http.test_keeping_attachments import bytes_of
from tests.serving import ROOT, TOKEN, Client, ServerProcess, Watcher

CHANGES = "/api/session/changes"
FAKE = Path(__file__).parents[1] / "fakes/acp_agent.py"
MCP_SERVER = FAKE.with_name("mcp_server.py")


@pytest.fixture
def server(tmp_path: Path) -> Any:
    """A server whose config file names the fake, and on whose PATH there is one of the known agents."""
    for folder in ("state", "work", "sessions", "bin"):
        (tmp_path / folder).mkdir()
    args = [str(FAKE), f"sessions={tmp_path}/sessions", "commands"]
    table = {"command": sys.executable, "args": args, "title": "Fake"}
    lines = [f"{name} = {json.dumps(value)}" for name, value in table.items()]
    (tmp_path / "state/config.toml").write_text("\n".join(["[acp.fake]", *lines, 'env = { SECRET = "hush-hush" }']))
    (tmp_path / "bin/qwen").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin/qwen").chmod(0o755)
    path = f"{tmp_path}/bin:{os.environ['PATH']}"
    with ServerProcess(
        tmp_path / "state", workspace=str(tmp_path / "work"), wrapper=["env", f"PATH={path}"]
    ) as running:
        yield running


def start(client: Client, session_id: str, message: str) -> Watcher:
    return Watcher(client, client.start(session_id, message, model="acp/fake")["stream_id"])


def asked_about(client: Client) -> dict[str, Any]:
    """The first call that waits for a word."""
    until(lambda: client.get("/api/approval/pending")["asking"])
    return client.get("/api/approval/pending")["asking"][0]["approvals"][0]


def allow(client: Client, asked: dict[str, Any], choice: str = "once") -> None:
    bound = {"approval_id": asked["approval_id"], "arguments_sha256": asked["arguments_sha256"]}
    client.post("/api/approval/respond", **bound, choice=choice)


def text(words: str) -> dict[str, Any]:
    return {"type": "content", "content": {"type": "text", "text": words}}


def change(new: str) -> dict[str, Any]:
    return {"type": "diff", "path": "notes.txt", "oldText": None, "newText": new}


# S17
@pytest.mark.parametrize(
    ("allowed", "other", "shown"),
    [
        (("cat a", text("(Show it)")), ("rm -r a", text("(Show it)")), "cat a\n(Show it)"),
        (("cat a\ncat b", text("(Show it)")), ("cat a\nrm -r b", text("(Show it)")), "cat a\ncat b\n(Show it)"),
        (("Write notes", change("one")), ("Write notes", change("two")), "Write notes"),
    ],
    ids=["a title", "its second line", "a change"],
)
def test_what_is_allowed_of_a_call_that_has_no_arguments_is_all_that_was_told_of_it(
    server: ServerProcess, allowed: Any, other: Any, shown: str
):
    client = server.client()
    session_id = client.new_session()

    def call(it: Any) -> Watcher:
        told = {"title": it[0], "kind": "edit" if it[1]["type"] == "diff" else "execute", "content": [it[1]]}
        return start(client, session_id, f"@@permission t allow_once,reject_once {json.dumps(told)}")

    first = call(allowed)
    asked = asked_about(client)
    assert asked["arguments"] == shown
    allow(client, asked, "session")
    assert "approval" in {frame.name for frame in first.whole()}

    assert "approval" not in {frame.name for frame in call(allowed).whole()}
    call(other)
    allow(client, asked_about(client), "deny")


def test_a_conversation_with_a_program_of_the_config_file_is_kept_like_any_other(server: ServerProcess, tmp_path: Path):
    client = server.client()
    rows = {row["id"]: row for row in client.get("/api/models")["models"]}
    session_id = client.new_session()

    script = '@@think Hm.\n@@tool t read {"path":"a"} Read a\n@@progress t completed hello\n@@text Done.\n@@told'
    start(client, session_id, script).whole()
    said = client.answer(session_id, "@@told", model="acp/fake")

    assert rows["acp/fake"]["name"] == "Fake" and rows["acp/qwen"]["name"] == "Qwen Code"
    assert said == "prompt 2: @@told"
    _, answer, tool, last = client.messages(session_id)[:4]
    assert (answer["reasoning"], answer["tool_calls"][0]["function"]["arguments"]) == ("Hm.", '{"path": "a"}')
    assert (tool["title"], tool["content"], tool["kind"]) == ("Read a", "hello", "read")
    assert last["content"].startswith("Done.prompt 1:")


def test_the_slash_commands_of_an_agent_are_known_where_it_has_told_of_them(server: ServerProcess, tmp_path: Path):
    client, other = server.client(), tmp_path / "other"
    other.mkdir()
    session_id = client.new_session()
    elsewhere = client.post("/api/session/new", workspace=str(other))["session"]["session_id"]

    def told(session_id: str, model: str = "acp/fake") -> list[Any]:
        commands = client.get("/api/agents/commands", session_id=session_id, model=model)["commands"]
        return [tuple(command.values()) for command in commands]

    before = told(session_id)
    said = client.answer(session_id, "/init all of it", model="acp/fake")

    assert before == told(elsewhere) == told(session_id, "acp/qwen") == []
    assert said == "/init all of it"
    assert told(session_id) == [
        ("init", "Write down what this project is.", ""),
        ("review", "Look at the changes.", "branch"),
        ("help", "What the fake can do.", ""),
    ]


def test_a_command_runs_once_it_was_allowed_in_the_sessions_folder(server: ServerProcess, tmp_path: Path):
    client = server.client()
    watcher = start(client, client.new_session(), "@@run pwd; touch made")

    asked = asked_about(client)
    assert (asked["kind"], asked["arguments"], list((tmp_path / "work").iterdir())) == (
        "execute",
        "pwd; touch made",
        [],
    )
    allow(client, asked)
    watcher.whole()

    assert watcher.text == f"[0: {tmp_path}/work]"
    assert (tmp_path / "work/made").exists()


def test_what_an_agent_changes_by_itself_can_be_undone(server: ServerProcess, tmp_path: Path) -> None:
    client, kept = server.client(), tmp_path / "work/kept.txt"
    kept.write_text("before\n")
    session_id = client.new_session()
    client.answer(session_id, "@@own kept.txt after\n@@own new.txt made", model="acp/fake")
    watcher = start(client, session_id, "@@own late.txt made\n@@text x\n@@hang")
    watcher.wait_until(lambda seen: any(frame.name == "token" for frame in seen))
    client.post("/api/chat/cancel", stream_id=watcher.stream_id)
    watcher.whole()

    def changed() -> list[list[str]]:
        runs = client.get(CHANGES, session_id=session_id)["changes"]
        return [[file["name"] for file in run["files"]] for run in runs]

    until(lambda: changed() == [["kept.txt", "new.txt"], ["late.txt"]])
    first = client.get(CHANGES, session_id=session_id)["changes"][0]["stream_id"]
    client.post(f"{CHANGES}/restore", session_id=session_id, stream_id=first)

    assert kept.read_text() == "before\n"
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["kept.txt"]


def test_stopping_ends_what_the_agent_had_started(server: ServerProcess):
    client = server.client()
    watcher = start(client, client.new_session(), "@@fork\n@@deaf\n@@hang")
    watcher.wait_until(lambda seen: any(frame.name == "token" for frame in seen))
    child = Path(f"/proc/{watcher.text}")
    assert child.exists()

    client.post("/api/chat/cancel", stream_id=watcher.stream_id)

    assert watcher.whole()[-1].name == "cancel"
    until(lambda: not child.exists())


@pytest.mark.parametrize("knows_its_session", [True, False])
def test_a_question_that_waits_survives_kill_9_and_what_is_allowed_then_is_done_once(
    server: ServerProcess, tmp_path: Path, knows_its_session: bool
):
    client = server.client()
    session_id = client.new_session()
    watcher = start(client, session_id, "@@text Before. \n@@run echo x >> made\n@@text After.")
    before = asked_about(client)
    server.kill()
    if not knows_its_session:  # as when it was killed before it had written that down
        for kept in (tmp_path / "state/acp").iterdir():
            kept.unlink()
    server.start()
    client = server.client()

    after = asked_about(client)
    assert after["approval_id"] == before["approval_id"] and not (tmp_path / "work/made").exists()
    allow(client, after)
    again = Watcher(client, watcher.stream_id)
    assert again.whole()[-1].name == "stream_end"

    assert (tmp_path / "work/made").read_text() == "x\n"
    assert again.text.endswith("After.")
    assert not client.get("/api/approval/pending")["asking"]


def test_a_conversation_goes_on_in_the_agents_own_session_after_a_restart(server: ServerProcess):
    client = server.client()
    session_id = client.new_session()
    client.answer(session_id, "hello", model="acp/fake")
    server.stop()
    server.start()

    assert server.client().answer(session_id, "@@told", model="acp/fake") == "prompt 2: @@told"


def test_an_agent_is_added_once_its_exact_command_was_shown_and_has_come_back(server: ServerProcess, tmp_path: Path):
    client = server.client()
    body = {
        "name": "mine",
        "title": "Mine",
        "command": "env",
        "args": [sys.executable, str(FAKE), "commands"],
        "env": {"KEY": "k-123"},
    }

    shown = client.post("/api/agents/add", **body)
    other = client.http.post("/api/agents/add", json={**body, "confirm": True, "argv": ["env"]})
    listed = [agent["name"] for agent in client.get("/api/agents")["agents"]]
    added = client.post("/api/agents/add", **body, confirm=True, argv=shown["argv"])

    assert shown["agent"] is None and Path(shown["argv"][0]).is_absolute() and "mine" not in listed
    assert (other.status_code, other.json()["code"]) == (409, "other_command")
    assert (added["agent"]["source"], added["agent"]["env"], added["agent"]["model"]) == ("own", ["KEY"], "acp/mine")
    assert client.post("/api/agents/check", name="mine") == {"works": True, "version": "Fake Agent 1.2.3", "reason": ""}
    assert client.answer(client.new_session(), "@@env KEY", model="acp/mine") == "k-123"
    server.stop()
    server.start()
    client = server.client()
    assert "mine" in [agent["name"] for agent in client.get("/api/agents")["agents"]]
    assert (tmp_path / "state/agents.json").stat().st_mode & 0o777 == 0o600
    client.answer(client.new_session(), "hello", model="acp/mine")
    known = client.get("/api/agents/commands", model="acp/mine")["commands"]
    client.post("/api/agents/remove", name="mine")
    assert "acp/mine" not in [row["id"] for row in client.get("/api/models")["models"]]
    assert known and client.get("/api/agents/commands", model="acp/mine")["commands"] == []


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("add", {"name": "Big Name", "command": "env"}, "bad_agent_name"),
        ("add", {"name": "mine", "command": "no-such-program"}, "bad_command"),
        ("add", {"name": "mine", "command": "env", "args": ["a\nb"]}, "bad_command"),
        ("add", {"name": "mine", "command": "env", "env": {"A=B": "c"}}, "bad_environment"),
        ("remove", {"name": "fake"}, "agent_from_config"),
        ("remove", {"name": "qwen"}, "agent_is_installed"),
        ("check", {"name": "nobody"}, "agent_not_found"),
        ("install", {"name": "opencode"}, "agent_not_found"),
        ("mcp", {"name": "nobody", "servers": []}, "agent_not_found"),
        ("mcp", {"name": "qwen", "servers": ["nowhere"]}, "mcp_not_found"),
        ("mcp", {"name": "fake", "servers": []}, "agent_from_config"),
    ],
)
def test_what_cannot_be_added_removed_or_checked_is_refused(server: ServerProcess, path: str, body: Any, code: str):
    refused = server.client().http.post(f"/api/agents/{path}", json=body)

    assert refused.json()["code"] == code


def test_an_agent_is_given_an_mcp_server_as_long_as_the_person_means_that_one(server: ServerProcess):
    client = server.client()
    agent = {"name": "mine", "command": sys.executable, "args": [str(FAKE)]}
    argv = client.post("/api/agents/add", **agent)["argv"]
    client.post("/api/agents/add", **agent, confirm=True, argv=argv)
    tools = {"name": "tools", "command": sys.executable, "args": [str(MCP_SERVER)], "env": {"KEY": "hush-hush"}}

    def add_tools() -> None:
        argv = client.post("/api/mcp/add", **tools)["argv"]
        client.post("/api/mcp/add", **tools, confirm=True, argv=argv, token=TOKEN)

    def given() -> list[Any]:
        return json.loads(client.answer(client.new_session(), "@@mcp", model="acp/mine"))

    add_tools()
    by_itself = given()
    told = client.post("/api/agents/mcp", name="mine", servers=["tools"])["agent"]
    [handed] = given()
    client.post("/api/mcp/switch", name="tools", on=False)
    switched_off = given()
    client.post("/api/mcp/remove", name="tools")
    add_tools()
    another = given()

    assert (by_itself, switched_off, another) == ([], [], [])
    assert told["mcp"] == ["tools"]
    assert (handed["command"], handed["env"]) == (sys.executable, [{"name": "KEY", "value": "hush-hush"}])
    assert "hush-hush" not in client.http.get("/api/agents").text
    client.post("/api/agents/mcp", name="mine", servers=["tools"])
    client.post("/api/agents/remove", name="mine")
    client.post("/api/agents/add", **agent, confirm=True, argv=argv)
    assert given() == []


UV = """#!/bin/sh
echo "Doing $*" >&2
for word; do last=$word; done
case "$1" in
  venv) mkdir -p "$last/bin" ;;
  pip) printf '#!/bin/sh\\nexec %s %s\\n' PYTHON FAKE > "${4%/python}/hermes-acp"; chmod +x "${4%/python}/hermes-acp" ;;
esac
test -z "$(cat FLAG)" || { echo "error: no network" >&2; exit 2; }
"""


def put_uv(folder: Path) -> Path:
    """A uv that installs the fake. The file returned makes it fail as long as something stands in it, as now."""
    uv, flag = folder / "bin/uv", folder / "flag"
    uv.write_text(UV.replace("PYTHON", sys.executable).replace("FAKE", str(FAKE)).replace("FLAG", str(flag)))
    uv.chmod(0o755)
    flag.write_text("fail")
    return flag


def test_one_command_installs_a_known_agent_by_the_server_that_runs_or_by_itself(server: ServerProcess, tmp_path: Path):
    flag = put_uv(tmp_path)

    def agents(*words: str) -> tuple[int, str]:
        env = {**os.environ, "FIRESIDE_TOKEN": TOKEN}
        done = subprocess.run(
            server.command("agents", *words), cwd=ROOT, env=env, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    before = agents()
    failed = agents("install", "hermes")
    by_server = server.client().get("/api/agents")["installable"][0]["phase"]
    unknown = agents("install", "nothing")
    flag.write_text("")
    server.stop()
    installed = agents("install", "hermes")
    after = agents()

    assert "acp_agent.py" in before[1] and "qwen" in before[1] and "`./run agents install hermes`" in before[1]
    assert failed[0] == 1 and "could not be installed: error: no network" in failed[1]
    assert (by_server, unknown[0]) == ("failed", 2) and "does not know how to install 'nothing'" in unknown[1]
    assert installed[0] == 0 and "Hermes Agent is installed." in installed[1]
    assert f"{tmp_path}/state/agents/hermes/bin/hermes-acp" in after[1] and "can be installed" not in after[1]


def test_a_known_agent_is_installed_into_an_environment_of_its_own_and_then_found(
    server: ServerProcess, tmp_path: Path
):
    flag = put_uv(tmp_path)
    client = server.client()

    def told() -> dict[str, Any]:
        return client.get("/api/agents")["installable"][0]

    assert (told()["name"], told()["phase"], told()["size_mb"]) == ("hermes", "absent", 150)
    client.post("/api/agents/install", name="hermes")
    until(lambda: told()["phase"] == "failed")
    assert told()["line"] == "error: no network"
    flag.write_text("")
    client.post("/api/agents/install", name="hermes")
    until(lambda: told()["phase"] == "installed")

    assert client.post("/api/agents/check", name="hermes")["version"] == "Fake Agent 1.2.3"
    assert client.answer(client.new_session(), "hello", model="acp/hermes") == "hello"
    [found] = [agent for agent in client.get("/api/agents")["agents"] if agent["name"] == "hermes"]
    assert found["argv"] == [str(tmp_path / "state/agents/hermes/bin/hermes-acp")]
    server.stop()
    server.start()
    assert server.client().get("/api/agents")["installable"][0]["phase"] == "installed"


def test_a_check_says_why_an_agent_does_not_work_and_no_secret(server: ServerProcess):
    client = server.client()

    broken = client.post("/api/agents/check", name="qwen")
    listed = client.http.get("/api/agents").text

    assert not broken["works"] and broken["reason"].startswith("Qwen Code could not be started")
    assert "hush" not in listed and "SECRET" in listed


def test_pictures_that_a_program_sends_are_kept_where_it_sent_them(server: ServerProcess, tmp_path: Path):
    (tmp_path / "shot.png").write_bytes(pictures.png(8, 6))
    client, shot = server.client(), tmp_path / "shot.png"
    session_id = client.new_session()
    script = f"@@text Before.\n@@picture {shot}\n@@text After.\n@@tool t other {{}} Look\n@@shots t completed {shot}"

    frames = start(client, session_id, script).whole()
    server.kill()
    server.start()
    client = server.client()
    said = client.answer(session_id, "And now?", model="scripted/script")

    before, after, result = client.messages(session_id)[1:4]
    [first], [second] = before["attachments"], result["attachments"]
    assert [frame.data["attachment"] for frame in frames if frame.name == "picture"] == [first]
    assert [(one["content"], one.get("attachments")) for one in (before, after)] == [
        ("Before.", [first]),
        ("After.", None),
    ]
    assert bytes_of(client, session_id, first["id"]) == bytes_of(client, session_id, second["id"]) == shot.read_bytes()
    assert (first["width"], first["height"], said) == (8, 6, "And now?")
