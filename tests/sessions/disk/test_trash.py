"""Deleting: undoable, remembered, and never undone by itself."""

import errno
import os
import threading
from typing import Any

import pytest

from api.domain.errors import Conflict, StorageFailed
from api.sessions.disk import files
from api.sessions.disk.loading import SessionNotFound
from tests.sessions.conftest import Shelf


def test_a_deleted_session_is_gone_for_every_way_of_asking(shelf: Shelf) -> None:
    session = shelf.saved("findme")

    shelf.store.delete(session.session_id)

    with pytest.raises(SessionNotFound):
        shelf.store.get(session.session_id)
    assert shelf.ids() == shelf.store.all_rows() == []
    assert shelf.store.search("findme").results == []
    assert shelf.store.count() == 0
    with pytest.raises(SessionNotFound):
        shelf.restart().get(session.session_id)


def test_a_deleted_session_comes_back_whole_when_someone_asks(shelf: Shelf) -> None:
    session = shelf.saved("one", "two", title="T")
    content = session.path.read_bytes()
    shelf.store.delete(session.session_id)

    restored = shelf.restart().restore(session.session_id)

    assert restored.path.read_bytes() == content
    assert shelf.ids() == [session.session_id]
    assert shelf.store.search("two").results[0].session["title"] == "T"
    assert shelf.store.restore(session.session_id) is restored


def test_deleting_twice_succeeds_and_what_never_was_is_not_found(shelf: Shelf) -> None:
    session = shelf.saved("one")
    shelf.store.delete(session.session_id)

    shelf.store.delete(session.session_id)
    shelf.restart().delete(session.session_id)

    for act in (shelf.store.delete, shelf.store.restore):
        with pytest.raises(SessionNotFound):
            act("0" * 32)


def test_no_save_brings_a_deleted_session_back(shelf: Shelf) -> None:
    session = shelf.saved("one")
    shelf.store.delete(session.session_id)
    session.messages.append({"role": "user", "content": "late"})

    with pytest.raises(Conflict) as raised:
        session.save()
    shelf.restart()
    other_life = type(session)(session.session_id, home=shelf.store, messages=[{"role": "user", "content": "x"}])
    with pytest.raises(Conflict) as raised_later:
        other_life.save()

    assert raised.value.code == raised_later.value.code == "session_deleted"
    assert not session.path.exists()


def test_a_copy_that_comes_back_from_outside_stays_deleted_and_is_reported(shelf: Shelf) -> None:
    session = shelf.saved("one")
    content = session.path.read_bytes()
    shelf.store.delete(session.session_id)
    session.path.write_bytes(content.replace(b"one", b"new"))

    assert shelf.ids() == shelf.store.all_rows() == []
    assert [one.name for one in shelf.store.quarantined()] == [session.path.name]
    with pytest.raises(SessionNotFound):
        shelf.store.get(session.session_id)

    restored = shelf.store.restore(session.session_id)

    assert restored.messages[0]["content"] == "new"
    assert b"one" in (shelf.folder / "_trash" / f"{session.session_id}.1.json").read_bytes()
    assert shelf.ids() == [session.session_id]


def test_a_blank_session_is_deleted_and_restored_without_a_file(shelf: Shelf) -> None:
    blank = shelf.store.new()

    shelf.store.delete(blank.session_id)
    shelf.store.delete(blank.session_id)
    with pytest.raises(SessionNotFound):
        shelf.store.get(blank.session_id)

    assert shelf.store.restore(blank.session_id) is blank
    assert shelf.store.get(blank.session_id) is blank
    assert not (shelf.folder / f"{blank.session_id}.json").exists()
    blank.messages.append({"role": "user", "content": "x"})
    blank.save()


def test_what_cannot_be_opened_can_be_deleted_and_undone(shelf: Shelf) -> None:
    path = shelf.put("broken.json", b"{")

    shelf.store.delete("broken")
    assert not path.exists()
    assert shelf.store.quarantined() == []
    with pytest.raises(Conflict):
        shelf.store.restore("broken")

    assert path.read_bytes() == b"{"


def test_a_disk_that_refuses_leaves_the_session_where_it_was(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    session = shelf.saved("one")

    def refuse(*_: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr(files.Path, "rename", refuse)
        with pytest.raises(StorageFailed):
            shelf.store.delete(session.session_id)

    assert shelf.store.get(session.session_id) is session
    session.save()


def test_nobody_gets_hold_of_a_session_that_is_deleted_at_the_same_moment(shelf: Shelf) -> None:
    for _ in range(30):
        session_id = shelf.saved("one").session_id
        shelf.cache.clear()
        start = threading.Barrier(4)

        def ask(start: threading.Barrier = start, session_id: str = session_id) -> None:
            start.wait()
            try:
                shelf.store.get(session_id).save()
            except (SessionNotFound, Conflict):
                return

        def delete(start: threading.Barrier = start, session_id: str = session_id) -> None:
            start.wait()
            shelf.store.delete(session_id)

        threads = [threading.Thread(target=work) for work in (ask, ask, ask, delete)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert session_id not in shelf.cache
        assert not (shelf.folder / f"{session_id}.json").exists()
        with pytest.raises(SessionNotFound):
            shelf.store.get(session_id)
    assert shelf.ids() == []
