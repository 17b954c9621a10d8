"""Every answer has the shape that the table of routes promises, with no field that is promised nowhere."""

import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx2
from pydantic import BaseModel

from api.http.answers import RunDone, SessionsChanged
from api.routes import ROUTES
from tests.fakes.provider import FakeProvider
from tests.http.conftest import until
from tests.http.reading import reading
from tests.pictures import png
from tests.serving import TOKEN, Client, ServerProcess

MCP_SERVER = Path(__file__).parents[1] / "fakes/mcp_server.py"
PROMISED = {(route.method, route.path): route.answer for route in ROUTES}

RICH = """@@think Let me see.
@@step 1
@@tool shell {"command": "ls"}
@@output one
@@result two
@@tool shell {"command": "rm"}
@@approval execute shell {"command": "rm"}
@@error no
@@plan completed Look | pending Tell
@@ask And now? | Stop | Go on
@@usage 10 20 0.5
@@notice Mind the gap
@@text Here it is."""


class Checking:
    """A client that holds each answer against the table of routes, and remembers which routes it has asked."""

    def __init__(self, client: Client) -> None:
        self._http = client.http
        self.asked: set[tuple[str, str]] = set()

    def get(self, path: str, /, **query: Any) -> Any:
        return self._checked("GET", path, self._http.get(path, params=query))

    def post(self, path: str, /, **body: Any) -> Any:
        return self._checked("POST", path, self._http.post(path, json=body))

    def upload(self, path: str, data: bytes, **query: Any) -> Any:
        headers = {"Content-Type": "application/octet-stream"}
        return self._checked("POST", path, self._http.post(path, params=query, content=data, headers=headers))

    def download(self, path: str, **query: Any) -> bytes:
        """A file whose content is not ours, to be shown by no browser."""
        answer = self._http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert PROMISED["GET", path] is None
        self.asked.add(("GET", path))
        return answer.content

    def _checked(self, method: str, path: str, answer: httpx2.Response) -> Any:
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        self.asked.add((method, path))
        promised = PROMISED[method, path]
        if isinstance(promised, type):
            check_shape(promised, answer.json())
        return answer.json()


def check_shape(model: type[BaseModel], value: Any) -> None:
    """`value` fits `model`, and has not a field that `model` does not name."""
    assert model.model_validate(value, strict=True).model_dump(mode="json", by_alias=True, exclude_unset=True) == value


def test_every_answer_is_as_promised(client: Client, server: ServerProcess) -> None:
    api = Checking(client)

    _sign_in_and_out(api, client)
    session_id = _talk(api, client)
    _keep_house(api, session_id)
    _throw_away(api, session_id)
    _set_aside(api, server.state_dir / "sessions" / "odd.json")
    _connect(api)
    _have_agents(api)

    expected = {key for key, answer in PROMISED.items() if answer != "stream"}
    assert api.asked == expected


def _sign_in_and_out(api: Checking, client: Client) -> None:
    code = api.post("/api/auth/link")["path"].partition("=")[2]
    api.post("/api/auth/exchange", code=code)
    api.post("/api/auth/login", token=client.http.headers["Authorization"].removeprefix("Bearer "))
    api.post("/api/auth/logout")
    api.get("/api/auth/status")
    client.http.cookies.clear()


def _talk(api: Checking, client: Client) -> str:
    session_id = api.post("/api/session/new")["session"]["session_id"]
    api.get("/api/session", session_id=session_id)
    api.post("/api/chat/prepare")

    def say(message: str) -> str:
        body = {"session_id": session_id, "message": message, "model": "scripted/script"}
        return api.post("/api/chat/start", **body)["stream_id"]

    for script in (RICH, "@@text One\n@@fail rate_limited Too fast.", "@@text One\n@@end cancelled"):
        stream_id = say(script)
        if script == RICH:
            _give_leave(api, stream_id)
        done = next(frame for frame in client.frames(stream_id) if frame.name == "done")
        check_shape(RunDone, done.data)
        api.get("/api/session", session_id=session_id)

    stream_id = say(f"{RICH}\n@@hang")
    _give_leave(api, stream_id)
    with reading(client, "/api/chat/stream", stream_id=stream_id) as shown:
        shown.until(lambda frame: frame.name == "token" and frame.data["text"].endswith("is."))
        api.get("/api/session", session_id=session_id)
        api.get("/api/sessions")
        api.get("/api/chat/stream/status", stream_id=stream_id)
    _queue(api, session_id)
    api.post("/api/chat/cancel", stream_id=stream_id)
    api.get("/api/chat/stream/status", stream_id=stream_id)
    until(lambda: api.get("/api/chat/queue", session_id=session_id)["queue"]["is_held"])
    sent = api.post("/api/chat/queue/continue", session_id=session_id)["started"]["stream_id"]
    api.post("/api/chat/cancel", stream_id=sent)
    shown = api.post("/api/chat/steer", session_id=session_id, text="@@text One\n@@hang")["started"]
    assert shown is not None
    api.post("/api/chat/cancel", stream_id=shown["stream_id"])

    revision = api.get("/api/session", session_id=session_id)["session"]["revision"]
    resumed = api.post("/api/chat/continue", session_id=session_id, revision=revision)["stream_id"]
    assert [frame.name for frame in client.frames(resumed)][-1] == "stream_end"
    api.post("/api/chat/cancel", stream_id=api.post("/api/chat/retry", session_id=session_id)["stream_id"])
    return session_id


def _give_leave(api: Checking, stream_id: str) -> None:
    """Say a word to all that `RICH` asks. The first rule, made here, is taken back at once."""

    def asking(about: str) -> dict[str, Any] | None:
        every = api.get("/api/approval/pending")["asking"]
        return next((one for one in every if one["stream_id"] == stream_id and one[about]), None)

    until(lambda: asking("approvals"))
    run = asking("approvals")
    api.get("/api/session", session_id=run["session_id"])
    [asked] = run["approvals"]
    bound = {"approval_id": asked["approval_id"], "arguments_sha256": asked["arguments_sha256"]}
    api.post("/api/approval/respond", **bound, choice="session", note="Go on.")
    rules = api.get("/api/approval/rules")["rules"]
    [rule] = [one for one in rules if one["session_id"] == run["session_id"]]
    api.post("/api/approval/rules/revoke", rule_id=rule["rule_id"])
    until(lambda: asking("question"))
    question = asking("question")["question"]
    api.post("/api/clarify/respond", stream_id=stream_id, question_id=question["question_id"], text="Go on")
    api.post("/api/approval/mode", session_id=run["session_id"], mode="ask")
    api.post("/api/session/parameters", session_id=run["session_id"], system_prompt="Be brief.")
    api.post("/api/budget", day_tokens=10**12)
    api.get("/api/usage")
    api.post("/api/models/fallback", model=None)
    api.post("/api/models/hide", model="scripted/script", is_hidden=False)


def _queue(api: Checking, session_id: str) -> None:
    one = {"session_id": session_id}
    waits = api.post("/api/chat/queue", **one, message="@@text One\n@@hang", model="scripted/script")["message_id"]
    other = api.post("/api/chat/steer", **one, text="not now")["message_id"]
    api.post("/api/chat/queue/edit", **one, message_id=other, message="later")
    api.post("/api/chat/queue/reorder", **one, message_id=other, before=None)
    api.post("/api/chat/queue/delete", **one, message_ids=[other])
    api.post("/api/chat/queue/put_back", **one)
    api.post("/api/chat/queue/delete", **one, message_ids=[other])
    assert [item["message_id"] for item in api.get("/api/chat/queue", **one)["queue"]["items"]] == [waits]


def _keep_house(api: Checking, session_id: str) -> None:
    version = api.get("/api/sessions")["version"]
    api.post("/api/session/rename", session_id=session_id, title="Kept house")
    api.post("/api/session/pin", session_id=session_id, pinned=True)
    api.post("/api/session/archive", session_id=session_id, archived=True)
    api.get("/api/sessions", archived=1)
    api.get("/api/sessions/search", q="kept")
    api.get("/api/session/export", session_id=session_id)
    api.post("/api/session/delete", session_id=session_id)
    api.post("/api/session/restore", session_id=session_id)
    api.get("/health")
    api.get("/api/workspace/folders", path="/")
    _attach(api)
    api.post("/api/session/workspace", session_id=session_id, path=None)
    _edit_and_file(api, session_id)
    document = api.get("/api/openapi.json")
    assert {path for _, path in PROMISED} == set(document["paths"])
    assert version


def _attach(api: Checking) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "notes.txt").write_text("Notes.")
        one = {"session_id": api.post("/api/session/new", workspace=folder)["session"]["session_id"]}
        [name] = api.get("/api/workspace/files", **one, q="nts")["files"]
        notes = api.post("/api/attachment/from_workspace", **one, path=name)["attachment"]
        picture = api.upload("/api/attachment/upload", png(3, 2), **one, name="a.png")["attachment"]
        assert api.download("/api/attachment", **one, id=notes["id"]) == b"Notes."
        api.post("/api/session/draft", **one, text="", attachments=[notes["id"], picture["id"]])
        api.post("/api/attachment/remove", **one, id=picture["id"])
        api.get("/api/session/draft", **one)
        sent = {"message": "@@hang", "model": "scripted/script", "attachments": [notes["id"]]}
        stream_id = api.post("/api/chat/start", **one, **sent)["stream_id"]
        api.post("/api/chat/queue", **one, **sent)
        api.get("/api/session", **one)
        api.post("/api/chat/cancel", stream_id=stream_id)


def _throw_away(api: Checking, session_id: str) -> None:
    api.post("/api/session/delete", session_id=session_id)
    trash = api.get("/api/trash")
    assert {item["cleared_from"] for item in trash["items"]} >= {None, session_id}
    for item in trash["items"]:
        api.post("/api/trash/remove", session_id=item["session_id"])


def _set_aside(api: Checking, path: Path) -> None:
    path.write_bytes(b'{"messages": [{"role": "user", "content": "x"}, {"role"')
    assert path.name in [one["name"] for one in api.get("/api/unreadable")["files"]]
    assert api.download("/api/unreadable/file", name=path.name) == path.read_bytes()
    api.post("/api/unreadable/rescue", name=path.name)
    path.unlink()


def _edit_and_file(api: Checking, session_id: str) -> None:
    one = {"session_id": session_id}
    api.post("/api/session/tag", **one, tags=["kept"])
    api.post("/api/session/read", **one)
    project = api.post("/api/projects/create", name="Kept")["project"]["project_id"]
    api.post("/api/session/move", **one, project_id=project)
    api.post("/api/projects/change", project_id=project, color="moss")
    api.get("/api/projects")
    api.post("/api/projects/delete", project_id=project)
    api.post("/api/session/draft", **one, text="half")
    api.get("/api/session/draft", **one)
    api.post("/api/session/duplicate", **one)
    first = api.get("/api/session", **one)["session"]["messages"][0]["id"]
    api.post("/api/session/branch", **one, message_id=first)
    edited = api.post("/api/chat/edit", **one, message_id=first, message="@@text Edited")
    api.post("/api/chat/cancel", stream_id=edited["stream_id"])
    second = api.get("/api/session", **one)["session"]["messages"][0]["id"]
    api.post("/api/session/version", **one, message_id=second, version=1)
    edited = api.post("/api/chat/edit", **one, message_id=first, message="@@text Edited again")
    aside = api.post("/api/btw", **one, question="@@hang", model="scripted/script")["aside"]["stream_id"]
    api.post("/api/background", **one, prompt="@@hang", model="scripted/script")
    api.get("/api/background/status", **one)
    api.get("/api/session", **one)
    api.post("/api/chat/cancel", stream_id=aside)
    api.post("/api/chat/cancel", stream_id=edited["stream_id"])
    api.post("/api/btw/keep", stream_id=aside)
    dropped = api.post("/api/btw", **one, question="@@hang", model="scripted/script")["aside"]["stream_id"]
    api.post("/api/btw/drop", stream_id=dropped)
    for task in api.get("/api/background/status", **one)["tasks"]:
        api.post("/api/background/cancel", task_id=task["task_id"])
    api.post("/api/session/truncate", **one, message_id=api.get("/api/session", **one)["session"]["messages"][0]["id"])
    api.post("/api/session/undo", **one)
    api.post("/api/session/put_back", **one)
    api.post("/api/session/clear", **one)
    api.post("/api/session/import", messages=[{"role": "user", "content": "from a file"}])
    api.get("/api/commands")
    api.post("/api/commands/run", text="/help")


def _connect(api: Checking) -> None:
    with FakeProvider() as provider:
        api.post("/api/providers/test", kind="openai_compatible", base_url=provider.url, key="k-0123456789ab")
        saved = api.post("/api/providers/save", kind="openai_compatible", base_url=provider.url, key="k-0123456789ab")
        api.get("/api/providers")
        api.get("/api/models")
        api.post("/api/models/default", model="scripted/script")
        _work(api, f"{saved['provider']['id']}/mock-1")
    # Nobody answers there any more: a problem, told beside the rest.
    api.get("/api/models")
    api.post("/api/providers/delete", id=saved["provider"]["id"])


def _work(api: Checking, model: str) -> None:
    """Have a file changed, and put back; a skill read and switched off; and something remembered."""
    with tempfile.TemporaryDirectory() as folder:
        session_id = api.post("/api/session/new", workspace=folder)["session"]["session_id"]
        api.post("/api/approval/mode", session_id=session_id, mode="full")
        script = '@@tool write_file {"path": "a.txt", "content": "b"}\n@@next\n@@text Done.'
        started = api.post("/api/chat/start", session_id=session_id, message=script, model=model)
        until(lambda: not api.get("/api/chat/stream/status", stream_id=started["stream_id"])["active"])
        [changed] = api.get("/api/session/changes", session_id=session_id)["changes"]
        api.post("/api/session/changes/restore", session_id=session_id, stream_id=changed["stream_id"])
        skill = Path(folder) / ".agents/skills/release/SKILL.md"
        skill.parent.mkdir(parents=True)
        skill.write_text("---\ndescription: How a release is made\n---\n", encoding="utf-8")
        found = api.get("/api/skills", session_id=session_id)["skills"][0]
        api.get("/api/skills/text", id=found["id"], session_id=session_id)
        api.post("/api/skills/switch", id=found["id"], is_on=False, session_id=session_id)
    api.post("/api/memory", text="Something.", revision=api.get("/api/memory")["revision"])
    assert api.get("/api/sandbox")["network"] is False


def _have_agents(api: Checking) -> None:
    api.get("/api/agents")
    api.get("/api/agents/commands", model="acp/fake")
    command = {"name": "mine", "command": "true"}
    argv = api.post("/api/agents/add", **command)["argv"]
    api.post("/api/agents/add", **command, confirm=True, argv=argv)
    assert not api.post("/api/agents/check", name="mine")["works"]
    api.post("/api/agents/mcp", name="mine", servers=[])
    api.post("/api/agents/remove", name="mine")
    fake = {"name": "fake", "command": sys.executable, "args": [str(MCP_SERVER)]}
    argv = api.post("/api/mcp/add", **fake)["argv"]
    api.post("/api/mcp/add", **fake, confirm=True, argv=argv, token=TOKEN)
    api.get("/api/mcp")
    api.post("/api/mcp/check", name="fake")
    api.post("/api/mcp/switch", name="fake", on=False)
    api.post("/api/mcp/remove", name="fake")
    api.post("/api/agents/install", name="hermes")


def test_what_is_told_of_changed_sessions_is_as_promised(client: Client) -> None:
    version = client.get("/api/sessions")["version"]
    client.answer(client.new_session(), "something changed")

    with reading(client, "/api/events", after=version) as shown:
        frame = shown.until(lambda frame: frame.name == "sessions_changed")

    check_shape(SessionsChanged, frame.data)
    assert frame.id == frame.data["version"]
