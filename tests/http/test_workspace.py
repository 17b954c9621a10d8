"""A session works in a folder that a person chose, and in none that holds what is not the agent's."""

import os
from pathlib import Path

import pytest

from tests.serving import Client, ServerProcess


def test_the_folders_in_one_are_told_by_name_and_nothing_else_is(client: Client, tmp_path: Path) -> None:
    for name in ("beta", "Alpha", ".hidden", "Änderungen"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").write_text("secret")
    (tmp_path / "link").symlink_to(tmp_path / "beta")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).mkdir()

    there = client.get("/api/workspace/folders", path=str(tmp_path))

    assert there["folders"] == ["Alpha", "beta", "link", "Änderungen", ".hidden"]
    assert (there["path"], there["parent"], there["is_cut"]) == (str(tmp_path), str(tmp_path.parent), False)
    assert there["refusal"] is None
    assert client.get("/api/workspace/folders")["path"] == there["home"] == str(Path.home())
    assert client.get("/api/workspace/folders", path="/")["parent"] is None


def test_of_very_many_folders_the_first_are_told(client: Client, tmp_path: Path) -> None:
    for number in range(502):
        (tmp_path / f"{number:03}").mkdir()

    there = client.get("/api/workspace/folders", path=str(tmp_path))

    assert (there["folders"][0], there["folders"][-1], len(there["folders"])) == ("000", "499", 500)
    assert there["is_cut"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("code", 400, "folder_not_in_full"),
        ("~someone", 400, "folder_not_in_full"),
        ("", 400, "folder_not_in_full"),
        ("/no/such/folder", 404, "not_found"),
        ("/etc/hostname", 400, "bad_request"),
        ("/" + "x" * 400, 400, "bad_request"),
    ],
)
def test_what_is_no_folder_is_refused_with_a_reason(client: Client, path: str, status: int, code: str) -> None:
    session_id = client.new_session()

    looked = client.http.get("/api/workspace/folders", params={"path": path})
    chosen = client.http.post("/api/session/workspace", json={"session_id": session_id, "path": path})

    assert (looked.status_code, looked.json()["code"]) == (status, code)
    assert (chosen.status_code, chosen.json()["code"]) == (status, code)
    begun = client.http.post("/api/session/new", json={"workspace": path})
    assert (begun.status_code, begun.json()["code"]) == (status, code)


def test_a_session_works_in_the_folder_that_was_chosen_and_says_so(client: Client, tmp_path: Path) -> None:
    session_id = client.new_session()
    client.answer(session_id, "Hello")
    (tmp_path / "link").symlink_to(tmp_path)

    chosen = client.post("/api/session/workspace", session_id=session_id, path=str(tmp_path / "link"))["session"]
    stale = client.http.post(
        "/api/session/workspace", json={"session_id": session_id, "path": None, "revision": chosen["revision"] - 1}
    )
    kept = client.get("/api/session", session_id=session_id)["session"]["workspace"]
    client.post("/api/session/workspace", session_id=session_id, path=None)

    assert chosen["workspace"] == kept == str(tmp_path)
    assert stale.json()["code"] == "stale_revision"
    assert client.get("/api/session", session_id=session_id)["session"]["workspace"] is None


def test_no_session_works_in_what_holds_more_than_a_project(client: Client, server: ServerProcess) -> None:
    session_id = client.new_session()
    before = client.get("/api/session", session_id=session_id)["session"]["workspace"]

    for path in ("/", "~", str(Path.home().parent), "/proc", str(server.state_dir), str(server.state_dir / "sessions")):
        looked = client.get("/api/workspace/folders", path=path)
        ways = [
            client.http.post("/api/session/workspace", json={"session_id": session_id, "path": path}),
            client.http.post("/api/session/new", json={"workspace": path}),
            client.http.post("/api/chat/start", json={"session_id": session_id, "message": "Hi", "workspace": path}),
        ]
        assert [(one.status_code, one.json()["code"]) for one in ways] == [(403, "folder_refused")] * 3, path
        assert {one.json()["error"] for one in ways} == {looked["refusal"]}

    assert client.messages(session_id) == []
    assert client.get("/api/session", session_id=session_id)["session"]["workspace"] == before


def test_a_session_begins_in_the_folder_and_mode_that_were_chosen_before_it(client: Client, tmp_path: Path) -> None:
    begun = client.post("/api/session/new", workspace=str(tmp_path), approval_mode="read")["session"]

    assert (begun["workspace"], begun["approval_mode"]) == (str(tmp_path), "read")
