"""The index: whatever becomes of it, lists and searches tell what the files say."""

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from api.domain.errors import BadRequest
from api.sessions.finding.indexing import Indexer
from tests.sessions.conftest import Shelf

TABLES = {
    "session": "SELECT session_id, stamp, owner, shown, archived, pinned, last_message_at, title, tags, row, has_words,"
    " problem FROM session ORDER BY session_id",
    "message": "SELECT s.session_id, m.message_id, m.position, m.role, m.timestamp, m.checksum, m.text FROM message m"
    " JOIN session s ON s.id = m.session ORDER BY 1, 3",
}


def contents(index_file: Path) -> dict[str, list[Any]]:
    """Everything the index says, whatever its internal numbers are."""
    with closing(sqlite3.connect(index_file)) as connection:
        found = {name: connection.execute(sql).fetchall() for name, sql in TABLES.items()}
        connection.execute("INSERT INTO words(words) VALUES('integrity-check')")
        connection.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, 'words', 'row')")
        connection.execute("CREATE VIRTUAL TABLE temp.names USING fts5vocab(main, 'titles', 'row')")
        found["terms"] = connection.execute("SELECT * FROM temp.terms").fetchall()
        found["names"] = connection.execute("SELECT * FROM temp.names").fetchall()
    return found


def assert_like_a_fresh_build(shelf: Shelf) -> None:
    assert shelf.store.wait_indexed(10)
    grown = contents(shelf.index_file)
    shelf.store.reindex()
    assert grown == contents(shelf.index_file)


@pytest.fixture
def three(shelf: Shelf) -> Shelf:
    for text in ("alpha", "beta", "gamma"):
        shelf.now += 10
        shelf.saved(f"{text} words", title=text.title())
    return shelf


def titles(shelf: Shelf, **wanted: Any) -> list[str]:
    return [row["title"] for row in shelf.store.rows(**wanted).rows]


def _delete(path: Path) -> None:
    for one in path.parent.glob(f"{path.name}*"):
        one.unlink()


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    for at in range(4096, len(raw), 512):
        raw[at] ^= 0xFF
    path.write_bytes(raw)


def _other_program(path: Path) -> None:
    _delete(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs(x)")


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=999")


def _json_list(path: Path) -> None:
    _delete(path)
    path.write_text("[]")


def _empty(path: Path) -> None:
    _delete(path)
    path.touch()


def _wal_alone(path: Path) -> None:
    _delete(path)
    path.with_name(path.name + "-wal").write_bytes(b"x" * 5000)


def _folder(path: Path) -> None:
    _delete(path)
    path.mkdir()


def _pipe(path: Path) -> None:
    _delete(path)
    os.mkfifo(path)


def _link(path: Path) -> None:
    _delete(path)
    path.symlink_to("/etc/passwd")


DAMAGES = [_delete, _cut, _flip, _other_program, _newer, _json_list, _empty, _wal_alone, _folder, _pipe, _link]


# Bad input 76
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_lost_or_damaged_index_is_built_again_while_lists_answer(
    damage: Callable[[Path], None], three: Shelf
) -> None:
    before = titles(three)
    three.store.close()
    damage(three.index_file)
    store = three.restart()

    store.start_indexing()
    during = store.rows()
    assert store.wait_indexed(10)

    assert during.indexing or len(during.rows) == 3
    assert titles(three) == before
    assert [hit.session["title"] for hit in store.search("beta").results] == ["Beta"]
    assert len([name for name in three.files() if ".broken-" in name and not name.endswith(("-wal", "-shm"))]) <= 1
    store.close()
    assert_like_a_fresh_build(three)


# Bad input 76
def test_what_belongs_to_another_program_is_kept_beside(three: Shelf) -> None:
    three.store.close()
    _other_program(three.index_file)

    three.restart().wait_indexed(10)

    (kept,) = three.folder.glob("_index.broken-*")
    with closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]


# Bad input 76
def test_a_locked_index_is_replaced_and_no_save_waits_for_it(three: Shelf) -> None:
    three.store.close()
    with closing(sqlite3.connect(three.index_file, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        three.restart()

        three.saved("delta", title="Delta")

        assert sorted(titles(three)) == ["Alpha", "Beta", "Delta", "Gamma"]
        assert three.store.wait_indexed(10)


def test_an_index_from_yesterday_is_brought_up_to_date(three: Shelf) -> None:
    three.store.close()
    yesterday = three.index_file.read_bytes()
    three.restart()
    three.store.delete(three.ids()[0])
    changed = three.store.get(three.ids()[0])
    changed.messages[0]["content"] = "rewritten"
    changed.save()
    three.saved("delta", title="Delta")
    three.store.close()
    _delete(three.index_file)
    three.index_file.write_bytes(yesterday)

    three.restart()

    assert sorted(titles(three)) == ["Alpha", "Beta", "Delta"]
    assert three.store.search("gamma").results == []
    assert len(three.store.search("rewritten").results) == 1
    assert_like_a_fresh_build(three)


def test_an_index_that_breaks_while_it_is_used_fails_no_save_and_is_replaced(three: Shelf) -> None:
    assert three.store.wait_indexed(10)
    three.index_file.write_bytes(b"x" * three.index_file.stat().st_size)
    three.index_file.with_name(three.index_file.name + "-wal").write_bytes(b"")

    session = three.saved("delta", title="Delta")
    three.store.rows()

    assert session.path.exists()
    assert sorted(titles(three)) == ["Alpha", "Beta", "Delta", "Gamma"]


def test_without_an_index_everything_but_search_works(shelf: Shelf) -> None:
    shelf.index_file = shelf.folder / "missing/index.db"
    session = shelf.saved("one", title="One", pinned=True)
    shelf.saved("two", title="Two", archived=True)

    page = shelf.store.rows(limit=1)

    assert [row["title"] for row in page.rows] == ["One"]
    assert page.counts == {"active": 1, "archived": 1, "pinned": 1}
    assert titles(shelf, archived=True) == ["Two"]
    assert shelf.store.count() == 2
    assert shelf.store.search("one").results == []
    shelf.store.delete(session.session_id)
    assert titles(shelf) == []


@pytest.mark.parametrize("step", ["put", "remove"])
def test_a_crash_between_file_and_index_leaves_no_ghost(
    step: str, three: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Indexer, step, lambda *_: None)
    session = three.store.get(three.ids()[0])
    if step == "put":
        session.title = "Renamed"
        session.save()
    else:
        three.store.delete(session.session_id)
    monkeypatch.undo()
    store = three.restart()
    store.start_indexing()

    assert session.session_id not in three.ids() or step == "put"
    assert store.wait_indexed(10)

    expected = ["Alpha", "Beta", "Renamed"] if step == "put" else ["Alpha", "Beta"]
    assert sorted(titles(three)) == expected
    store.close()
    assert_like_a_fresh_build(three)


def test_files_that_come_go_and_change_outside_are_noticed(three: Shelf) -> None:
    gone, changed, _ = (three.store.get(one) for one in three.ids())
    gone.path.unlink()
    three.put(changed.path.name, {"messages": [{"role": "user", "content": "fresh"}], "title": "Changed"})
    three.put("new.json", {"messages": [{"role": "user", "content": "x"}], "title": "New"})

    assert sorted(titles(three)) == ["Alpha", "Changed", "New"]
    assert [hit.session["title"] for hit in three.store.search("fresh").results] == ["Changed"]
    assert_like_a_fresh_build(three)


def test_watchers_are_told_what_changed_and_what_is_gone(shelf: Shelf) -> None:
    told: list[tuple[list[str], list[str]]] = []

    def broken(changed: list[str], removed: list[str]) -> None:
        raise RuntimeError("a watcher of somebody else's")

    shelf.store.on_change += [broken, lambda changed, removed: told.append((changed, removed))]

    session = shelf.saved("one")
    shelf.store.delete(session.session_id)
    shelf.store.restore(session.session_id)

    assert told == [([session.session_id], []), ([], [session.session_id]), ([session.session_id], [])]


def test_a_list_comes_in_pages_that_neither_repeat_nor_skip(shelf: Shelf) -> None:
    for number in range(23):
        shelf.now += number % 3
        shelf.saved("x", title=f"T{number}", pinned=number % 7 == 0)
    whole = titles(shelf, limit=500)

    pages, cursor = [], None
    while True:
        page = shelf.store.rows(limit=5, cursor=cursor)
        pages += [row["title"] for row in page.rows]
        if (cursor := page.next_cursor) is None:
            break

    assert pages == whole
    assert len({*whole}) == 23
    assert {*whole[:4]} == {"T0", "T7", "T14", "T21"}
    assert page.counts == {"active": 23, "archived": 0, "pinned": 4}
    assert [row["title"] for row in shelf.store.all_rows()] == whole


def test_a_list_can_be_narrowed(shelf: Shelf) -> None:
    shelf.saved("x", title="Über 100% Plan", tags=["work", "x"], project_id="p1")
    shelf.saved("x", title="other", archived=True)
    shelf.saved("x", title="_", tags=["workshop"])

    assert titles(shelf, q="ÜBER") == titles(shelf, q="100%") == titles(shelf, tag="work") == ["Über 100% Plan"]
    assert titles(shelf, project_id="p1") == ["Über 100% Plan"]
    assert titles(shelf, q="_") == ["_"]
    assert titles(shelf, archived=True) == ["other"]
    assert titles(shelf, tag="nothing") == titles(shelf, q="%")[1:] == []


@pytest.mark.parametrize("cursor", ["x", "é", "AAAA", "bnVsbA", "W10", "WzEsMiwzXQ", "=" * 50, "WzFlOTk5OV0"])
def test_a_cursor_that_is_none_is_refused(cursor: str, shelf: Shelf) -> None:
    with pytest.raises(BadRequest) as raised:
        shelf.store.rows(cursor=cursor)
    assert raised.value.field == "cursor"
    with pytest.raises(BadRequest):
        shelf.saved("x")
        shelf.store.search("x", cursor=cursor)


@pytest.mark.parametrize("limit", [-5, 0, 10**12])
def test_a_limit_is_brought_into_bounds(limit: int, three: Shelf) -> None:
    assert len(three.store.rows(limit=limit).rows) == (3 if limit > 0 else 1)


def test_a_running_session_is_shown_as_streaming_before_it_is_saved(shelf: Shelf) -> None:
    session = shelf.saved("x")
    session.active_stream_id = "run-1"

    (row,) = shelf.store.rows().rows

    assert (row["is_streaming"], row["active_stream_id"]) == (True, "run-1")


def test_saves_and_a_rebuild_at_the_same_time_end_in_step(shelf: Shelf) -> None:
    sessions = [shelf.saved(f"start {number}") for number in range(40)]
    start = threading.Barrier(2)

    def work() -> None:
        start.wait()
        for session in sessions * 3:
            session.messages.append({"role": "user", "content": "more"})
            session.save()

    thread = threading.Thread(target=work)
    thread.start()
    start.wait()
    for _ in range(5):
        shelf.store.reindex()
    thread.join()

    assert {row["message_count"] for row in shelf.store.rows().rows} == {4}
    assert_like_a_fresh_build(shelf)


class Life(RuleBasedStateMachine):
    """Any order of changes, through the store and past it, with restarts between."""

    shelf: Shelf
    filler = ""
    words = st.sampled_from(["alpha", "beta gamma", "数据库", "", "x\0y"])

    def pick(self, number: int) -> Any:
        ids = sorted(path.stem for path in self.shelf.folder.glob("[!_.]*.json"))
        return self.shelf.store.get(ids[number % len(ids)]) if ids else self.shelf.saved("first")

    @rule(text=words, title=words)
    def create(self, text: str, title: str) -> None:
        self.shelf.saved(text, title=title)

    @rule(number=st.integers(0, 50), text=words)
    def append(self, number: int, text: str) -> None:
        session = self.pick(number)
        session.messages.append({"role": "assistant", "content": text})
        session.save()

    @rule(number=st.integers(0, 50), at=st.integers(0, 3), text=words)
    def rewrite(self, number: int, at: int, text: str) -> None:
        session = self.pick(number)
        session.messages[at:at] = [{"role": "tool", "content": [{"type": "text", "text": text}]}]
        session.title = text
        session.save()

    @rule(number=st.integers(0, 50), keep=st.integers(0, 3))
    def truncate(self, number: int, keep: int) -> None:
        session = self.pick(number)
        del session.messages[keep:]
        session.save("truncate")

    @rule(number=st.integers(0, 50))
    def delete(self, number: int) -> None:
        self.shelf.store.delete(self.pick(number).session_id)

    @rule(number=st.integers(0, 50), text=words)
    def write_outside(self, number: int, text: str) -> None:
        session = self.pick(number)
        # Ever longer: on some kernels two writes within one tick bear the same time.
        self.filler += "x"
        message = {"role": "user", "content": text}
        self.shelf.put(session.path.name, {"messages": [message], "title": text, "filler": self.filler})

    @rule()
    def restart(self) -> None:
        self.shelf.restart()

    @invariant()
    def lists_agree(self) -> None:
        rows = self.shelf.store.rows(limit=500).rows
        assert rows == self.shelf.store.all_rows()

    def teardown(self) -> None:
        assert_like_a_fresh_build(self.shelf)


def test_after_any_history_the_index_is_like_a_fresh_build(tmp_path: Path) -> None:
    lives = iter(range(10**6))
    open_shelves: list[Shelf] = []

    class OneLife(Life):
        def __init__(self) -> None:
            super().__init__()
            folder = tmp_path / str(next(lives))
            folder.mkdir()
            self.shelf = Shelf(folder)
            open_shelves.append(self.shelf)

        def teardown(self) -> None:
            super().teardown()
            self.shelf.store.close()

    run_state_machine_as_test(
        OneLife,
        settings=settings(max_examples=25, stateful_step_count=12, deadline=None, suppress_health_check=[*HealthCheck]),
    )
    assert open_shelves
