"""What a save keeps, and what it refuses to lose."""

import errno
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.domain.errors import BadRequest, Conflict, StaleRevision, StorageFailed
from api.sessions.disk import files
from api.sessions.documents.session import Session
from tests.sessions.conftest import Shelf


def _refusal(act: Callable[[], Any]) -> str:
    with pytest.raises(Conflict) as raised:
        act()
    return raised.value.code


def test_a_save_gives_new_messages_an_id_and_the_time_and_raises_the_revision(shelf: Shelf, stored: Any) -> None:
    session = shelf.saved("one")
    first = stored(session)
    session.messages.append({"role": "assistant", "content": "two"})
    shelf.now += 60

    session.save()

    second = stored(session)
    assert [first["revision"], second["revision"]] == [1, 2]
    assert second["messages"][0] == first["messages"][0]
    assert second["messages"][1]["timestamp"] == second["updated_at"] == shelf.now
    assert second["messages"][1]["id"] != second["messages"][0]["id"]
    assert second["schema"] == 1


@pytest.mark.parametrize("reason", [None, "because", "delete"])
def test_a_save_that_would_lose_messages_is_refused(reason: str | None, shelf: Shelf, stored: Any) -> None:
    session = shelf.saved("one", "two")
    session.messages.pop()

    code = _refusal(lambda: session.save(reason))

    assert code == "would_shrink"
    assert len(stored(session)["messages"]) == 2
    assert session.revision == 1


@pytest.mark.parametrize("reason", ["truncate", "undo", "clear", "retry", "import"])
def test_a_save_that_says_why_may_leave_fewer_messages(reason: str, shelf: Shelf, stored: Any) -> None:
    session = shelf.saved("one", "two")
    session.messages.clear()

    session.save(reason)

    assert stored(session)["messages"] == []


def test_a_stub_built_beside_the_store_cannot_empty_a_conversation(shelf: Shelf, stored: Any) -> None:
    session = shelf.saved("one", "two")
    stub = Session(session.session_id, home=shelf.store, title="stub")

    assert _refusal(stub.save) == "stale_revision"
    assert _refusal(lambda: stub.save("clear")) == "stale_revision"
    assert len(stored(session)["messages"]) == 2


def test_a_file_that_changed_outside_is_not_written_over(shelf: Shelf, stored: Any) -> None:
    session = shelf.saved("one")
    document = stored(session)
    document["messages"].append({"role": "user", "content": "from another program"})
    shelf.put(session.path.name, document)
    session.title = "Mine"

    with pytest.raises(StaleRevision) as raised:
        session.save()

    assert raised.value.fields == {"revision": 1}
    assert len(stored(session)["messages"]) == 2
    assert len(shelf.store.get(session.session_id).messages) == 2


def test_a_session_with_nothing_unsaved_follows_its_file(shelf: Shelf, stored: Any) -> None:
    session = shelf.saved("one")
    document = stored(session)
    document["messages"].append({"role": "user", "content": "from another program"})
    shelf.put(session.path.name, document)

    found = shelf.store.get(session.session_id)

    assert found is session
    assert [message["content"] for message in found.messages] == ["one", "from another program"]
    assert found.revision == 2, "whoever has seen revision 1 has seen something else"
    found.save()
    assert stored(session)["revision"] == 3


def test_a_copied_back_file_with_the_same_content_can_be_saved(shelf: Shelf, stored: Any) -> None:
    session = shelf.saved("one")
    content = session.path.read_bytes()
    session.path.unlink()
    session.path.write_bytes(content)
    session.title = "Mine"

    session.save()

    assert stored(session)["title"] == "Mine"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"messages": 5}'])
def test_an_unreadable_file_is_never_written_over(content: bytes, shelf: Shelf) -> None:
    session = shelf.saved("one")
    session.path.write_bytes(content)
    session.title = "Mine"

    assert _refusal(session.save) == "session_unreadable"
    assert session.path.read_bytes() == content


def test_a_document_of_a_newer_program_opens_and_is_never_written(shelf: Shelf) -> None:
    document = {"session_id": "a1", "schema": 2, "title": "New", "messages": [{"role": "user", "content": "x"}]}
    path = shelf.put("a1.json", document)
    session = shelf.store.get("a1")
    session.title = "Mine"

    assert session.read_only
    assert _refusal(session.save) == "newer_schema"
    assert json.loads(path.read_bytes()) == document


def test_a_file_that_someone_removed_is_not_made_again(shelf: Shelf) -> None:
    session = shelf.saved("one")
    session.path.unlink()

    assert _refusal(session.save) == "document_gone"
    assert not session.path.exists()


def test_a_folder_that_vanished_is_not_replaced_by_an_empty_one(shelf: Shelf) -> None:
    shelf.saved("one")
    shelf.store.close()
    shelf.folder.rename(shelf.folder.with_name("away"))

    with pytest.raises(StorageFailed) as raised:
        shelf.saved("two")

    assert raised.value.code == "folder_gone"
    assert not shelf.folder.exists()


@pytest.mark.parametrize("call", ["fsync", "write"])
def test_a_failed_save_keeps_the_old_document_and_the_new_text_in_memory(
    call: str, shelf: Shelf, stored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = shelf.saved("one")
    before = stored(session)
    session.messages.append({"role": "user", "content": "two"})

    def full(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(files.os, call, full)
        with pytest.raises(StorageFailed) as raised:
            session.save()

    assert raised.value.code == "disk_full"
    assert stored(session) == before
    assert session.revision == 1
    assert session.updated_at == before["updated_at"]
    session.save()
    assert [message["content"] for message in stored(session)["messages"]] == ["one", "two"]


def test_a_save_that_the_disk_did_not_confirm_is_a_failure_that_can_be_tried_again(
    shelf: Shelf, stored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = shelf.saved("one")
    session.messages.append({"role": "user", "content": "two"})

    def broken(folder: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(files, "sync_folder", broken)
        with pytest.raises(StorageFailed) as raised:
            session.save()

    assert raised.value.code == "not_confirmed"
    session.save()
    assert stored(session)["revision"] == session.revision == 3


@pytest.mark.parametrize(
    "message", ["text", {"content": "no role"}, {"role": "user", "content": 5}, {"role": "user", "x": object()}]
)
def test_what_a_load_would_refuse_is_never_written(message: Any, shelf: Shelf, stored: Any) -> None:
    session = shelf.saved("one")
    session.messages.append(message)

    with pytest.raises(BadRequest) as raised:
        session.save()

    assert raised.value.code == "not_storable"
    assert len(stored(session)["messages"]) == 1
    assert session.revision == 1


def test_text_that_no_file_can_hold_is_mended_once_and_the_same_everywhere(shelf: Shelf, stored: Any) -> None:
    session = shelf.saved("good", title="a\ud83db", tags=["\udc00"])
    session.messages.append({"role": "user", "content": [{"type": "text", "text": "x\ud83d"}], "odd\ud800": 1})
    message = session.messages[1]

    session.save()

    assert stored(session)["title"] == session.title == "a�b"
    assert stored(session)["tags"] == session.tags == ["�"]
    assert session.messages[1] is message
    assert message["content"] == [{"type": "text", "text": "x�"}]
    assert stored(session)["messages"][1] == message
    assert shelf.ids() == [session.session_id]


def test_messages_with_the_same_id_get_one_each(shelf: Shelf, stored: Any) -> None:
    session = shelf.store.new()
    session.messages += [{"id": "m1", "role": "user", "content": "a"}, {"id": "m1", "role": "user", "content": "b"}]

    session.save()

    ids = [message["id"] for message in stored(session)["messages"]]
    assert ids[0] == "m1"
    assert ids[1] != "m1"


def test_two_threads_saving_one_session_lose_nothing_and_count_every_save(shelf: Shelf, stored: Any) -> None:
    session = shelf.saved("start")
    start = threading.Barrier(4)

    def work(name: int) -> None:
        start.wait()
        for number in range(20):
            with session.lock:
                session.messages.append({"role": "user", "content": f"{name}-{number}"})
            session.save()

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    document = stored(session)
    assert document["revision"] == 81
    texts = [message["content"] for message in document["messages"]]
    assert sorted(texts) == sorted(["start", *(f"{name}-{number}" for name in range(4) for number in range(20))])
    assert len({message["id"] for message in document["messages"]}) == 81


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)
_message = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "assistant", "tool", "system"]),
        "content": st.none() | st.text("xyz数据 ") | st.lists(_json, max_size=2),
    },
    optional={"timestamp": st.floats(allow_nan=False, allow_infinity=False), "reasoning": _json, "x_custom": _json},
)
_documents = st.fixed_dictionaries(
    {"messages": st.lists(_message, max_size=5)},
    optional={
        "title": st.none() | st.text("abc ", max_size=5),
        "created_at": st.floats(allow_nan=False) | st.text("2024-", max_size=5) | st.none(),
        "pinned": _json,
        "tags": _json,
        "model": _json,
        "tool_calls": _json,
        "compression_anchor": _json,
        "a": _json,
    },
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_documents)
def test_whatever_a_foreign_document_holds_survives_opening_and_saving(shelf: Shelf, document: dict[str, Any]) -> None:
    document = json.loads(json.dumps(document).replace("Infinity", "0"))
    shelf.cache.clear()
    path = shelf.put("a1.json", document)

    session = shelf.store.get("a1")
    session.row()
    session.save()

    after = json.loads(path.read_bytes())
    for before_message, after_message in zip(document["messages"], after.pop("messages"), strict=True):
        assert before_message.items() <= after_message.items()
    for name in document.keys() - {"messages"}:
        if not (name == "title" and document["title"] is None):
            assert after[name] == document[name]
