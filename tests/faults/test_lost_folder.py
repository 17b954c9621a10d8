"""A folder that goes away or may not be written any more while the server runs: nothing takes its place, all passes."""

import shutil
from pathlib import Path

import httpx2

from tests.faults.namespaces import SmallDisk
from tests.faults.rights import without_privileges
from tests.serving import Client, ServerProcess, Watcher, text_of


def changes(client: Client, old: str, blank: str) -> dict[str, httpx2.Response]:
    """One of each way to have something stored."""
    named = {"session_id": old}
    model = {"model": "scripted/script"}
    bodies = {
        "chat/start": named | model | {"message": "lost?"},
        "chat/queue": named | model | {"message": "lost?"},
        "chat/retry": named | model,
        "session/rename": named | {"title": "Lost?"},
        "session/undo": named,
        "session/branch": named,
        "session/delete": named,
        "btw": named | model | {"question": "lost?"},
        "background": named | model | {"prompt": "lost?"},
        "session/draft": named | {"text": "lost?"},
        "projects/create": {"name": "Lost?"},
        "models/default": model,
    }
    asked = {path: client.http.post(f"/api/{path}", json=body) for path, body in bodies.items()}
    first = {"session_id": blank, "message": "lost?", **model}
    return asked | {"a first message": client.http.post("/api/chat/start", json=first)}


def check_refused(answers: dict[str, httpx2.Response]) -> None:
    for path, answer in answers.items():
        assert answer.status_code == 507, f"{path}: {answer.text}"
        assert answer.json()["error"].endswith("."), path


def said(client: Client, session: str) -> list[str]:
    return [message["content"] for message in client.messages(session)]


def test_a_state_folder_that_is_gone_is_not_begun_anew(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "state") as server:
        client = server.client()
        old, blank = client.new_session(), client.new_session()
        client.answer(old, "before")
        running = client.new_session()
        watcher = Watcher(client, client.start(running, "@@pace 0.01\n@@repeat 100000 word ")["stream_id"])
        watcher.wait_for(5)
        shutil.move(server.state_dir, tmp_path / "away")

        check_refused(changes(client, old, blank))

        assert not server.state_dir.exists()
        assert said(client, old) == ["before", "before"]
        watcher.wait_for(len(watcher.seen) + 20)  # its journal was opened before, and is where the folder is now
        shutil.move(tmp_path / "away", server.state_dir)
        client.post("/api/chat/cancel", stream_id=watcher.stream_id)
        assert said(client, running)[1] == text_of(watcher.whole())
        assert client.answer(old, "after") == "after"
        assert client.answer(blank, "first") == "first"
    assert server.doctor().endswith("Nothing is wrong.\n")


def everything_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_a_server_whose_folder_was_moved_away_writes_nothing_into_that_of_another_in_its_place(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "state") as server:
        client = server.client()
        old, blank = client.new_session(), client.new_session()
        client.answer(old, "before")
        shutil.move(server.state_dir, tmp_path / "away")
        with ServerProcess(tmp_path / "state") as other:
            theirs = other.client()
            theirs.answer(session := theirs.new_session(), "of the other")
            before = everything_in(other.state_dir)

            answers = changes(client, old, blank)
            answers["delete theirs"] = client.http.post("/api/session/delete", json={"session_id": session})

            about_what_is_there = ("a first message", "projects/create", "models/default", "delete theirs")
            check_refused({name: answers.pop(name) for name in about_what_is_there})
            assert {answer.status_code for answer in answers.values()} == {404}
            assert everything_in(other.state_dir) == before
            assert said(theirs, session) == ["of the other", "of the other"]
            assert other.stop() == 0, other.log()
        assert other.doctor().endswith("Nothing is wrong.\n")
        shutil.move(tmp_path / "state", tmp_path / "of the other")
        shutil.move(tmp_path / "away", server.state_dir)
        assert client.answer(old, "after") == "after"
        assert client.answer(blank, "first") == "first"
    assert server.doctor().endswith("Nothing is wrong.\n")


def test_a_copy_in_the_place_of_a_folder_is_that_folder(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "state") as server:
        client = server.client()
        client.answer(session := client.new_session(), "before")
        shutil.move(server.state_dir, tmp_path / "away")
        shutil.copytree(tmp_path / "away", server.state_dir)

        assert client.answer(session, "after") == "after"


def test_what_is_deleted_while_its_folder_is_gone_is_not_told_as_deleted(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "state") as server:
        client = server.client()
        session = client.new_session()
        client.answer(session, "before")
        sessions = server.state_dir / "sessions"
        shutil.move(sessions, tmp_path / "away")

        refused = client.http.post("/api/session/delete", json={"session_id": session})

        assert (refused.status_code, refused.json()["code"]) == (507, "folder_gone")
        assert not sessions.exists()
        shutil.move(tmp_path / "away", sessions)
        assert said(client, session) == ["before", "before"]


def test_a_disk_that_becomes_read_only_refuses_changes_and_shows_everything(tmp_path: Path) -> None:
    with SmallDisk(tmp_path) as disk, disk.server() as server:
        client = server.client()
        old, blank = client.new_session(), client.new_session()
        client.answer(old, "before")
        state = str(disk.path / "state")
        disk.run("mount", "--bind", state, state)
        disk.run("mount", "-o", "remount,bind,ro", state)
        check_refused(changes(client, old, blank))
        assert said(client, old) == ["before", "before"]
        disk.run("umount", state)
        assert client.answer(old, "after") == "after"
        assert client.answer(blank, "first") == "first"


def test_a_folder_that_may_not_be_written_any_more_refuses_changes_and_shows_everything(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "state", wrapper=without_privileges()) as server:
        client = server.client()
        old, blank = client.new_session(), client.new_session()
        client.answer(old, "before")
        folders = [server.state_dir, *(path for path in server.state_dir.rglob("*") if path.is_dir())]
        for folder in folders:
            folder.chmod(0o500)
        check_refused(changes(client, old, blank))
        assert said(client, old) == ["before", "before"]
        for folder in folders:
            folder.chmod(0o700)
        assert client.answer(old, "after") == "after"
        assert client.answer(blank, "first") == "first"
        assert server.process.poll() is None
