"""Files that others wrote: opened as they are, or set aside with the reason, never half-loaded."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from api.sessions.disk.loading import SessionNotFound, SessionUnreadable
from tests.sessions.conftest import Shelf

ECOSYSTEM = {
    "session_id": "20240501_a1",
    "title": None,
    "workspace": "/home/me/project",
    "model": "openai/gpt-4o",
    "messages": [
        {
            "role": "user",
            "content": [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "x"}}],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "function": {"name": "ls", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "a.txt", "_ts": 1714560002},
        {"role": "assistant", "content": "Done.", "timestamp": 1714560003.25, "reasoning": "hm"},
    ],
    "created_at": 1714560000.5,
    "updated_at": 1714560003.75,
    "pinned": True,
    "archived": False,
    "project_id": None,
    "profile": "default",
    "input_tokens": 12,
    "output_tokens": 34,
    "estimated_cost": 0.00123,
    "personality": "dry",
    "pending_attachments": [],
    "tool_calls": [{"name": "ls"}],
    "gateway_routing": {"via": ["a", "b"]},
}

UNREADABLE = {
    "empty": b"",
    "nuls": b"\0" * 4096,
    "cut": b'{"messages": [{"role": "us',
    "trailing": b'{"messages": []}garbage',
    "utf16": '{"messages": []}'.encode("utf-16"),
    "bom": b'\xef\xbb\xbf{"messages": []}',
    "not-utf8": b'{"messages": [], "title": "\xff"}',
    "nan": b'{"messages": [], "estimated_cost": NaN}',
    "deep": b'{"messages": [' + b"[" * 100_000,
    "list": b"[]",
    "null": b"null",
    "number": b"5",
    "no-messages": b'{"title": "x"}',
    "messages-object": b'{"messages": {}}',
    "message-text": b'{"messages": ["hi"]}',
    "role-missing": b'{"messages": [{"content": "hi"}]}',
    "role-number": b'{"messages": [{"role": 1, "content": "hi"}]}',
    "content-number": b'{"messages": [{"role": "user", "content": 5}]}',
    "other-id": b'{"session_id": "somebody", "messages": []}',
    "title-number": b'{"title": 5, "messages": []}',
    "owner-list": b'{"owner": [], "messages": []}',
}


def test_a_document_of_the_ecosystem_opens_and_saves_without_losing_a_field(shelf: Shelf) -> None:
    path = shelf.put("20240501_a1.json", ECOSYSTEM)

    session = shelf.store.get("20240501_a1")
    row = session.row()
    session.save()

    after = json.loads(path.read_bytes())
    for name, value in ECOSYSTEM.items():
        if name not in ("title", "messages", "updated_at"):
            assert after[name] == value
    for before, now in zip(ECOSYSTEM["messages"], after["messages"], strict=True):
        assert before.items() <= now.items()
        assert "timestamp" in before or "timestamp" not in now
    assert after["owner"] == "local"
    assert row["title"] == "Untitled"
    assert row["last_message_at"] == 1714560003.25
    assert (row["pinned"], row["message_count"], row["estimated_cost"]) == (True, 4, 0.00123)
    assert session.extra["gateway_routing"] == {"via": ["a", "b"]}


def test_messages_without_ids_have_the_same_ids_at_every_reading(shelf: Shelf) -> None:
    shelf.put("20240501_a1.json", ECOSYSTEM)

    first = [message["id"] for message in shelf.store.get("20240501_a1").messages]
    second = [message["id"] for message in shelf.restart().get("20240501_a1").messages]

    assert first == second
    assert len({*first}) == 4


def test_a_row_read_from_the_header_is_the_row_of_the_opened_session(shelf: Shelf) -> None:
    shelf.put("20240501_a1.json", ECOSYSTEM)

    (listed,) = shelf.store.rows().rows

    assert listed == shelf.store.get("20240501_a1").row()


# Bad input 70
@pytest.mark.parametrize("times", [1e20, -1, "2024-05-01", None, True, 4_200_000_000, 1_714_560_000_000])
def test_a_time_that_is_none_is_shown_as_if_it_were_absent(times: Any, shelf: Shelf) -> None:
    document = ECOSYSTEM | {
        "created_at": times,
        "updated_at": times,
        "messages": [{"role": "user", "content": "x", "timestamp": times}],
    }
    shelf.put("20240501_a1.json", document)

    row = shelf.store.get("20240501_a1").row()

    assert (row["created_at"], row["updated_at"], row["last_message_at"]) == (0.0, 0.0, 0.0)


# Bad input 10
def test_an_escaped_lone_surrogate_is_read_as_the_replacement_character(shelf: Shelf) -> None:
    shelf.put("a1.json", b'{"messages": [{"role": "user", "content": "x\\ud83d"}], "title": "\\udc00"}')

    session = shelf.store.get("a1")

    assert session.messages[0]["content"] == "x�"
    assert [row["title"] for row in shelf.store.rows().rows] == ["�"]


# Bad inputs 61, 62, 68
@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_cannot_be_read_is_listed_with_its_reason_and_left_as_it_is(kind: str, shelf: Shelf) -> None:
    shelf.saved("healthy")
    path = shelf.put(f"{kind}.json", UNREADABLE[kind])

    with pytest.raises(SessionUnreadable):
        shelf.store.get(kind)
    (listed,) = shelf.store.quarantined()

    assert listed.name == path.name
    assert listed.reason.endswith(".")
    assert len(shelf.store.rows().rows) == len(shelf.store.all_rows()) == 1
    assert path.read_bytes() == UNREADABLE[kind]
    assert kind not in shelf.cache


def test_one_wrong_byte_anywhere_is_shown_or_set_aside_and_hurts_nobody_else(shelf: Shelf) -> None:
    healthy = shelf.saved("healthy").session_id
    good = json.dumps(ECOSYSTEM | {"session_id": "a1"}).encode()
    outcomes = set()

    for position in range(len(good)):
        shelf.cache.clear()
        path = shelf.put("a1.json", good[:position] + bytes([good[position] ^ 0x55]) + good[position + 1 :])
        try:
            shelf.store.get("a1").row()
            outcomes.add("shown")
        except SessionUnreadable:
            outcomes.add("set aside")
        assert shelf.store.get(healthy).messages[0]["content"] == "healthy"
        path.unlink()

    assert outcomes == {"shown", "set aside"}


def test_the_list_of_unreadable_files_is_the_same_from_a_finished_index(shelf: Shelf) -> None:
    for kind, content in UNREADABLE.items():
        shelf.put(f"{kind}.json", content)
    without_index = {one.name: one.reason for one in shelf.store.quarantined()}

    assert shelf.store.wait_indexed(10)

    assert {one.name: one.reason for one in shelf.store.quarantined()} == without_index
    assert len(without_index) == len(UNREADABLE)


# Bad inputs 66, 67
def test_what_is_no_session_is_neither_shown_nor_followed_nor_waited_for(shelf: Shelf, tmp_path: Path) -> None:
    good = {"messages": [{"role": "user", "content": "x"}], "title": "T"}
    outside = tmp_path / "outside.json"
    outside.write_text(json.dumps(good))
    ignored = [
        "_index.json",
        "_notes.json",
        ".hidden.json",
        "x.json~",
        ".x.json.swp",
        "x (1).json",
        ".DS_Store",
        "x.txt",
        "x.sync-conflict-20240501.json",
        "x (conflicted copy 2024).json",
    ]
    for name in ignored:
        shelf.put(name, good)
    os.mkfifo(shelf.folder / "pipe.json")
    (shelf.folder / "folder.json").mkdir()
    (shelf.folder / "link.json").symlink_to(outside)
    (shelf.folder / "dangling.json").symlink_to("nowhere")
    shelf.put("-rf.json", good)
    before = {path.name for path in shelf.folder.iterdir()}

    rows = shelf.store.all_rows()
    reported = {one.name for one in shelf.store.quarantined()}

    assert rows == []
    assert reported == {"pipe.json", "folder.json", "link.json", "dangling.json", "-rf.json"}
    for name in ("pipe", "folder", "link", "dangling"):
        with pytest.raises((SessionUnreadable, SessionNotFound)):
            shelf.store.get(name)
    assert before <= shelf.files()


# Bad input 22
def test_a_session_of_someone_else_is_as_unknown_as_none(shelf: Shelf) -> None:
    session = shelf.saved("secret", owner="ada", title="Hers")

    for owner in ("local", "bob"):
        with pytest.raises(SessionNotFound) as theirs:
            shelf.store.get(session.session_id, owner=owner)
        with pytest.raises(SessionNotFound) as unknown:
            shelf.store.get("0" * 32, owner=owner)
        with pytest.raises(SessionNotFound):
            shelf.store.delete(session.session_id, owner=owner)
        assert theirs.value.message == unknown.value.message
        assert shelf.ids(owner=owner) == []
        assert shelf.store.all_rows(owner=owner) == []
        assert shelf.store.search("secret", owner=owner).results == []
    assert shelf.ids(owner="ada") == [session.session_id]
    assert shelf.store.search("secret", owner="ada").results != []
