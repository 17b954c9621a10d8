"""What a new process makes of the runs that a dead one left."""

import shutil
from pathlib import Path

import msgspec
import pytest

from api.domain.attachments import Attachment
from api.domain.events import TextDelta, ToolEnded
from api.runs.journal import JournalUnreadable, read_journal
from api.runs.recovery import recover, told_in_journals
from api.runs.turns import NewTurn
from api.sessions.attachments import Attachments
from api.sessions.drafts import Drafts
from api.sessions.keeping.unclaimed import Unclaimed
from api.sessions.queues import Queues
from tests import pictures

from .conftest import World

pytestmark = pytest.mark.anyio


async def abandoned(world: World, *words: str) -> tuple[str, str]:
    """A session and its run, left as `kill -9` leaves them."""
    session = world.store.new()
    started = await world.conversing.start(session.session_id, NewTurn(text="hello"))
    run = world.engine.find(started.stream_id)
    assert run is not None
    for word in words:
        run._record([TextDelta(text=word)])
    world.restart()
    return session.session_id, started.stream_id


def answers(world: World, session_id: str) -> list[tuple[str, str | None]]:
    messages = world.store.get(session_id).messages
    return [(one["content"], one.get("outcome")) for one in messages if one["role"] == "assistant"]


async def test_a_run_whose_process_died_is_interrupted_with_every_word_kept(world: World) -> None:
    session_id, run_id = await abandoned(world, "all ", "of ", "it")

    report = recover(world.store, world.folder / "runs")

    assert report.recovered == 1
    assert answers(world, session_id) == [("all of it", "interrupted")]
    assert (await world.viewing.status(run_id))["outcome"] == "interrupted"


async def test_recovering_twice_changes_nothing(world: World) -> None:
    session_id, _ = await abandoned(world, "once")
    recover(world.store, world.folder / "runs")
    before = (world.folder / "sessions" / f"{session_id}.json").read_bytes()

    report = recover(world.store, world.folder / "runs")

    assert (report.recovered, report.already_done) == (0, 0)
    assert (world.folder / "sessions" / f"{session_id}.json").read_bytes() == before


async def test_a_recovery_that_died_before_filing_the_journal_is_finished_by_the_next(world: World) -> None:
    session_id, run_id = await abandoned(world, "once")
    journal = world.folder / "runs" / f"{run_id}.jsonl"
    recover(world.store, world.folder / "runs")
    shutil.move(world.folder / "runs" / "ended" / journal.name, journal)
    world.restart()

    report = recover(world.store, world.folder / "runs")

    assert report.already_done == 1
    assert answers(world, session_id) == [("once", "interrupted")]


# Bad input 74
async def test_a_journal_cut_at_any_byte_gives_its_longest_whole_part(world: World, tmp_path: Path) -> None:
    _, run_id = await abandoned(world, *(f"word{number} " for number in range(12)))
    whole = (world.folder / "runs" / f"{run_id}.jsonl").read_bytes()
    lines = whole.splitlines(keepends=True)
    cut = tmp_path / "cut.jsonl"

    for length in range(len(whole)):
        cut.write_bytes(whole[:length])
        complete = whole[:length].count(b"\n")
        if length < len(lines[0]) - 1:
            with pytest.raises(JournalUnreadable):
                read_journal(cut)
            continue
        recovered = read_journal(cut)
        assert len(recovered.events) == max(0, complete - 1)
        assert recovered.valid_bytes + recovered.lost_bytes == length


# Bad input 74
async def test_a_journal_damaged_at_any_byte_gives_what_stood_before(world: World, tmp_path: Path) -> None:
    _, run_id = await abandoned(world, *(f"word{number} " for number in range(6)))
    whole = (world.folder / "runs" / f"{run_id}.jsonl").read_bytes()
    good = read_journal(world.folder / "runs" / f"{run_id}.jsonl").events
    bad = tmp_path / "bad.jsonl"

    for position in range(len(whole)):
        bad.write_bytes(whole[:position] + bytes([whole[position] ^ 0x15]) + whole[position + 1 :])
        try:
            events = read_journal(bad).events
        except JournalUnreadable:
            assert position < whole.index(b"\n") + 1
            continue
        assert events == good[: len(events)]


async def test_a_torn_last_line_is_cut_off_before_the_ending_is_written(world: World) -> None:
    session_id, run_id = await abandoned(world, "kept ")
    journal = world.folder / "runs" / f"{run_id}.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"crc":"00000000","event":{"type":"text.del')

    recover(world.store, world.folder / "runs")

    assert answers(world, session_id) == [("kept ", "interrupted")]
    assert [event.seq for event in read_journal(world.folder / "runs/ended" / journal.name).events] == [1, 2]


async def test_a_journal_nobody_can_read_is_set_aside_and_its_session_freed(world: World) -> None:
    session_id, run_id = await abandoned(world, "lost")
    journal = world.folder / "runs" / f"{run_id}.jsonl"
    journal.write_bytes(b"\0" * 200)

    report = recover(world.store, world.folder / "runs")
    view = await world.viewing.session(session_id)

    assert report.unreadable == 1
    assert (world.folder / "runs/unreadable" / journal.name).exists()
    assert view.active_run is None
    assert answers(world, session_id) == [("", "interrupted")]


async def test_a_journal_that_was_never_written_to_is_no_trouble(world: World) -> None:
    session_id, run_id = await abandoned(world, "kept")
    folder = world.folder / "runs"
    (folder / "run-0.jsonl").touch()

    report = recover(world.store, folder)

    assert (report.recovered, report.unreadable, report.failed) == (1, 0, 0)
    assert [path.name for path in folder.rglob("*.jsonl")] == [f"{run_id}.jsonl"]
    assert answers(world, session_id) == [("kept", "interrupted")]


# Bad input 75
async def test_a_session_that_was_away_during_the_recovery_has_every_word_when_it_is_back(world: World) -> None:
    session_id, _ = await abandoned(world, "all ", "of ", "it")
    document = world.folder / "sessions" / f"{session_id}.json"
    shutil.move(document, world.folder / "away.json")
    assert recover(world.store, world.folder / "runs").recovered == 0

    shutil.move(world.folder / "away.json", document)
    await world.viewing.session(session_id)

    assert answers(world, session_id) == [("all of it", "interrupted")]


# Bad input 75
async def test_a_message_whose_run_left_no_journal_can_be_answered_again(world: World) -> None:
    session_id, run_id = await abandoned(world)
    (world.folder / "runs" / f"{run_id}.jsonl").unlink()

    started = await world.conversing.resume(session_id)
    world.agent.says(TextDelta(text="now")).ends()
    await world.until_ended(started.stream_id)

    assert [one["content"] for one in world.store.get(session_id).messages] == ["hello", "now"]


async def test_a_prompt_that_another_program_kept_as_pending_becomes_a_message(world: World) -> None:
    folder = world.folder / "sessions"
    folder.mkdir(exist_ok=True)
    document = {"session_id": "abc123", "title": "Old", "messages": [], "active_stream_id": "gone"}
    (folder / "abc123.json").write_bytes(msgspec.json.encode(document | {"pending_user_message": "do not lose me"}))

    view = await world.viewing.session("abc123")

    assert [one["content"] for one in view.messages] == ["do not lose me", ""]
    assert view.session.pending_user_message is None


async def a_picture(world: World) -> tuple[str, str, Attachment]:
    """A session, its run, and a picture of which only the journal tells."""
    session = world.store.new()
    started = await world.conversing.start(session.session_id, NewTurn(text="hello"))
    given = world.engine.attachments.take(session.session_id, "shot.png", pictures.png(4, 3))
    run = world.engine.find(started.stream_id)
    assert run is not None
    run._record([ToolEnded(call_id="c1", attachments=(given,))])
    return session.session_id, started.stream_id, given


async def test_a_picture_that_only_a_journal_names_is_not_cleared_away(world: World) -> None:
    session_id, _, given = await a_picture(world)
    unnamed = world.engine.attachments.take(session_id, "other.png", pictures.png(4, 3))
    runs, now = world.folder / "runs", [1_000.0]
    unclaimed = Unclaimed(
        world.store,
        Attachments(world.store),
        Drafts(world.folder / "drafts"),
        Queues(world.folder / "queues"),
        told_in_journals=lambda session_id: told_in_journals(runs, session_id),
        clock=lambda: 1_800_000_000.0 + now[0],
        ticks=lambda: now[0],
    )
    for _ in range(3):
        unclaimed.remove()
        now[0] += 90_000.0

    assert world.engine.attachments.known(session_id, [given.id, unnamed.id]) == [given]


async def test_an_answer_whose_document_is_gone_keeps_its_pictures(world: World) -> None:
    session_id, _, given = await a_picture(world)
    world.restart()
    world.store.path_of(session_id).unlink()

    recover(world.store, world.folder / "runs")

    [kept] = [path.stem for path in world.store.folder.glob("*.json") if path.stem != session_id]
    assert world.engine.attachments.named(kept, [given.id]) == [given]
