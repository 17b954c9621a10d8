"""Attachments that nothing names are removed, a day after that was seen; all others stay, whatever happens."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.sessions.attachments import Attachments
from api.sessions.documents.editing import clear
from api.sessions.drafts import Drafts
from api.sessions.keeping.unclaimed import Unclaimed
from api.sessions.queues import Item, Queue, Queues
from tests.sessions.conftest import Shelf

DAY = 86_400.0


class Attic:
    """All that may name an attachment, and what looks after them."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.ticks = 1_000.0
        self.restart()

    def restart(self) -> None:
        state = self.shelf.folder.parent
        store = self.shelf.restart()
        self.attachments = Attachments(store)
        self.drafts, self.queues = Drafts(state / "drafts"), Queues(state / "queues")
        self.unclaimed = Unclaimed(
            store,
            self.attachments,
            self.drafts,
            self.queues,
            clock=lambda: 1_800_000_000.0 + self.ticks,
            ticks=lambda: self.ticks,
        )

    def give(self, session_id: str, text: str) -> str:
        arriving = self.attachments.begin(session_id)
        self.attachments.write(arriving, text.encode())
        given = self.attachments.keep(session_id, arriving, text)
        arriving.discard()
        return given.id

    def pass_days(self, days: float) -> None:
        self.unclaimed.remove()
        self.ticks += days * DAY
        self.unclaimed.remove()

    def left(self) -> set[str]:
        """What is in the files that are there."""
        root = self.shelf.folder.parent / "attachments"
        return {path.read_text() for path in root.glob("*/att-*") if not path.suffix}


@pytest.fixture
def attic(shelf: Shelf) -> Iterator[Attic]:
    yield Attic(shelf)


def test_what_is_named_anywhere_stays_and_all_else_goes_after_a_day(attic: Attic) -> None:
    shelf = attic.shelf
    session = shelf.saved("hello")
    sid = session.session_id
    given = {name: attic.give(sid, name) for name in ("sent", "version", "taken back", "waits", "taken out", "draft")}
    attic.give(sid, "unwanted")

    def named(*names: str) -> list[dict[str, str]]:
        return [{"id": given[name]} for name in names]

    session.messages[0]["attachments"] = named("sent")
    session.messages[0]["alternatives"] = [[{"id": "v", "role": "user", "attachments": named("version")}]]
    session.extra["taken_back"] = [{"messages": [{"id": "t", "attachments": named("taken back")}]}]
    session.save()
    known = {one.id: one for one in attic.attachments.known(sid, list(given.values()))}
    items = [Item(message_id=name, text="", attachments=[known[given[name]]]) for name in ("waits", "taken out")]
    attic.queues.put(Queue(session_id=sid, items=items[:1], removed=None))
    attic.queues.put(Queue(session_id=sid, items=items))
    attic.drafts.put(session, "", [given["draft"]], revision=None)

    attic.pass_days(0.9)
    assert attic.left() == {*given, "unwanted"}
    attic.restart()
    attic.pass_days(0.9)
    assert attic.left() == {*given}
    shelf.store.delete(sid)
    attic.pass_days(40)
    assert attic.left() == {*given}


def test_a_session_that_was_never_begun_takes_what_was_given_to_it_along(attic: Attic) -> None:
    blank = attic.shelf.store.new()
    given = attic.give(blank.session_id, "half a thought")
    attic.drafts.put(blank, "look", [given], revision=None)

    attic.pass_days(3)
    assert attic.left() == {"half a thought"}
    attic.restart()
    attic.pass_days(1.1)

    assert attic.left() == set()
    assert not (attic.shelf.folder.parent / "attachments" / blank.session_id).exists()


def test_a_document_that_is_away_for_a_moment_or_cannot_be_read_loses_nothing(attic: Attic, tmp_path: Path) -> None:
    sid = attic.shelf.saved("hello").session_id
    attic.give(sid, "named")
    session = attic.shelf.store.get(sid)
    session.messages[0]["attachments"] = [{"id": one} for one in _ids(attic, sid)]
    session.save()

    session.path.rename(tmp_path / "away.json")
    attic.pass_days(0.5)
    (tmp_path / "away.json").rename(session.path)
    attic.pass_days(0.6)
    assert attic.left() == {"named"}

    session.path.unlink()
    session.path.symlink_to(tmp_path / "nowhere.json")
    attic.pass_days(30)
    assert attic.left() == {"named"}


def test_what_is_about_to_be_named_is_not_removed_at_that_moment(attic: Attic) -> None:
    sid = attic.shelf.saved("hello").session_id
    given = attic.give(sid, "late")
    attic.unclaimed.remove()
    attic.ticks += 2 * DAY

    attic.attachments.named(sid, [given])
    attic.unclaimed.remove()
    assert attic.left() == {"late"}
    attic.unclaimed.remove()
    assert attic.left() == {"late"}
    attic.unclaimed.remove()
    assert attic.left() == set()


def test_what_a_crash_left_of_a_session_that_was_removed_for_good_is_removed_at_once(attic: Attic) -> None:
    session = attic.shelf.saved("hello")
    attic.give(session.session_id, "gone")
    clear(session, 1.0)
    session.save("clear")
    attic.shelf.store.delete(session.session_id)
    attic.shelf.store.remove_for_good(session.session_id)

    attic.unclaimed.remove()

    assert attic.left() == set()


def test_a_link_in_the_place_of_what_is_attached_is_not_followed(attic: Attic, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/att-1").write_text("of someone's own")
    session = attic.shelf.saved("hello")
    attic.give(attic.shelf.saved("other").session_id, "other")
    (tmp_path / f"attachments/{session.session_id}").symlink_to(tmp_path / "pictures")

    attic.pass_days(30)
    attic.attachments.remove_all(session.session_id)

    assert (tmp_path / "pictures/att-1").read_text() == "of someone's own"


def _ids(attic: Attic, session_id: str) -> list[str]:
    place = attic.shelf.folder.parent / "attachments" / session_id
    return [path.stem for path in place.glob("*.json")]
