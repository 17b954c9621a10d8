"""A disk without space, or without file entries: nothing is lost, everything can be read, and it passes by itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.faults.conftest import times
from tests.faults.namespaces import SmallDisk
from tests.serving import Client, ServerProcess, Watcher, numbers_of, text_of


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with SmallDisk(tmp_path) as disk:
        yield disk


@pytest.fixture
def server(disk: SmallDisk) -> Iterator[ServerProcess]:
    with disk.server() as server:
        yield server


def send(client: Client, session: str, message: str, **more: Any) -> httpx2.Response:
    body = {"session_id": session, "message": message, "model": "scripted/script", **more}
    return client.http.post("/api/chat/start", json=body)


def said(client: Client, session: str) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in client.messages(session)]


def test_on_a_full_disk_a_message_is_refused_in_a_sentence_and_all_else_is_kept(
    disk: SmallDisk, server: ServerProcess
) -> None:
    client = server.client()
    old, blank = client.new_session(), client.new_session()
    client.answer(old, "before")
    kept = [("user", "before"), ("assistant", "before")]
    for round in range(times(4, 60, 60)):
        ballast = disk.fill()
        for session in (old, blank):
            refused = send(client, session, "too much", message_id=f"refused-{round}")
            assert (refused.status_code, refused.json()["code"]) == (507, "disk_full"), refused.text
            assert "disk is full" in refused.json()["error"]
        renamed = client.http.post("/api/session/rename", json={"session_id": old, "title": "no room for this"})
        assert (renamed.status_code, renamed.json()["code"]) == (507, "disk_full")
        assert said(client, old) == kept
        assert said(client, blank) == []
        assert (
            client.http.get("/api/session/export", params={"session_id": old}).json()["messages"][0]["content"]
            == "before"
        )
        assert [row["session_id"] for row in client.get("/api/sessions")["sessions"]] == [old]
        ballast.unlink()
        assert client.answer(old, f"room again {round}") == f"room again {round}"
        kept += [("user", f"room again {round}"), ("assistant", f"room again {round}")]
        assert said(client, old) == kept
    assert server.doctor().endswith("Nothing is wrong.\n")


def test_on_a_full_disk_nothing_is_attached_and_what_is_typed_stays(disk: SmallDisk, server: ServerProcess) -> None:
    client = server.client()
    session = client.new_session()
    kept = client.attach(session, b"kept", "kept.txt")["id"]
    client.post("/api/session/draft", session_id=session, text="look", attachments=[kept])
    place = server.seen_at / "attachments"
    for round in range(times(2, 20, 20)):
        ballast = disk.fill()
        for data in (b"small", b"x" * 3_000_000):
            refused = client.upload(session, data)
            assert (refused.status_code, refused.json()["code"]) == (507, "disk_full"), refused.text
        refused = send(client, session, "look", attachments=[kept])
        assert (refused.status_code, refused.json()["code"]) == (507, "disk_full")
        draft = client.get("/api/session", session_id=session)["draft"]
        assert (draft["text"], [one["id"] for one in draft["attachments"]]) == ("look", [kept])
        assert sorted(path.name for path in place.rglob("*")) == sorted([session, kept, f"{kept}.json"]), round
        ballast.unlink()
    assert client.answer(session, "look", attachments=[kept]).endswith("look")
    assert server.doctor().endswith("Nothing is wrong.\n")


def test_a_session_can_be_deleted_and_restored_on_a_full_disk(disk: SmallDisk, server: ServerProcess) -> None:
    client = server.client()
    sessions = [client.new_session() for _ in range(2)]
    for session in sessions:
        client.answer(session, "hello")
    disk.fill()
    client.post("/api/session/delete", session_id=sessions[0])
    assert [row["session_id"] for row in client.get("/api/sessions")["sessions"]] == [sessions[1]]
    client.post("/api/session/restore", session_id=sessions[0])
    assert said(client, sessions[0]) == [("user", "hello"), ("assistant", "hello")]


def test_an_answer_stops_when_the_disk_is_full_and_keeps_every_word_that_was_shown(
    disk: SmallDisk, server: ServerProcess
) -> None:
    client, session, shown = server.client(), "", ""
    for _ in range(times(6, 80, 80)):
        session = client.new_session()
        watcher = Watcher(client, client.start(session, "@@pace 0.002\n@@repeat 100000 word ")["stream_id"])
        watcher.wait_for(20)
        ballast = disk.fill()
        frames = watcher.whole()
        assert (frames[-1].name, frames[-1].data["code"]) == ("apperror", "disk_full")
        assert frames[-1].data["message"] and frames[-1].data["hint"]
        numbers = numbers_of(frames)
        assert numbers == list(range(1, len(numbers) + 1))
        shown = text_of(frames)
        assert said(client, session)[1:] == [("assistant", shown)]
        ballast.unlink()
        go_on = client.post(
            "/api/chat/cancel", stream_id=client.post("/api/chat/continue", session_id=session)["stream_id"]
        )
        assert go_on["ok"]
        assert said(client, session)[1] == ("assistant", shown)
    server.kill()
    server.start()
    assert said(server.client(), session)[1] == ("assistant", shown)


# Bad input 78
def test_a_server_starts_on_a_full_disk_and_shows_what_a_killed_one_left(
    disk: SmallDisk, server: ServerProcess
) -> None:
    client = server.client()
    session = client.new_session()
    watcher = Watcher(client, client.start(session, "@@pace 0.002\n@@repeat 100000 word ")["stream_id"])
    watcher.wait_for(20)
    server.kill()
    shown = text_of(watcher.whole())
    ballast = disk.fill()
    server.start()
    client = server.client()
    recovered = said(client, session)[1][1]
    assert recovered.startswith(shown)
    assert send(client, session, "more").json()["code"] == "disk_full"
    ballast.unlink()
    assert client.answer(session, "thank you") == "thank you"
    assert said(client, session)[1:] == [("assistant", recovered), ("user", "thank you"), ("assistant", "thank you")]


def test_a_disk_without_file_entries_is_told_from_a_full_one(tmp_path: Path) -> None:
    with SmallDisk(tmp_path, inodes=200) as disk, disk.server() as server:
        client = server.client()
        session = client.new_session()
        client.answer(session, "before")
        taken = disk.take_all_entries()
        for name in (session, client.new_session()):
            refused = send(client, name, "too many")
            assert (refused.status_code, refused.json()["code"]) == (507, "disk_full")
            assert "file entries" in refused.json()["error"]
        assert said(client, session) == [("user", "before"), ("assistant", "before")]
        for path in taken:
            path.unlink()
        assert client.answer(session, "after") == "after"
