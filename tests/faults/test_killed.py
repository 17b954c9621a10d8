"""`kill -9` of the whole server in the middle of everything."""

import shutil
import statistics
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from tests.fakes.provider import FakeProvider
from tests.faults.conftest import Dice, times
from tests.faults.lives import History, Life, Reading, live
from tests.faults.recovering import contents, recovered, recovered_with_deaths
from tests.serving import ServerProcess, numbers_of, text_of

KEPT = 36
"""Of so many histories the remains are kept, which are 540 folders."""


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory, dice: Dice) -> list[History]:
    """Two at a time, because most of a life is the start of a process: one of them loads what models need as well."""
    shares = [("environment/mock-1", 10), ("scripted/script", 20)] * times(1, 34, 100)
    with FakeProvider() as provider, ThreadPoolExecutor(2) as pool:
        running = [
            pool.submit(live, tmp_path_factory.mktemp("lives"), model, provider.url, count, Dice(dice.random()))
            for model, count in shares
        ]
        return [_lightened(one.result(), keep=number < KEPT) for number, one in enumerate(running)]


def _lightened(history: History, *, keep: bool) -> History:
    """Without the folders that death left, where there are enough of them for those who recover them."""
    for life in history.lives if not keep else []:
        shutil.rmtree(life.remains)
    return history


@pytest.fixture
def lives(histories: list[History]) -> list[Life]:
    return [life for history in histories for life in history.lives]


@pytest.fixture
def readings(lives: list[Life]) -> list[Reading]:
    return [reading for life in lives for reading in life.readings]


def test_what_a_reader_was_shown_is_how_the_recovered_answer_begins(
    histories: list[History], readings: list[Reading]
) -> None:
    assert any(text_of(one.before) for one in readings), "nobody was shown anything: nothing was tried"
    recovered = {
        message["run_id"]: message["content"]
        for history in histories
        for messages in history.documents.values()
        for message in messages
        if message["role"] == "assistant"
    }
    for one in readings:
        answer = recovered.get(one.stream_id, "")
        assert answer.startswith(text_of(one.before))
        assert answer == text_of([*one.before, *one.after])


def test_a_recovered_answer_is_what_the_provider_said_and_nothing_else(histories: list[History]) -> None:
    for history in histories:
        for session, accepted in history.accepted.items():
            spoken = {sent.message_id: sent.text.partition("@@text ")[2] for sent in accepted}
            for message, answer in pairwise(history.documents[session]):
                if message["role"] == "user" and answer["role"] == "assistant":
                    assert spoken[message["id"]].startswith(answer["content"])


def test_a_reader_that_comes_back_has_seen_every_event_once_in_order(lives: list[Life]) -> None:
    for life in lives:
        for one in life.readings:
            numbers = numbers_of([*one.before, *one.after])
            assert numbers == list(range(1, len(numbers) + 1))
            assert numbers == numbers_of(life.afresh[one.stream_id])


def test_a_run_that_was_cut_off_ends_as_interrupted(readings: list[Reading]) -> None:
    for one in readings:
        assert [frame.name for frame in one.after[-2:]] == ["done", "stream_end"]
        assert one.after[-1].data["outcome"] == "interrupted"


def test_every_accepted_message_is_there_once_and_in_order(histories: list[History]) -> None:
    for history in histories:
        for session, accepted in history.accepted.items():
            found = [(m["id"], m["content"]) for m in history.documents[session] if m["role"] == "user"]
            assert found == [(sent.message_id, sent.text) for sent in accepted]
            assert max(Counter(m["id"] for m in history.documents[session]).values()) == 1


def test_an_answer_that_was_cut_off_can_be_gone_on_with(histories: list[History]) -> None:
    for history in histories:
        for session, messages in history.continued.items():
            before = history.documents[session]
            assert before[-1]["outcome"] == "interrupted"
            # An answer without a word is begun anew in its place.
            kept = [message["content"] for message in (before if before[-1]["content"] else before[:-1])]
            assert [message["content"] for message in messages[: len(kept)]] == kept
            assert messages[-1]["content"] and len(messages) == len(kept) + 1


def test_a_first_message_is_whole_or_absent_and_there_if_it_was_acknowledged(lives: list[Life]) -> None:
    for one in (sent for life in lives for sent in life.first_messages):
        mine = [(m["id"], m["content"]) for m in one.found or [] if m["role"] == "user"]
        assert mine in ([], [(one.message_id, one.text)])
        assert mine or one.answer is None


def test_a_killed_server_is_soon_back_and_finds_nothing_wrong(
    histories: list[History], lives: list[Life], readings: list[Reading], note: Callable[[str], None]
) -> None:
    waits = [life.ready_s for life in lives]
    shown = [len(numbers_of(one.before)) for one in readings]
    sent = [one for life in lives for one in life.first_messages]
    answered, kept = sum(one.answer is not None for one in sent), sum(bool(one.found) for one in sent)
    note(f"{len(waits)} kills; ready again after {statistics.median(waits):.2f} s, at most {max(waits):.2f} s")
    note(f"shown before death: {statistics.median(shown):.0f} events at the median, {max(shown)} at most")
    note(f"first messages around death: {len(sent)} sent, {answered} acknowledged, {kept} kept")
    assert max(waits) < 15
    for history in histories:
        assert history.doctor.endswith("Nothing is wrong.\n"), history.doctor


def remaining(lives: list[Life]) -> list[Life]:
    return [life for life in lives if life.remains.exists()]


def test_a_recovery_that_is_killed_five_times_gives_what_an_undisturbed_one_gives(
    lives: list[Life], tmp_path: Path, dice: Dice
) -> None:
    for number, life in enumerate(remaining(lives)[: times(20, 200, 500)]):
        clean = recovered(life.remains, tmp_path / f"clean-{number}")
        disturbed = recovered_with_deaths(life.remains, tmp_path / f"disturbed-{number}", 5, dice)
        assert contents(disturbed) == contents(clean)
        assert not list((disturbed / "runs").glob("*.jsonl"))


def test_a_server_that_is_killed_five_times_while_it_starts_loses_nothing(
    lives: list[Life], tmp_path: Path, dice: Dice
) -> None:
    for number, life in enumerate(remaining(lives)[-times(3, 50, 200) :]):
        clean = recovered(life.remains, tmp_path / f"clean-{number}")
        server = ServerProcess(tmp_path / f"disturbed-{number}")
        shutil.copytree(life.remains, server.state_dir)
        for _ in range(5):
            server.launch()
            threading.Event().wait(dice.uniform(0, life.ready_s))
            server.kill()
        with server:
            assert contents(server.state_dir) == contents(clean)
