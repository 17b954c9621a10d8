"""The way back: what a turn changed, and that it can be undone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.domain.errors import Conflict, StorageFailed
from api.workspace import checkpoints, files
from api.workspace.checkpoints import Checkpoints, Turn
from api.workspace.folder import Folder


class Shelf:
    """Keeps things as a folder would, and survives whoever used it."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, name: str, data: bytes) -> None:
        assert name.replace("-", "").isalnum()
        self.kept[name] = data

    def get(self, name: str) -> bytes | None:
        return self.kept.get(name)

    def remove(self, name: str) -> None:
        self.kept.pop(name, None)

    def names(self) -> list[str]:
        return list(self.kept)


class Place:
    """A workspace with one file, and agents that change it."""

    def __init__(self, path: Path) -> None:
        path.mkdir()
        self.path = path
        self.folder = Folder(path)
        self.shelf = Shelf()
        self.checkpoints = Checkpoints(self.shelf)
        (path / "a").write_text("one\n")

    def restart(self) -> None:
        self.checkpoints = Checkpoints(self.shelf)

    def turn(self, turn: str) -> Turn:
        return self.checkpoints.turn(turn, self.folder)

    def write(self, turn: str, name: str, content: str) -> None:
        known = files.read(self.folder, name).version if self.folder.look(name) else None
        self.turn(turn).make(files.plan_write(self.folder, name, content, known=known))

    def command(self, turn: str, **became: str | None) -> list[checkpoints.Changed]:
        """A command that makes files what is given, and deletes those that are given as None."""
        before = self.turn(turn).look()
        for name, content in became.items():
            (self.path / name).unlink() if content is None else (self.path / name).write_text(content)
        return self.turn(turn).note(before)

    def now(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.path.iterdir() if path.is_file()}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "ws")
    yield place
    place.folder.close()


def test_what_a_turn_changed_is_told_from_its_start_to_its_end(place: Place) -> None:
    place.write("t1", "a", "two\n")
    place.write("t1", "b", "new\n")
    place.write("t1", "a", "three\n")

    changes = place.checkpoints.changes("t1")

    assert [(one.name, one.what, one.by) for one in changes] == [("a", "changed", "tool"), ("b", "made", "tool")]
    assert changes[0].diff.endswith("-one\n+three\n")
    assert changes[1].diff.startswith("--- /dev/null\n+++ b/b\n")


@pytest.mark.parametrize("restarts", [False, True])
def test_a_turn_is_undone_with_all_that_came_after_it(place: Place, restarts: bool) -> None:
    place.write("t1", "a", "two\n")
    place.write("t2", "a", "three\n")
    place.write("t2", "b", "new\n")
    place.write("t3", "c", "newer\n")
    if restarts:
        place.restart()

    restored = place.checkpoints.restore("t2", place.folder)

    assert place.now() == {"a": "two\n"}
    assert sorted(restored.restored) == ["a", "b", "c"]
    assert place.checkpoints.turns() == ["t1"]
    place.checkpoints.restore("t1", place.folder)
    assert place.now() == {"a": "one\n"}
    assert not place.shelf.kept


def test_what_someone_else_changed_since_is_left_unless_that_is_wanted(place: Place) -> None:
    place.write("t1", "a", "two\n")
    place.write("t1", "b", "new\n")
    (place.path / "a").write_text("by hand\n")

    restored = place.checkpoints.restore("t1", place.folder)

    assert (restored.restored, restored.conflicts) == (["b"], ["a"])
    assert place.now() == {"a": "by hand\n"}
    assert place.checkpoints.restore("t1", place.folder, is_forced=True).restored == ["a"]
    assert place.now() == {"a": "one\n"}


@pytest.mark.parametrize("turn", ["t1", "t2"])
def test_what_someone_changed_between_is_not_lost_with_what_came_after(place: Place, turn: str) -> None:
    place.write("t1", "a", "two\n")
    (place.path / "a").write_text("by hand\n")
    place.write(turn, "a", "by hand\nand more\n")

    assert place.checkpoints.restore("t1", place.folder).conflicts == ["a"]
    assert place.now() == {"a": "by hand\nand more\n"}


def test_what_a_write_that_failed_was_to_replace_is_still_there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    change = files.plan_write(place.folder, "a", "two\n", known=files.read(place.folder, "a").version)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "make", full)
    with pytest.raises(OSError, match="No space"):
        place.turn("t1").make(change)

    assert place.checkpoints.restore("t1", place.folder).restored == ["a"]
    assert place.now() == {"a": "one\n"}


def test_nothing_is_written_whose_old_content_could_not_be_kept(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(name: str, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(place.shelf, "put", full)

    with pytest.raises(StorageFailed, match="could not be kept for an undo: No space"):
        place.write("t1", "a", "two\n")

    assert place.now() == {"a": "one\n"}


def test_what_a_command_changed_is_told_and_undone(place: Place) -> None:
    (place.path / "gone").write_text("was here\n")
    (place.path / "gone").chmod(0o755)

    noted = place.command("t1", a="two\n", gone=None, new="made\n")

    assert [(one.name, one.what, one.by) for one in noted] == [
        ("a", "changed", "command"),
        ("gone", "deleted", "command"),
        ("new", "made", "command"),
    ]
    assert not place.checkpoints.restore("t1", place.folder).conflicts
    assert place.now() == {"a": "one\n", "gone": "was here\n"}
    assert (place.path / "gone").stat().st_mode & 0o777 == 0o755


def test_what_a_command_only_touched_is_not_told(place: Place) -> None:
    assert place.command("t1", a="one\n") == []
    assert place.checkpoints.turns() == []


def test_what_could_not_be_kept_is_told_and_never_guessed(place: Place) -> None:
    (place.path / "big").write_text("x" * 200_000)

    noted = place.command("t1", big="y", a="two\n")
    restored = place.checkpoints.restore("t1", place.folder, is_forced=True)

    assert {one.name: bool(one.not_kept) for one in noted} == {"a": False, "big": True}
    assert (restored.restored, restored.not_kept) == (["a"], ["big"])
    assert place.now() == {"a": "one\n", "big": "y"}


def test_a_file_that_came_and_went_in_one_turn_leaves_no_trace(place: Place) -> None:
    place.write("t1", "b", "new\n")
    place.command("t1", b=None)

    assert place.checkpoints.turns() == []
    assert not place.shelf.kept


def test_a_tree_too_large_to_look_at_gives_no_false_changes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "_MOST_LOOKED_AT", 5)
    for number in range(10):
        (place.path / f"f{number}").write_text("x")

    noted = place.command("t1", a="two\n", a0="comes before the others\n")

    assert [one.name for one in noted] == ["a"]


def test_the_oldest_turns_go_when_there_is_no_more_room(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "MOST_BYTES", 1000)
    for number in range(5):
        place.write(f"t{number}", "a", f"{number}" * 400)

    assert place.checkpoints.turns() == ["t3", "t4"] or place.checkpoints.turns() == ["t2", "t3", "t4"]
    assert sum(len(data) for name, data in place.shelf.kept.items() if name.startswith("bytes-")) <= 1000
    place.checkpoints.restore("t4", place.folder)
    assert place.now() == {"a": "3" * 400}


def test_what_was_changed_in_another_folder_is_not_put_back_into_this(place: Place, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/a").write_text("two\n")
    place.write("t1", "a", "two\n")
    place.write("t1", "b", "new\n")

    with Folder(tmp_path / "other") as other, pytest.raises(Conflict, match="Choose that folder again"):
        place.checkpoints.restore("t1", other, is_forced=True)

    assert (tmp_path / "other/a").read_text() == "two\n"
    assert place.checkpoints.restore("t1", place.folder).restored == ["a", "b"]
