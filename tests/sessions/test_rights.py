"""Files and folders that the server may not use as its own: named, left, and no obstacle to the rest."""

import json
from pathlib import Path

import pytest

from tests.faults.rights import give_away, without_privileges
from tests.faults.test_refused_starts import refusal
from tests.serving import Client, ServerProcess

SAID = {"id": "m1", "role": "user", "content": "hello", "timestamp": 1_760_000_000.0}


def session(state: Path, name: str, mode: int) -> Path:
    path = state / f"sessions/{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"messages": [SAID], "schema": 1}))
    path.chmod(mode)
    return path


def check_refused_and_left(client: Client, path: Path) -> None:
    before = path.stat()
    [listed] = [one for one in client.get("/api/unreadable")["files"] if one["name"] == path.name]
    assert (listed["reason"], listed["can_download"]) == ("Permission denied.", False)
    assert client.http.get("/api/unreadable/file", params={"name": path.name}).status_code == 404
    for way, body in (("session/rename", {"title": "Mine"}), ("chat/start", {"message": "hello"})):
        refused = client.http.post(f"/api/{way}", json={"session_id": path.stem, **body})
        assert (refused.status_code, refused.json()["code"]) == (409, "session_unreadable")
    assert path.stat() == before


# Bad input 71
def test_a_session_that_may_not_be_read_is_named_and_left_and_the_others_are_shown(tmp_path: Path) -> None:
    state = tmp_path / "state"
    session(state, "healthy", 0o600)
    closed, opened = session(state, "closed", 0o000), session(state, "open", 0o666)

    with ServerProcess(state, wrapper=without_privileges()) as server:
        client = server.client()
        assert {row["session_id"] for row in client.get("/api/sessions")["sessions"]} == {"healthy", "open"}
        check_refused_and_left(client, closed)
        client.post("/api/session/rename", session_id="open", title="Closed")
        assert opened.stat().st_mode & 0o777 == 0o600
        assert "! closed.json is set aside: Permission denied." in server.doctor()


# Bad input 71
def test_a_session_of_another_user_is_shown_where_it_may_be_read_and_named_where_not(tmp_path: Path) -> None:
    state = tmp_path / "state"
    lent, theirs = session(state, "lent", 0o644), session(state, "theirs", 0o600)
    for path in (lent, theirs):
        give_away(path)

    with ServerProcess(state, wrapper=without_privileges()) as server:
        client = server.client()
        assert [message["content"] for message in client.messages("lent")] == ["hello"]
        assert client.answer("lent", "and on") == "and on"
        check_refused_and_left(client, theirs)


# Bad input 71
@pytest.mark.parametrize("name", ["access.json", "secrets.json"])
def test_a_secret_that_others_may_read_and_that_is_not_ours_is_not_used(name: str, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    secret = tmp_path / "state" / name
    secret.write_text("{}")
    secret.chmod(0o666)
    give_away(secret)

    said = refusal(ServerProcess(tmp_path / "state", wrapper=without_privileges()))

    assert str(secret) in said
    assert (secret.read_text(), secret.stat().st_mode & 0o777) == ("{}", 0o666)


# Bad input 71
@pytest.mark.parametrize("name", ["sessions", "sessions/_trash", "runs", "queues", "drafts"])
def test_a_folder_of_ours_that_may_not_be_used_is_named_before_anything_is_begun(name: str, tmp_path: Path) -> None:
    closed = tmp_path / "state" / name
    closed.mkdir(parents=True)
    closed.chmod(0o000)

    said = refusal(ServerProcess(tmp_path / "state", wrapper=without_privileges()))

    assert str(closed) in said
    closed.chmod(0o700)


# Bad input 71
@pytest.mark.parametrize("kind", ["queues", "drafts"])
def test_a_queue_or_a_draft_that_may_not_be_read_is_set_aside_and_its_session_goes_on(
    kind: str, tmp_path: Path
) -> None:
    server = ServerProcess(tmp_path / "state", wrapper=without_privileges()).start()
    client = server.client()
    client.start(session_id := client.new_session(), "@@text Busy.\n@@hang")
    client.post("/api/chat/queue", session_id=session_id, message="waits")
    client.post("/api/session/draft", session_id=session_id, text="half")
    server.kill()
    [path] = (server.state_dir / kind).iterdir()
    path.chmod(0o000)

    with server:
        client = server.client()
        assert client.get("/api/session", session_id=session_id)["session"]["message_count"] == 2
        assert client.answer(session_id, "and on") == "and on"
    [aside] = (server.state_dir / kind / "quarantine").iterdir()
    aside.chmod(0o600)
    assert ("waits" if kind == "queues" else "half") in aside.read_text()
