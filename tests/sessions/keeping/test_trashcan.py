"""What is in the trash, for how long, and what is removed from it for good."""

import errno
import json
import os
from pathlib import Path

import pytest

from api.domain.errors import Conflict
from api.sessions.disk import files
from api.sessions.disk.loading import SessionNotFound
from api.sessions.documents.editing import clear, put_back
from api.sessions.importing import import_json
from api.sessions.keeping.trashcan import Trashcan
from tests.sessions.conftest import Shelf

DAY = 86_400.0


class Clocks:
    """A wall clock that may be set, beside one that nobody sets."""

    def __init__(self) -> None:
        self.wall = 1_800_000_000.0
        self.ticks = 1_000.0

    def pass_days(self, days: float) -> None:
        self.wall += days * DAY
        self.ticks += days * DAY


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def trashcan(shelf: Shelf, clocks: Clocks, keep_days: int = 30) -> Trashcan:
    """As a new process makes it."""
    return Trashcan(shelf.store, keep_days, clock=lambda: clocks.wall, ticks=lambda: clocks.ticks)


def deleted(shelf: Shelf, *texts: str, **fields: str) -> str:
    session = shelf.saved(*texts, **fields)
    shelf.store.delete(session.session_id)
    return session.session_id


def words_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_what_was_deleted_is_listed_until_it_is_restored(shelf: Shelf, clocks: Clocks) -> None:
    older, newer = deleted(shelf, "one", "two", title="Older"), deleted(shelf, "three", title="Newer")
    shelf.put("_trash/broken.json", b"{")
    can = trashcan(shelf, clocks)

    items = {one.session_id: one for one in can.look().items}
    shelf.store.restore(older)

    assert (items[older].title, items[older].message_count, items[older].days_left) == ("Older", 2, 30)
    assert (items["broken"].title, items["broken"].message_count) == (None, 0)
    assert {one.session_id for one in can.look().items} == {newer, "broken"}


def test_after_thirty_days_it_is_removed_and_never_comes_back(shelf: Shelf, clocks: Clocks) -> None:
    session = shelf.saved("secret words", title="Secret")
    document, session_id = session.path.read_bytes(), session.session_id
    shelf.store.delete(session_id)
    can = trashcan(shelf, clocks)
    can.empty()

    clocks.pass_days(29.9)
    assert can.empty() == []
    assert [one.days_left for one in can.look().items] == [1]
    clocks.pass_days(1.2)

    assert can.empty() == [session_id]
    assert can.look().items == []
    assert b"secret words" not in words_in(shelf.folder / "_trash")
    shelf.store.delete(session_id)
    for act in (shelf.store.get, shelf.store.restore, shelf.restart().get, shelf.store.restore):
        with pytest.raises(SessionNotFound):
            act(session_id)
    with pytest.raises(Conflict, match="deleted"):
        session.save()
    (imported,) = import_json(shelf.store, document, owner="local").sessions
    assert imported.session_id != session_id
    assert imported.messages[0]["content"] == "secret words"


@pytest.mark.parametrize("jump", [1.0, -1.0, 400.0, -400.0, -1_700_000_000 / DAY], ids=str)
def test_a_clock_that_is_set_empties_nothing_early_and_stops_nothing(shelf: Shelf, clocks: Clocks, jump: float) -> None:
    session_id = deleted(shelf, "one")
    can = trashcan(shelf, clocks)
    can.empty()

    clocks.wall += jump * DAY
    for _ in range(29):
        clocks.pass_days(1.0)
        assert can.empty() == []
    clocks.wall -= jump * DAY
    clocks.pass_days(1.0)
    assert can.empty() == []
    clocks.pass_days(2.0)

    assert can.empty() == [session_id]


@pytest.mark.parametrize("jump", [1.0, -1.0])
def test_a_clock_that_was_set_while_no_server_ran_empties_nothing_early(
    shelf: Shelf, clocks: Clocks, jump: float
) -> None:
    session_id = deleted(shelf, "one")
    trashcan(shelf, clocks).empty()

    clocks.wall += jump * DAY
    for _ in range(30):
        assert trashcan(shelf, clocks).empty() == []
        clocks.pass_days(0.99)
    gone = []
    for _ in range(3):
        clocks.pass_days(1.0)
        gone += trashcan(shelf, clocks).empty()

    assert gone == [session_id]


def test_a_start_in_a_far_future_counts_as_a_week_and_not_as_a_century(shelf: Shelf, clocks: Clocks) -> None:
    deleted(shelf, "one")
    trashcan(shelf, clocks).empty()

    clocks.wall += 27_000 * DAY

    assert trashcan(shelf, clocks).empty() == []
    assert [one.days_left for one in trashcan(shelf, clocks).look().items] == [23]


def test_a_ledger_that_is_lost_makes_everything_stay_longer(shelf: Shelf, clocks: Clocks) -> None:
    deleted(shelf, "one")
    trashcan(shelf, clocks).empty()
    clocks.pass_days(6)
    for content in (b"", b"[]", b'{"counted_s": "x"}'):
        (shelf.folder / "_trash/_ages.json").write_bytes(content)
        assert trashcan(shelf, clocks).empty() == []
        assert [one.days_left for one in trashcan(shelf, clocks).look().items] == [30]


def test_what_was_restored_and_deleted_once_more_begins_anew(shelf: Shelf, clocks: Clocks) -> None:
    session_id = deleted(shelf, "one")
    can = trashcan(shelf, clocks)
    can.empty()
    clocks.pass_days(29)
    assert [one.days_left for one in can.look().items] == [1]

    shelf.store.restore(session_id)
    shelf.store.delete(session_id)
    clocks.pass_days(3)

    assert can.empty() == []
    assert [one.days_left for one in can.look().items] == [30]


def test_where_nothing_is_removed_by_itself_a_person_still_can(shelf: Shelf, clocks: Clocks) -> None:
    session_id = deleted(shelf, "one")
    can = trashcan(shelf, clocks, keep_days=0)
    clocks.pass_days(4000)

    assert can.empty() == []
    assert [one.days_left for one in can.look().items] == [None]
    can.remove(session_id)
    can.remove(session_id)

    assert can.look().items == []
    for never in ("0" * 32, shelf.saved("alive").session_id):
        with pytest.raises(SessionNotFound):
            can.remove(never)
    assert shelf.ids() != []


@pytest.mark.parametrize("owner", ["local", "ada"])
def test_what_a_crash_left_half_removed_counts_as_gone_and_is_removed(shelf: Shelf, clocks: Clocks, owner: str) -> None:
    session = shelf.saved("half gone", owner=owner)
    session_id = session.session_id
    shelf.store.delete(session_id, owner=owner)
    shelf.put(f"_trash/{session_id}.1.json", b"half gone")
    (shelf.folder / f"_trash/{session_id}.json").rename(shelf.folder / f"_trash/{session_id}.gone")

    assert trashcan(shelf, clocks).look(owner=owner).items == []
    with pytest.raises(SessionNotFound):
        shelf.store.restore(session_id, owner=owner)
    trashcan(shelf, clocks).empty()

    assert b"half gone" not in words_in(shelf.folder / "_trash")
    shelf.store.delete(session_id, owner=owner)


def test_a_full_disk_can_be_made_emptier(shelf: Shelf, clocks: Clocks, monkeypatch: pytest.MonkeyPatch) -> None:
    session_id = deleted(shelf, "large words")

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(files, "_write_all", refuse)
        trashcan(shelf, clocks).remove(session_id)
        assert trashcan(shelf, clocks).look().items == []

    assert b"large words" not in words_in(shelf.folder / "_trash")
    assert trashcan(shelf, clocks).empty() == []
    shelf.store.delete(session_id)
    with pytest.raises(SessionNotFound):
        shelf.restart().get(session_id)


def test_what_was_cleared_can_be_had_back_however_the_conversation_went_on(shelf: Shelf, clocks: Clocks) -> None:
    session = shelf.saved("one", "two", title="T")
    clear(session, 0.0)
    session.save("clear")
    for number in range(12):
        session.messages.append({"role": "user", "content": str(number)})
        session.save()

    (item,) = trashcan(shelf, clocks).look().items
    copy = shelf.store.restore(item.session_id)

    assert (item.title, item.message_count, item.cleared_from) == ("T", 2, session.session_id)
    assert [message["content"] for message in copy.messages] == ["one", "two"]
    assert len(shelf.store.get(session.session_id).messages) == 12


def test_what_was_cleared_is_put_back_into_its_session_too(shelf: Shelf) -> None:
    session = shelf.saved("one", "two")
    clear(session, 0.0)
    session.save("clear")

    put_back(session)
    session.save()

    assert len(json.loads(session.path.read_bytes())["messages"]) == 2


def test_the_trash_of_someone_else_is_neither_seen_nor_touched(shelf: Shelf, clocks: Clocks) -> None:
    session = shelf.saved("hers", owner="ada")
    shelf.store.delete(session.session_id, owner="ada")
    can = trashcan(shelf, clocks)

    assert can.look().items == []
    with pytest.raises(SessionNotFound):
        can.remove(session.session_id)

    assert [one.session_id for one in can.look(owner="ada").items] == [session.session_id]
    can.remove(session.session_id, owner="ada")
    with pytest.raises(SessionNotFound):
        shelf.store.delete(session.session_id)
    shelf.store.delete(session.session_id, owner="ada")
