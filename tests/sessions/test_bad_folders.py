"""Folders that hold what should not be there: the server starts, shows all else, names it, and leaves it as it was."""

import json
import os
import re
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.domain.events import RunEnded, TextDelta
from api.domain.ids import MessageId, RunId, SessionId
from api.runs.journal import Header, Journal
from tests.faults.test_refused_starts import refusal
from tests.serving import Client, ServerProcess

MESSAGE = {"id": "m1", "role": "user", "content": "hello", "timestamp": 1_760_000_000.0}
SAID = {"messages": [MESSAGE], "schema": 1}
Maker = Callable[[Path], object]


def holding(content: bytes | str | dict[str, Any]) -> Maker:
    raw = (
        content
        if isinstance(content, bytes)
        else (content if isinstance(content, str) else json.dumps(content)).encode()
    )
    return lambda path: path.write_bytes(raw)


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 31)


def bound_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the address of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


UNREADABLE: dict[str, tuple[Maker, str]] = {
    "empty": (holding(b""), "empty"),
    "one-byte": (holding(b"{"), "not valid JSON"),
    "cut-in-text": (holding(b'{"messages": [{"role": "user", "content": "he'), "not valid JSON"),
    "cut-in-letter": (holding('{"messages": [{"role": "user", "content": "é'.encode()[:-1]), "not valid JSON"),
    "garbage-after": (holding(b'{"messages": []}]]'), "not valid JSON"),
    "zeros": (holding(bytes(4096)), "not valid JSON"),
    "list": (holding("[]"), "no list of messages"),
    "null": (holding("null"), "no list of messages"),
    "number": (holding("5"), "no list of messages"),
    "messages-object": (holding('{"messages": {"0": {}}}'), "no list of messages"),
    "role-missing": (holding('{"messages": [{"content": "hi"}]}'), "who wrote it"),
    "content-number": (holding('{"messages": [{"role": "user", "content": 5}]}'), "neither text nor"),
    "id-of-another": (holding({**SAID, "session_id": "healthy"}), "session 'healthy'"),
    "utf-16": (holding('{"messages": []}'.encode("utf-16")), "not valid JSON"),
    "latin-1": (holding('{"messages": [], "title": "Käse"}'.encode("latin-1")), "not valid JSON"),
    "nan": (holding('{"messages": [], "created_at": NaN}'), "NaN"),
    "deep": (holding(b'{"messages": [' + b"[" * 100_000), "not valid JSON"),
    "two-gigabytes": (sparse, "larger than"),
    "link-out": (lambda path: path.symlink_to("/etc/passwd"), "a link"),
    "link-in": (lambda path: path.symlink_to("healthy.json"), "a link"),
    "link-nowhere": (lambda path: path.symlink_to("nowhere.json"), "a link"),
    "link-loop": (lambda path: path.symlink_to("link-loop.json"), "a link"),
    "folder": (lambda path: path.mkdir(), "a folder"),
    "pipe": (lambda path: os.mkfifo(path), "a pipe"),
    "socket": (bound_socket, "socket"),
}

READABLE: dict[str, dict[str, Any]] = {
    "Case": SAID,
    "case": SAID,
    "ids-twice": {"messages": [{"id": "m", "role": "user", "content": text} for text in ("one", "two")]},
    **{
        f"time-{number}": {"created_at": time, "updated_at": time, "messages": [{**MESSAGE, "timestamp": time}]}
        for number, time in enumerate((1e20, -1, "2024-05-01", None, True, 4_200_000_000, [1], {}, 2**63))
    },
}  # fmt: skip

IGNORED = (
    "_index.json", "_notes.json", ".hidden.json", "x.json~", ".x.json.swp", "x (1).json", "x.sync-conflict-2024.json",
    "x (conflicted copy).json", ".DS_Store", "Thumbs.db", "x.json.bak", "4913",
)  # fmt: skip

WORDS = ["one ", "two ", "three "]


def journal(path: Path, *, ended: bool = False) -> None:
    run_id = RunId(path.stem)
    header = Header(
        run_id=run_id,
        session_id=SessionId(f"of-{path.stem}"),
        owner="local",
        message_id=MessageId("m1"),
        model="scripted/script",
        agent="scripted",
        started_at=1_760_000_000.0,
    )
    with Journal.create(path.parent, header) as made:
        for word in WORDS:
            made.append(TextDelta(text=word))
        if ended:
            made.append(RunEnded(outcome="done"))


def without_newline(path: Path) -> None:
    journal(path)
    os.truncate(path, path.stat().st_size - 1)


def with_line_changed(path: Path) -> None:
    journal(path)
    path.write_bytes(path.read_bytes().replace(b"two", b"TWO"))


def with_lines_of_another(path: Path) -> None:
    journal(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], *lines]))


def with_zeros_at_its_end(path: Path) -> None:
    journal(path)
    os.truncate(path, 1 << 30)


def without_beginning(path: Path) -> None:
    journal(path)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))


def ending_alone(path: Path) -> None:
    journal(path, ended=True)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[-1])


def as_folder(path: Path) -> None:
    path.mkdir()


JOURNALS: dict[str, tuple[Maker | None, str | None, str]] = {
    "whole": (journal, "one two three ", "interrupted"),
    "ended": (lambda path: journal(path, ended=True), "one two three ", "done"),
    "without-newline": (without_newline, "one two ", "interrupted"),
    "line-changed": (with_line_changed, "one ", "interrupted"),
    "lines-of-another": (with_lines_of_another, "one two ", "interrupted"),
    "zeros-at-its-end": (with_zeros_at_its_end, "one two three ", "interrupted"),
    "without-beginning": (without_beginning, None, "interrupted"),
    "ending-alone": (ending_alone, None, "interrupted"),
    "empty": (holding(b""), None, "interrupted"),
    "not-there": (None, None, "interrupted"),
    "folder": (as_folder, None, "interrupted"),
}
"""How a journal is made, what of its answer counts, and how the answer ended."""


@dataclass
class Pile:
    """A server that started on a folder with all of it. `before`: what lay in `sessions/`, by name."""

    server: ServerProcess
    client: Client
    before: dict[str, bytes | str]


def state_of(folder: Path) -> dict[str, bytes | str]:
    """The plain files there with their content, of large and other ones what they are."""
    return {
        path.name: path.read_bytes() if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 20
        else f"{path.lstat().st_mode} {path.lstat().st_size if not path.is_dir() else ''}"
        for path in folder.iterdir()
    }  # fmt: skip


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pile]:
    state = tmp_path_factory.mktemp("pile") / "state"
    sessions, runs = state / "sessions", state / "runs"
    sessions.mkdir(parents=True)
    runs.mkdir()
    holding(SAID)(sessions / "healthy.json")
    for name, (make, _) in UNREADABLE.items():
        make(sessions / f"{name}.json")
    for name, document in READABLE.items():
        holding(document)(sessions / f"{name}.json")
    for name in IGNORED:
        holding(SAID)(sessions / name)
    holding({**SAID, "schema": 999, "from_the_future": {"kept": True}})(sessions / "newer.json")
    for name, (make, _, _) in JOURNALS.items():
        document = {**SAID, "active_stream_id": f"run-{name}", "model": "scripted/script"}
        holding(document)(sessions / f"of-run-{name}.json")
        if make is not None:
            make(runs / f"run-{name}.jsonl")
    before = state_of(sessions)
    with ServerProcess(state) as server:
        yield Pile(server, server.client(), before)
        server.stop()


def test_everything_that_is_well_is_listed_and_nothing_else(pile: Pile) -> None:
    rows = pile.client.get("/api/sessions", limit=200)["sessions"]

    found = {row["session_id"] for row in rows}
    assert found == {"healthy", "newer", *READABLE, *(f"of-run-{name}" for name in JOURNALS)}
    assert pile.client.get("/health")["status"] == "ok"


# Bad inputs 61, 62, 63, 66, 67, 68, 69
@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_named_with_its_reason_refused_and_left(name: str, pile: Pile) -> None:
    files = {one["name"]: one for one in pile.client.get("/api/unreadable")["files"]}
    listed = files[f"{name}.json"]

    assert UNREADABLE[name][1] in listed["reason"]
    assert listed["reason"].endswith(".")
    for method, path, body in (
        ("GET", f"/api/session?session_id={name}", None),
        ("POST", "/api/session/rename", {"session_id": name, "title": "Mine"}),
        ("POST", "/api/chat/start", {"session_id": name, "message": "hello", "model": "scripted/script"}),
    ):
        refused = pile.client.http.request(method, path, json=body)
        assert (refused.status_code, refused.json()["code"]) in (
            (409, "session_unreadable"),
            (404, "session_not_found"),
        )
    download = (
        pile.client.http.get("/api/unreadable/file", params={"name": f"{name}.json"})
        if name != "two-gigabytes"
        else None
    )
    if download is not None:
        assert (download.status_code == 200) == listed["can_download"]
    assert state_of(pile.server.state_dir / "sessions")[f"{name}.json"] == pile.before[f"{name}.json"]


# Bad inputs 64, 65, 70
@pytest.mark.parametrize("name", READABLE)
def test_what_is_odd_but_can_be_read_is_shown(name: str, pile: Pile) -> None:
    session = pile.client.get("/api/session", session_id=name)["session"]

    assert [one["content"] for one in session["messages"]] == [one["content"] for one in READABLE[name]["messages"]]
    assert len({one["id"] for one in session["messages"]}) == len(session["messages"])
    if name.startswith("time-"):
        assert (session["created_at"], session["updated_at"]) == (0.0, 0.0)


# Bad input 72
def test_what_editors_and_sync_programs_leave_is_neither_shown_nor_touched(pile: Pile) -> None:
    listed = {one["name"] for one in pile.client.get("/api/unreadable")["files"]}
    now = state_of(pile.server.state_dir / "sessions")

    assert not listed & {*IGNORED}
    assert {name: now[name] for name in IGNORED} == {name: pile.before[name] for name in IGNORED}


# Bad input 73
def test_a_document_of_a_newer_version_is_shown_and_never_written(pile: Pile) -> None:
    assert [one["content"] for one in pile.client.messages("newer")] == ["hello"]
    for path, body in (
        ("/api/session/rename", {"title": "Mine"}),
        ("/api/session/pin", {"pinned": True}),
        ("/api/session/clear", {}),
        ("/api/chat/start", {"message": "hello", "model": "scripted/script"}),
    ):
        refused = pile.client.http.post(path, json={"session_id": "newer", **body})
        assert (refused.status_code, refused.json()["code"]) == (409, "newer_schema"), path

    assert state_of(pile.server.state_dir / "sessions")["newer.json"] == pile.before["newer.json"]
    assert pile.client.get("/api/trash")["items"] == []


# Bad inputs 74, 75
@pytest.mark.parametrize("name", JOURNALS)
def test_a_journal_gives_what_stands_before_its_damage_and_its_session_goes_on(name: str, pile: Pile) -> None:
    _, text, outcome = JOURNALS[name]
    messages = pile.client.messages(f"of-run-{name}")

    assert messages[0]["content"] == "hello"
    assert [(one["content"] or None, one["outcome"]) for one in messages[1:]] == [(text, outcome)]
    assert pile.client.answer(f"of-run-{name}", "and now") == "and now"


# Bad input 69
def test_nothing_of_it_takes_much_memory(pile: Pile) -> None:
    if sys.platform != "linux":
        pytest.skip("what a process takes is told by /proc, which is of Linux")
    status = Path(f"/proc/{pile.server.process.pid}/status").read_text()
    peak = int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) >> 10

    assert peak < 512, "megabytes: something was read as a whole"


def test_doctor_names_all_that_is_wrong(pile: Pile) -> None:
    said = pile.server.doctor()

    assert not [name for name in UNREADABLE if f"! {name}.json is set aside" not in said]
    assert "ids-twice holds 2 messages" in said
    for name in ("without-beginning", "ending-alone"):
        assert f"run-{name}.jsonl was set aside" in said


# The folder itself.


# Bad input 78
def test_a_folder_that_holds_everything_else_is_not_taken_for_the_state_folder(tmp_path: Path) -> None:
    before = sorted(Path("/").iterdir())

    assert "--state-dir" in refusal(ServerProcess(Path("/")))
    assert sorted(Path("/").iterdir()) == before


# Bad input 78
def test_a_folder_that_is_not_there_is_made_for_its_owner_alone_and_a_link_to_one_is_followed(tmp_path: Path) -> None:
    real = tmp_path / "some/where"
    server = ServerProcess(tmp_path / "link")
    server.state_dir.symlink_to(real, target_is_directory=True)
    real.mkdir(parents=True)

    with server:
        server.client().answer(server.client().new_session(), "hello")

    assert len(list((real / "sessions").glob("*.json"))) == 1
    assert {path.stat().st_mode & 0o077 for path in real.rglob("*")} == {0}


# Bad input 77
@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to("/etc/passwd")], ids=["folder", "link"])
def test_a_lock_that_is_no_file_is_said_and_left(make: Maker, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    make(tmp_path / "state/lock")

    assert str(tmp_path / "state") in refusal(ServerProcess(tmp_path / "state"))
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["lock"]


# Bad input 77
def test_a_disk_that_cannot_lock_is_said(tmp_path: Path) -> None:
    if not shutil.which("strace"):
        pytest.skip("this needs strace")
    wrapper = ("strace", "-f", "-o", "/dev/null", "-e", "trace=flock", "-e", "inject=flock:error=ENOLCK")

    said = refusal(ServerProcess(tmp_path / "state", wrapper=wrapper))

    assert "cannot lock files" in said


# Bad input 71
def test_secrets_that_others_may_read_are_closed_to_them_at_the_start(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "state") as server:
        server.stop()
    for name in ("access.json", "secrets.json"):
        (server.state_dir / name).write_text("{}")
        (server.state_dir / name).chmod(0o666)

    with server:
        assert "were_open_to_others" in server.log()
    for name in ("access.json", "secrets.json"):
        assert (server.state_dir / name).stat().st_mode & 0o777 == 0o600
