"""Events on the wire, held to the cases that the page's reducer is held to."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.events import Event
from api.domain.ids import RunId
from api.http.sse import encode, frame, name_and_data
from tests.serving import parse_frames

CASES = sorted((Path(__file__).parents[1] / "contract/runs").glob("*.json"))
CONTROLS = st.text() | st.text("\r\n\x85\u2028\u2029: \x00id", max_size=20)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_events_of_a_case_go_out_as_its_frames(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    events = msgspec.convert(case["events"], list[Event])

    sent = [{"event": name, "data": data} for name, data in map(name_and_data, events)]

    assert _without_defaults(json.loads(msgspec.json.encode(sent))) == _without_defaults(case["frames"])


def test_there_are_cases() -> None:
    assert len(CASES) >= 10


@given(text=CONTROLS)
def test_no_text_breaks_out_of_its_frame(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    [event] = msgspec.convert([{"type": "text.delta", "seq": 3, "text": text}], list[Event])

    wire = encode(RunId("run-1"), [event]).decode()

    # As a browser splits a stream: at CR, LF and both.
    assert wire.count("\n") == 4 and "\r" not in wire
    [read] = parse_frames(iter(wire.split("\n")))
    assert (read.name, read.id, read.data) == ("token", "run-1:3", {"seq": 3, "text": text})


def test_a_frame_without_a_number_says_none() -> None:
    assert frame("done", {}) == b"event: done\ndata: {}\n\n"


def _without_defaults(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A field that is absent means the same as one that says nothing."""
    empty = (None, "", 0, False, [], {})
    return [
        {"event": one["event"], "data": {key: value for key, value in one["data"].items() if value not in empty}}
        for one in frames
    ]
