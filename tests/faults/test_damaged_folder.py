"""A folder that was damaged while no server ran: the next start is healthy, shows all else and deletes nothing."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import Dice, times
from tests.serving import Client, ServerProcess, Watcher, text_of

Damage = Callable[[Path, random.Random], None]


def cut(path: Path, dice: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: dice.randrange(len(data))])


def flip(path: Path, dice: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


def blank(path: Path, dice: random.Random) -> None:
    data = bytearray(path.read_bytes())
    start = dice.randrange(len(data))
    data[start : start + 4096] = bytes(len(data[start : start + 4096]))
    path.write_bytes(data)


def scribble(path: Path, dice: random.Random) -> None:
    path.write_bytes(dice.randbytes(dice.randrange(1, 5000)))


DAMAGES = (cut, flip, blank, scribble)


def said(client: Client, session: str) -> list[str]:
    return [message["content"] for message in client.messages(session)]


@pytest.fixture
def server(tmp_path: Path) -> ServerProcess:
    return ServerProcess(tmp_path / "state")


def all_files(folder: Path) -> set[bytes]:
    return {path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_journal_that_is_damaged_gives_what_stood_before_the_damage(server: ServerProcess, dice: Dice) -> None:
    server.start()
    healthy = server.client().new_session()
    server.client().answer(healthy, "hello")
    for round in range(times(3, 200, 500)):
        client = server.client()
        runs = []
        whole = " ".join(f"{round}.{number}" for number in range(3000))
        for damage in DAMAGES:
            session = client.new_session()
            watcher = Watcher(client, client.start(session, f"@@pace 0.002\n@@text {whole}")["stream_id"])
            watcher.wait_for(dice.randrange(5, 40))
            runs.append((session, watcher, damage))
        server.kill()
        for _, watcher, damage in runs:
            damage(server.state_dir / "runs" / f"{watcher.stream_id}.jsonl", dice)
        server.start()
        client = server.client()
        assert said(client, healthy) == ["hello", "hello"]
        for session, watcher, _ in runs:
            messages = client.messages(session)
            assert len(messages) == 2
            assert whole.startswith(messages[1]["content"])
            assert whole.startswith(text_of(watcher.whole()))
            assert messages[1]["outcome"] == "interrupted"
            assert client.answer(session, "and now") == "and now"
    unreadable = list((server.state_dir / "runs" / "unreadable").glob("*"))
    doctor = server.doctor()
    assert unreadable, "no journal lost its head: nothing was tried"
    assert all(path.name in doctor for path in unreadable)
    server.stop()


def test_a_damaged_document_is_named_and_kept_and_the_others_are_shown(server: ServerProcess, dice: Dice) -> None:
    with server:
        client = server.client()
        sessions = [client.new_session() for _ in range(2 * len(DAMAGES))]
        for session in sessions:
            client.answer(session, f"hello {session}")
    damaged = dict(zip(sessions, DAMAGES, strict=False))
    contents = {}
    for session, damage in damaged.items():
        path = server.state_dir / "sessions" / f"{session}.json"
        damage(path, dice)
        contents[session] = path.read_bytes()
    with server:
        client = server.client()
        assert client.get("/health")["status"] == "ok"
        for session in sessions:
            if session not in damaged:
                assert said(client, session) == [f"hello {session}"] * 2
                continue
            opened = client.http.get("/api/session", params={"session_id": session})
            # A flipped bit in a letter leaves a document that can be read, and it is.
            assert opened.status_code == 200 or "left untouched" in opened.json()["error"]
            assert opened.status_code == 200 or session in server.doctor()
        assert client.answer(client.new_session(), "still well") == "still well"
        assert set(contents.values()) <= all_files(server.state_dir)


def test_every_other_file_may_be_damaged(server: ServerProcess, dice: Dice) -> None:
    with server:
        client = server.client()
        session = client.new_session()
        client.answer(session, "hello")
    others = ("access.json", "server.json", "providers.json", "secrets.json", "sessions/_index.db", "lock")
    for damage in (scribble, cut, flip)[: times(2, 3, 3)]:
        for path in (server.state_dir / name for name in others):
            path.write_bytes((path.read_bytes() if path.exists() else b"") or b"{}")
            damage(path, dice)
        with server:
            client = server.client()
            assert said(client, session) == ["hello", "hello"]
            listed = client.get("/api/sessions")["sessions"]
            assert [row["session_id"] for row in listed] == [session]


def test_what_killed_writers_left_half_written_is_swept(server: ServerProcess) -> None:
    with server:
        server.client().answer(server.client().new_session(), "hello")
    # No process has this number: Linux counts to 4194304 at most.
    temp = ".some.json.4194999.0123456789abcdef.tmp"
    left = [server.state_dir / temp, server.state_dir / "sessions" / temp]
    for path in left:
        path.write_bytes(b"half")
    assert all(str(path) in server.doctor() for path in left)
    with server:
        assert server.doctor().endswith("Nothing is wrong.\n")
    assert not any(path.exists() for path in left)


def test_a_folder_in_the_place_of_a_file_is_no_obstacle_to_the_rest(server: ServerProcess) -> None:
    with server:
        client = server.client()
        session = client.new_session()
        client.answer(session, "hello")
    (server.state_dir / "runs" / "run-odd.jsonl").mkdir()
    (server.state_dir / "sessions" / "odd.json").mkdir()
    with server:
        assert said(server.client(), session) == ["hello", "hello"]
        assert "run-odd.jsonl" in server.doctor()
