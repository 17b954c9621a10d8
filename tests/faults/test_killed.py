"""`kill -9` of the whole server in the middle of everything."""

import shutil
import statistics
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import Dice, times
from tests.faults.lives import PACE_S, History, Reading, live
from tests.faults.recovering import contents, recovered, recovered_with_deaths
from tests.serving import ServerProcess, numbers_of, text_of


def script(words: str) -> str:
    return f"@@pace {PACE_S}\n@@text {words}"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, dice: Dice) -> History:
    folder = tmp_path_factory.mktemp("lives")
    return live(folder, "scripted/script", script, times(30, 1000, 3000), dice)


def readings(history: History) -> list[Reading]:
    return [reading for life in history.lives for reading in life.readings]


def test_what_a_reader_was_shown_is_how_the_recovered_answer_begins(history: History) -> None:
    assert any(text_of(one.before) for one in readings(history)), "nobody was shown anything: nothing was tried"
    recovered = {
        message["run_id"]: message["content"]
        for messages in history.documents.values()
        for message in messages
        if message["role"] == "assistant"
    }
    retaken = taken_back(history)
    for one in readings(history):
        if one.stream_id not in retaken:
            assert recovered.get(one.stream_id, "").startswith(text_of(one.before))
            assert recovered.get(one.stream_id, "") == text_of([*one.before, *one.after])


def test_a_reader_that_comes_back_has_seen_every_event_once_in_order(history: History) -> None:
    for life in history.lives:
        for one in life.readings:
            numbers = numbers_of([*one.before, *one.after])
            assert numbers == list(range(1, len(numbers) + 1))
            assert numbers == numbers_of(life.afresh[one.stream_id])


def test_a_run_that_was_cut_off_ends_as_interrupted(history: History) -> None:
    for one in readings(history):
        assert [frame.name for frame in one.after[-2:]] == ["done", "stream_end"]
        assert one.after[-1].data["outcome"] == "interrupted"


def test_every_accepted_message_is_there_once_and_in_order(history: History) -> None:
    for session, accepted in history.accepted.items():
        found = [(m["id"], m["content"]) for m in history.documents[session] if m["role"] == "user"]
        assert found == [(sent.message_id, sent.text) for sent in accepted]
        assert max(Counter(m["id"] for m in history.documents[session]).values()) == 1


def test_a_first_message_is_whole_or_absent_and_there_if_it_was_acknowledged(history: History) -> None:
    sent = [one for life in history.lives for one in life.first_messages]
    for one in sent:
        mine = [(m["id"], m["content"]) for m in one.found or [] if m["role"] == "user"]
        assert mine in ([], [(one.message_id, one.text)])
        assert mine or one.answer is None
        assert one.found != [] or one.answer is None


def test_a_killed_server_is_soon_back_and_finds_nothing_wrong(history: History, note: Callable[[str], None]) -> None:
    waits = [life.ready_s for life in history.lives]
    shown = [len(numbers_of(one.before)) for one in readings(history)]
    sent = [one for life in history.lives for one in life.first_messages]
    answered, kept = sum(one.answer is not None for one in sent), sum(bool(one.found) for one in sent)
    note(f"{len(waits)} kills; ready again after {statistics.median(waits):.2f} s, at most {max(waits):.2f} s")
    note(f"shown before death: {statistics.median(shown):.0f} events at the median, {max(shown)} at most")
    note(f"first messages around death: {len(sent)} sent, {answered} acknowledged, {kept} kept")
    assert max(waits) < 15
    assert history.doctor.endswith("Nothing is wrong.\n"), history.doctor


def test_a_recovery_that_is_killed_five_times_gives_what_an_undisturbed_one_gives(
    history: History, tmp_path: Path, dice: Dice
) -> None:
    for number, life in enumerate(history.lives[: times(20, 200, 500)]):
        clean = recovered(life.remains, tmp_path / f"clean-{number}")
        disturbed = recovered_with_deaths(life.remains, tmp_path / f"disturbed-{number}", 5, dice)
        assert contents(disturbed) == contents(clean)
        assert not list((disturbed / "runs").glob("*.jsonl"))


def test_a_server_that_is_killed_five_times_while_it_starts_loses_nothing(
    history: History, tmp_path: Path, dice: Dice
) -> None:
    for number, life in enumerate(history.lives[-times(3, 50, 200) :]):
        clean = recovered(life.remains, tmp_path / f"clean-{number}")
        server = ServerProcess(tmp_path / f"disturbed-{number}")
        shutil.copytree(life.remains, server.state_dir)
        for _ in range(5):
            server.launch()
            threading.Event().wait(dice.uniform(0, life.ready_s))
            server.kill()
        with server:
            assert contents(server.state_dir) == contents(clean)


def taken_back(history: History) -> set[str]:
    """Runs that had not said a word, so that going on with them began them anew."""
    return {one.stream_id for one in readings(history) if not text_of([*one.before, *one.after])}
