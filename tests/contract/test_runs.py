"""The cases that both folds of a run must agree on: this one reads them against `api.domain.transcript`."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.events import Event
from api.domain.ids import RunId
from api.domain.transcript import Transcript, fold, messages_of

CASES = sorted((Path(__file__).parent / "runs").glob("*.json"))


def case_in(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def events_of(case: dict[str, Any]) -> list[Event]:
    return msgspec.convert(case["events"], list[Event])


def expected_of(case: dict[str, Any]) -> Transcript:
    return msgspec.convert(case["transcript"], Transcript, strict=False)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_folding_the_events_of_a_case_gives_its_transcript(path: Path) -> None:
    case = case_in(path)

    transcript = fold(events_of(case))

    assert transcript == expected_of(case)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_that_ends_leaves_its_messages_in_the_document(path: Path) -> None:
    case = case_in(path)
    transcript = expected_of(case)

    left = messages_of(transcript, RunId("r"), model="m", now=0.0) if transcript.outcome else None

    assert left == case.get("messages")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_has_one_frame_for_each_event_under_the_same_number(path: Path) -> None:
    case = case_in(path)

    numbers = [event.get("seq", 0) for event in case["events"]]

    assert [frame["data"]["seq"] for frame in case["frames"]] == numbers


@given(path=st.sampled_from(CASES), data=st.data())
def test_resuming_a_case_anywhere_with_any_overlap_gives_the_same_transcript(path: Path, data: st.DataObject) -> None:
    case = case_in(path)
    events = events_of(case)
    cut = data.draw(st.integers(0, len(events)))
    repeated = data.draw(st.integers(0, cut))

    before = fold(events[:cut])
    stored = msgspec.json.decode(msgspec.json.encode(before), type=Transcript)
    after = fold(events[cut - repeated :], onto=stored)

    assert after == expected_of(case)


def test_every_event_of_the_union_is_in_some_case() -> None:
    seen = {event["type"] for path in CASES for event in case_in(path)["events"]}

    known = {kind.__struct_config__.tag for kind in Event.__args__}

    assert seen == known
