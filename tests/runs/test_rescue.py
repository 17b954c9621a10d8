"""Having back what can still be read of a file that cannot be shown."""

import json
import os
from pathlib import Path

import pytest

from api.domain.events import TextDelta
from api.domain.ids import MessageId, RunId, SessionId
from api.runs.journal import Header, Journal
from api.runs.rescue import rescuable
from tests.serving import ServerProcess
from tests.sessions.conftest import Shelf

TEXTS = [f'message {number} \u00e9 "quoted" {{}}[],' for number in range(6)]
MESSAGES = [{"id": f"m{number}", "role": "user", "content": text} for number, text in enumerate(TEXTS)]
DOCUMENT = {"title": "A \u2022 title", "messages": MESSAGES}
HOPELESS = [b"", b"[]", b"5", b"\xff" * 100, b'{"messages": 5}', b'"messages": [', b'{"messages":[' + b"[" * 99_999]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    (tmp_path / "sessions").mkdir()
    return Shelf(tmp_path / "sessions")


# Bad input 61
@pytest.mark.parametrize("indent", [None, 2])
def test_of_a_file_cut_at_any_byte_every_whole_message_is_had_back(indent: int | None, shelf: Shelf) -> None:
    raw = json.dumps(DOCUMENT, indent=indent, ensure_ascii=False).encode()
    counts = []

    for end in range(len(raw)):
        shelf.put("a1.json", raw[:end])
        found = rescuable(shelf.store, shelf.folder / "no-runs", "a1.json")
        assert [one["content"] for one in found.messages] == TEXTS[: len(found.messages)]
        assert found.title in (None, DOCUMENT["title"])
        counts.append(len(found.messages))

    assert counts == sorted(counts)
    assert {*counts} == {*range(7)}


@pytest.mark.parametrize("content", HOPELESS, ids=lambda content: repr(content[:15]))
def test_where_nothing_can_be_read_nothing_is_made_up(content: bytes, shelf: Shelf) -> None:
    shelf.put("a1.json", content)

    assert rescuable(shelf.store, shelf.folder / "no-runs", "a1.json").messages == []


def test_neither_links_nor_pipes_nor_what_is_too_large_are_read(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text(json.dumps(DOCUMENT))
    (shelf.folder / "link.json").symlink_to(tmp_path / "elsewhere.json")
    os.mkfifo(shelf.folder / "pipe.json")
    shelf.put("large.json", json.dumps(DOCUMENT).encode())
    os.truncate(shelf.folder / "large.json", 1 << 30)

    for name in ("link.json", "pipe.json", "large.json", "nowhere.json"):
        assert rescuable(shelf.store, shelf.folder / "no-runs", name).messages == []


def test_a_kept_copy_and_the_journals_of_the_last_day_are_looked_through_too(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put("a1.json", b"{")
    (shelf.folder / "_older").mkdir()
    shelf.put("_older/a1.schema-0.json", DOCUMENT)
    ended = tmp_path / "runs/ended"
    ended.mkdir(parents=True)
    for run_id, session_id in (("run-1", "a1"), ("run-2", "other")):
        header = Header(
            run_id=RunId(run_id), session_id=SessionId(session_id), owner="local", message_id=MessageId("m9"),
            model="m", agent="a", started_at=1.0,
        )  # fmt: skip
        with Journal.create(ended, header) as journal:
            journal.append(TextDelta(text=f"answer of {run_id}"))

    found = rescuable(shelf.store, tmp_path / "runs", "a1.json")

    assert [one["content"] for one in found.messages] == [*TEXTS, "answer of run-1"]


def test_a_person_gets_a_session_of_it_and_the_file_stays(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "state") as server:
        client = server.client()
        session = client.new_session()
        client.answer(session, "kept")
        client.post("/api/session/rename", session_id=session, title="Mine")
        path = server.state_dir / "sessions" / f"{session}.json"
        server.stop()
        raw = path.read_bytes()
        path.write_bytes(raw[: raw.rindex(b"kept")])
        (server.state_dir / "sessions/hopeless.json").write_bytes(b"{")
    with server:
        client = server.client()
        files = {one["name"]: one["readable_messages"] for one in client.get("/api/unreadable")["files"]}
        assert files == {path.name: 2, "hopeless.json": 0}

        row = client.post("/api/unreadable/rescue", name=path.name)["session"]

        assert (row["title"], row["message_count"]) == ("Mine (recovered)", 2)
        assert [one["content"] for one in client.messages(row["session_id"])] == ["kept", "kept"]
        assert path.read_bytes() == raw[: raw.rindex(b"kept")]
        refused = client.http.post("/api/unreadable/rescue", json={"name": "hopeless.json"})
        assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_rescue")
        for name in ("../access.json", "healthy.json", "hopeless"):
            assert client.http.post("/api/unreadable/rescue", json={"name": name}).status_code == 404
