"""MCP servers through the server: added with the login alone, used by the built-in agent when a person says so."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.provider import FakeProvider
from tests.http.conftest import until
from tests.http.test_approvals import asked_in, end, respond, wait_for_approval
from tests.serving import TOKEN, Client, ServerProcess, Watcher

FAKE = Path(__file__).parents[1] / "fakes/mcp_server.py"
SECRET = "hush-hush-hush"
COMMAND = {"command": sys.executable, "args": [str(FAKE)], "env": {"KEY": SECRET}}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("mcp") / "state") as running:
        yield running


@pytest.fixture
def client(house: ServerProcess) -> Iterator[Client]:
    client = house.client()
    with client.http:
        yield client
    client = house.client()  # the server may be at another address by now
    with client.http:
        for server in client.get("/api/mcp")["servers"]:
            client.post("/api/mcp/remove", name=server["name"])


def add(client: Client, name: str = "fake", **more: Any) -> Any:
    body = {"name": name, **COMMAND, **more}
    shown = client.post("/api/mcp/add", **body)
    return client.post("/api/mcp/add", **body, confirm=True, argv=shown["argv"], token=TOKEN)["server"]


def test_a_server_is_added_once_its_exact_command_and_the_login_have_come_back(client: Client, house: ServerProcess):
    body = {"name": "fake", **COMMAND}
    shown = client.post("/api/mcp/add", **body)
    confirmed = {**body, "confirm": True, "argv": shown["argv"]}

    refused = [
        client.http.post("/api/mcp/add", json=given)
        for given in (
            {**confirmed, "argv": shown["argv"][:-1], "token": TOKEN},
            confirmed,
            {**confirmed, "token": TOKEN[:-1]},
        )
    ]
    before = client.get("/api/mcp")["servers"]
    added = client.post("/api/mcp/add", **confirmed, token=TOKEN)["server"]

    assert (shown["server"], shown["argv"], before) == (None, [sys.executable, str(FAKE)], [])
    answers = [(answer.status_code, answer.json()["code"]) for answer in refused]
    assert answers == [(409, "other_command"), (403, "login_again"), (403, "login_again")]
    assert (added["version"], added["env"], added["tools"][0]["name"]) == ("Fake 1.2", ["KEY"], "echo")
    assert SECRET not in client.http.get("/api/mcp").text
    assert (house.state_dir / "mcp.json").stat().st_mode & 0o777 == 0o600


def test_a_link_that_was_printed_is_as_good_as_the_token_once(client: Client):
    link = f"http://127.0.0.1:1/{client.post('/api/auth/link')['path']}"
    body = {"name": "fake", **COMMAND, "confirm": True, "argv": [sys.executable, str(FAKE)], "token": link}

    first, second = (client.http.post("/api/mcp/add", json=body) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 403)


def test_a_server_that_does_not_answer_is_not_kept_and_says_why(client: Client):
    body = {"name": "fake", **COMMAND, "args": [str(FAKE), "crash"]}
    argv = client.post("/api/mcp/add", **body)["argv"]

    refused = client.http.post("/api/mcp/add", json={**body, "confirm": True, "argv": argv, "token": TOKEN})

    assert (refused.status_code, refused.json()["code"]) == (422, "mcp_not_added")
    assert "No module named 'anything'" in refused.json()["error"]
    assert not client.get("/api/mcp")["servers"]


def test_a_server_and_what_was_switched_survive_a_restart(client: Client, house: ServerProcess):
    add(client)
    client.post("/api/mcp/switch", name="fake", on=False)
    client.post("/api/mcp/switch", name="fake", on=True, tools=["echo"])
    client.post("/api/mcp/switch", name="fake", only_reads=True)
    house.stop()
    house.start()
    with house.client().http as http:
        [server] = http.get("/api/mcp").json()["servers"]
        checked = http.post("/api/mcp/check", json={"name": "fake"}).json()

    assert [tool["name"] for tool in server["tools"] if tool["is_on"]] == ["echo"] and server["only_reads"]
    assert (checked["works"], checked["server"]) == (True, server)


def allowed(client: Client) -> list[str]:
    return [rule["name"] for rule in client.get("/api/approval/rules")["rules"]]


def test_a_tool_is_asked_about_done_once_it_was_allowed_and_ended_with_its_server(client: Client):
    add(client)
    with FakeProvider() as provider:
        client.post("/api/providers/save", kind="openai_compatible", base_url=provider.url)
        model = client.get("/api/models")["default"]
        session_id = client.new_session()
        script = '@@tool fake__echo {"text": "Hi."}\n@@next\n@@text Done.'
        watcher = Watcher(client, client.start(session_id, script, model=model)["stream_id"])

        until(lambda: client.get("/api/approval/pending")["asking"])
        asked = client.get("/api/approval/pending")["asking"][0]["approvals"][0]
        bound = {name: asked[name] for name in ("approval_id", "arguments_sha256")}
        client.post("/api/approval/respond", **bound, choice="always")
        watcher.whole()
        offered = [tool["function"]["name"] for tool in provider.requests[-1].json["tools"]]

        assert (asked["name"], asked["title"], asked["arguments"]) == ("fake__echo", "echo (fake)", '{"text": "Hi."}')
        assert watcher.text == "Done." and "fake__echo" in offered
        result = next(message for message in client.messages(session_id) if message["role"] == "tool")
        assert result["content"] == "Hi."
        assert "fake__echo" in allowed(client)

        client.post("/api/mcp/remove", name="fake")
        assert "fake__echo" not in allowed(client)


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("add", {"name": "fake", "command": "no-such-program"}, "bad_command"),
        ("add", {"name": "fake"}, "bad_command"),
        ("add", {"name": "fa__ke", "command": "env"}, "bad_mcp_name"),
        ("add", {"name": "fake", "url": "http://169.254.169.254/"}, "bad_address"),
        ("add", {"name": "fake", "url": "http://localhost/", "headers": {"Host": "x"}}, "bad_header"),
        ("check", {"name": "nobody"}, "mcp_not_found"),
        ("switch", {"name": "nobody", "on": True}, "mcp_not_found"),
        ("switch", {"name": "nobody"}, "bad_request"),
    ],
)
def test_what_cannot_be_added_looked_at_or_switched_is_refused(client: Client, path: str, body: Any, code: str):
    assert client.http.post(f"/api/mcp/{path}", json=body).json()["code"] == code


# S17
@pytest.mark.parametrize("how", ["waits", "was always allowed"])
def test_a_call_of_a_server_that_is_another_by_now_is_asked_about_again(client: Client, house: ServerProcess, how: str):
    add(client)
    with FakeProvider() as provider:
        saved = client.post("/api/providers/save", kind="openai_compatible", base_url=provider.url)["provider"]
        model = f"{saved['id']}/mock-1"
        script = '@@tool fake__echo {"text": "Hi."}\n@@next\n@@text Done.'

        stream_id = client.start(client.new_session(), script, model=model)["stream_id"]
        first = wait_for_approval(client, stream_id)
        if how == "was always allowed":
            respond(client, first, "always")
            end(client, stream_id)
        house.stop()
        kept = json.loads((house.state_dir / "mcp.json").read_text())
        kept["servers"][0]["argv"].append("slow")
        (house.state_dir / "mcp.json").write_text(json.dumps(kept))
        house.start()
        client = house.client()
        if how == "waits":
            respond(client, wait_for_approval(client, stream_id), "once")
            until(lambda: asked_in(client, stream_id) and asked_in(client, stream_id)["approvals"] != [first])
        else:
            stream_id = client.start(client.new_session(), script, model=model)["stream_id"]
        again = wait_for_approval(client, stream_id)

        assert again["changed"] == ["MCP: fake"]
        respond(client, again, "deny")
        assert "tool_complete" in end(client, stream_id)
