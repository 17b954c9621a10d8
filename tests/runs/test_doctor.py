"""The examination of a folder: it finds what is wrong, and `--fix` moves it aside and loses nothing."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from api.cli import main
from api.sessions.disk.quarantine import stamp_of
from api.sessions.finding.index import stamp_text
from tests.serving import ServerProcess

KEPT = "c" * 32


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bit of everything, its server stopped."""
    folder = tmp_path_factory.mktemp("healthy") / "state"
    with ServerProcess(folder) as server:
        client = server.client()
        client.post("/api/session/import", session_id=KEPT, messages=[{"role": "user", "content": "kept words"}])
        talked, deleted = client.new_session(), client.new_session()
        client.answer(talked, "hello", attachments=[client.attach(talked, b"notes", "notes.txt")["id"]])
        client.answer(deleted, "hello")
        client.post("/api/session/delete", session_id=deleted)
        client.post("/api/session/draft", session_id=talked, text="half")
        client.post("/api/projects/create", name="Garden")
        server.stop()
    return folder


class Doctor(Protocol):
    """The command, as it is typed: gives the exit code, what it says, and what it says on standard error."""

    def __call__(self, folder: Path, *words: str) -> tuple[int, str, str]: ...


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Doctor:
    def examine(folder: Path, *words: str) -> tuple[int, str, str]:
        code = main(["doctor", *words, "--state-dir", str(folder)])
        return code, *capsys.readouterr()

    return examine


def put(name: str, content: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)

    return damage


def rewrite(change: Callable[[dict[str, object]], None]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / f"sessions/{KEPT}.json"
        document = json.loads(path.read_bytes())
        change(document)
        path.write_text(json.dumps(document))

    return damage


def say_twice(document: dict[str, object]) -> None:
    document["messages"] = [{"id": "m", "role": "user", "content": "kept words"}, {"id": "m", "role": "user"}]


def name_what_is_gone(document: dict[str, object]) -> None:
    gone = {"id": "att-gone", "name": "notes.txt", "media_type": "text/plain", "size": 5}
    document["messages"] = [{"id": "m", "role": "user", "content": "kept words", "attachments": [gone, "of others"]}]


def back_from_the_trash(folder: Path) -> None:
    (path,) = (folder / "sessions/_trash").glob("[!_]*.json")
    shutil.copy(path, folder / "sessions" / path.name)


def half_removed(folder: Path) -> None:
    (path,) = (folder / "sessions/_trash").glob("[!_]*.json")
    path.with_suffix(".gone").write_text("{}")


def index_that_lies(folder: Path) -> None:
    connection = sqlite3.connect(folder / "sessions/_index.db")
    with connection:
        connection.execute("UPDATE message SET message_id = message_id || 'x'")
        for path in (folder / "sessions").glob("[!_]*.json"):  # as if it had read the documents as they are now
            values = stamp_text(stamp_of(path.stat())), path.stem
            connection.execute("UPDATE session SET stamp=? WHERE session_id=?", values)
    connection.close()


def open_to_all(folder: Path) -> None:
    (folder / "secrets.json").write_text("{}")
    (folder / "secrets.json").chmod(0o644)


DAMAGES: dict[str, tuple[Callable[[Path], None], str, bool]] = {
    "unreadable document": (put("sessions/bad.json", "{"), "bad.json is set aside", True),
    "deleted and back": (back_from_the_trash, "This session was deleted", True),
    "half removed": (half_removed, "removed for good", False),
    "unreadable in the trash": (put("sessions/_trash/bad.json", "{"), "bad in the trash", False),
    "stranger in the trash": (put("sessions/_trash/what.1.json", "{}"), "what.1.json", False),
    "message ids twice": (rewrite(say_twice), "2 messages with the id m", False),
    "attachment that is gone": (rewrite(name_what_is_gone), "names what is not there any more: notes.txt", False),
    "odd revision": (rewrite(lambda one: one.update(revision=-3)), "revision '-3'", False),
    "run without a journal": (rewrite(lambda one: one.update(active_stream_id="run-1")), "has no journal", False),
    "unreadable journal": (put("runs/run-bad.jsonl", "x"), "run-bad.jsonl cannot be read", True),
    "unreadable ended journal": (put("runs/ended/run-old.jsonl", "x"), "ended/run-old.jsonl", False),
    "unreadable settings": (put("projects.json", "[]"), "projects.json cannot be read", True),
    "unreadable draft": (put("drafts/d.json", "{"), "drafts/d.json cannot be read", True),
    "unreadable queue": (put("queue/q.json", "nothing"), "queue/q.json cannot be read", True),
    "left half-written": (put("sessions/.a.json.4194999.0123456789abcdef.tmp", "half"), "half-written", True),
    "index that lies": (index_that_lies, "The index is wrong about", True),
    "index that is none": (put("sessions/_index.db", "of another program"), "index cannot be used", True),
    "secrets open to all": (open_to_all, "can be read by others", False),
    "newer format": (put("format.json", '{"format": 99}'), "newer version", False),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_what_is_wrong_is_found_and_mending_loses_nothing(
    kind: str, healthy: Path, tmp_path: Path, doctor: Doctor
) -> None:
    damage, words, is_mended = DAMAGES[kind]
    folder = tmp_path / "state"
    shutil.copytree(healthy, folder)  # with the times and not the inodes: the index is behind, which is no problem
    damage(folder)
    before = contents(folder)

    code, found, _ = doctor(folder)
    untouched = contents(folder)
    code_of_fix, mended, _ = doctor(folder, "--fix")

    assert (code, words in found) == (1, True), found
    assert untouched == before
    if kind == "newer format":
        assert (code_of_fix, contents(folder)) == (2, before)
        return
    assert (words not in mended.partition("can be read.")[2]) == is_mended, mended
    assert {*before.values()} - {*contents(folder).values()} == set(), "something is gone"


def contents(folder: Path) -> dict[str, bytes]:
    """Everything but what is derived, and the lock."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if "_index" not in name and name != "lock"}


def test_a_healthy_folder_has_nothing_wrong_with_it_and_stays_as_it_is(healthy: Path, doctor: Doctor) -> None:
    before = {path: path.read_bytes() for path in healthy.rglob("*") if path.is_file()}

    code, found, _ = doctor(healthy)

    assert (code, found.splitlines()[-1]) == (0, "Nothing is wrong.")
    assert {path: path.read_bytes() for path in healthy.rglob("*") if path.is_file()} == before


def test_nothing_is_mended_under_a_running_server(tmp_path: Path, doctor: Doctor) -> None:
    with ServerProcess(tmp_path / "state") as server:
        (server.state_dir / "sessions/bad.json").write_text("{")
        code, _, why = doctor(server.state_dir, "--fix")
        assert (code, str(server.process.pid) in why) == (2, True)
        assert (server.state_dir / "sessions/bad.json").read_text() == "{"
