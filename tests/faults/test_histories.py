"""Several clients of one conversation while the server is killed, stopped, cut off: what they saw can have happened.

And the judge of that is judged: it sees each way in which something could be lost, doubled, reordered or brought back.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.conftest import Dice, times
from tests.faults.histories import histories, summary
from tests.faults.judge import Answer, History, Op, Reading, complaints


# Bad input 30
def test_nothing_is_lost_doubled_reordered_or_brought_back(
    tmp_path: Path, dice: Dice, note: Callable[[str], None]
) -> None:
    told = list(histories(tmp_path, times(20, 2_000, 10_000), dice))

    note(summary(told))
    assert sum(op.asked > 1 for one in told for op in one.ops), "nobody was cut off: nothing was tried"
    for one in told:
        assert complaints(one) == [], f"seed {one.seed}"


M1, M2, A1, A2 = ("user", "m1"), ("user", "m2"), ("answer", "r1"), ("answer", "r2")


def history() -> History:
    """Two messages and their answers, one of them seen by another client; then deleted and restored."""
    ops = [
        Op(0, "send", 1, message_id="m1", outcome="ok", returned=2, run_id="r1", revision=1),
        Op(1, "read", 3, outcome="ok", returned=4, seen=(M1,), revision=1),
        Op(1, "rename", 5, title="named", outcome="ok", returned=7, revision=3),
        Op(0, "send", 6, message_id="m2", outcome="ok", returned=8, run_id="r2", revision=4),
        Op(1, "read", 9, outcome="ok", returned=10, seen=(M1, A1, M2, A2), revision=5, title="named"),
        Op(0, "delete", 11, outcome="ok", returned=12),
        Op(1, "read", 13, outcome="ok", returned=14),
        Op(1, "restore", 15, outcome="ok", returned=16),
        Op(0, "read", 17, outcome="ok", returned=18, seen=(M1, A1, M2, A2), revision=5, title="named"),
    ]
    readings = [Reading(run, [1, 2, 3], text, "stream_end") for run, text in (("r1", "a b"), ("r2", "c d"))]
    answers = [Answer("r1", "m1", "a b", "done"), Answer("r2", "m2", "c d", "done")]
    return History(
        "", ops, readings, {one.run_id: replace(one) for one in readings}, answers, {"m1": "a b", "m2": "c d"}
    )


def last(told: History, **changes: object) -> None:
    told.ops[-1] = replace(told.ops[-1], **changes)


def more(told: History, *ops: Op) -> None:
    told.ops += ops


def reader(told: History, **changes: object) -> None:
    told.readings[0] = replace(told.readings[0], **changes)


def answer(told: History, text: str, outcome: str) -> None:
    told.answers[1] = Answer("r2", "m2", text, outcome)
    told.readings[1] = told.replays["r2"] = replace(told.replays["r2"], text=text)


UNDO = Op(0, "undo", 20, outcome="ok", returned=21, revision=6)
LATE = Op(2, "send", 5, message_id="m3")
"""Nobody knows whether it was done."""

M3, A3 = ("user", "m3"), ("answer", "r3")
UNDONE = Op(0, "read", 22, outcome="ok", returned=23, seen=(M1, A1), revision=6, title="named")

POSSIBLE: dict[str, Callable[[History], None]] = {
    "as it was": lambda told: None,
    "an answer is not there yet": lambda told: more(
        told, Op(1, "read", 6, outcome="ok", returned=7, seen=(M1,), revision=1)
    ),
    "what was never answered was not done": lambda told: more(told, LATE),
    "what was never answered was done, late": lambda told: more(
        told,
        LATE,
        Op(0, "read", 20, outcome="ok", returned=21, seen=(M1, A1, M2, A2, M3, A3), revision=7, title="named"),
    ),
    "the last turn was undone": lambda told: more(told, UNDO, UNDONE),
    "what was undone was put back": lambda told: more(
        told,
        UNDO,
        UNDONE,
        Op(1, "put_back", 24, outcome="ok", returned=25, revision=7),
        Op(1, "read", 26, outcome="ok", returned=27, seen=(M1, A1, M2, A2), revision=7, title="named"),
    ),
    "an answer was cut off": lambda told: answer(told, "c", "interrupted"),
}

QUEUED = [
    Op(0, "queue", 20, message_id="m3", outcome="ok", returned=21),
    Op(1, "queue", 22, message_id="m4", outcome="ok", returned=23),
]
M4, A4 = ("user", "m4"), ("answer", "r4")


def queued(told: History, *seen: tuple[str, str], waiting: tuple[str, ...] = ()) -> None:
    entries = (M1, A1, M2, A2, *seen)
    read = Op(0, "read", 24, outcome="ok", returned=25, seen=entries, revision=20, title="named", waiting=waiting)
    more(told, *QUEUED, read)


POSSIBLE |= {
    "the queue was sent": lambda told: queued(told, M3, A3, M4, A4),
    "one of the queue was sent": lambda told: queued(told, M3, A3, waiting=("m4",)),
    "the queue waits": lambda told: queued(told, waiting=("m3", "m4")),
}

R3 = ("answer", "r3")
STEERED = [
    Op(0, "send", 20, message_id="m3", outcome="ok", returned=21, run_id="r3", revision=6),
    Op(1, "steer", 22, message_id="m4", outcome="ok", returned=23, is_accepted=True),
]
WITHDRAWN = Op(0, "queue_delete", 24, target="m4", outcome="ok", returned=25)


def steered(
    told: History, *seen: tuple[str, ...], waiting: tuple[str, ...] = (), more_ops: tuple[Op, ...] = ()
) -> None:
    entries = (M1, A1, M2, A2, M3, *seen)
    read = Op(0, "read", 26, outcome="ok", returned=27, seen=entries, revision=20, title="named", waiting=waiting)
    more(told, *STEERED, *more_ops, read)


def answered(told: History, text: str, outcome: str) -> None:
    """`m3`, whose agent took `m4`."""
    told.scripts |= {"m3": "e f ", "m4": "g h "}
    told.answers.append(Answer("r3", "m3", text, outcome, told=("m4",)))


CHOSEN = [
    Op(0, "edit", 20, target="m2", message_id="m3", outcome="ok", returned=21, run_id="r3", revision=6),
    Op(1, "version", 22, target="m3", number=1, outcome="ok", returned=23, revision=8),
]
BOTH = (("m2", ("m2", "m3"), 0),)


def chosen(told: History, *seen: tuple[str, ...], versions: object = BOTH) -> None:
    read = Op(0, "read", 24, outcome="ok", returned=25, seen=seen, revision=8, title="named")
    more(told, *CHOSEN, replace(read, versions=versions))


POSSIBLE |= {
    "an agent took what it was told": lambda told: steered(told, (*R3, "m4")),
    "what an agent did not take is sent": lambda told: steered(told, R3, M4, A4),
    "what an agent did not take waits": lambda told: steered(told, R3, waiting=("m4",)),
    "what was withdrawn is not taken": lambda told: steered(told, R3, more_ops=(WITHDRAWN,)),
    "an answer says what its agent was told": lambda told: answered(told, "e g h f ", "done"),
    "an answer was cut off in what its agent was told": lambda told: answered(told, "e g ", "interrupted"),
    "a version was chosen": lambda told: chosen(told, M1, A1, M2, A2),
}

IMPOSSIBLE: dict[str, Callable[[History], None]] = {
    "a message is lost": lambda told: last(told, seen=(M1, A1)),
    "an answer is lost": lambda told: last(told, seen=(M1, A1, M2)),
    "a message is doubled": lambda told: last(told, seen=(M1, A1, M2, A2, M2, A2)),
    "an answer is doubled": lambda told: last(told, seen=(M1, A1, M2, A2, A2)),
    "messages are reordered": lambda told: last(told, seen=(M2, A2, M1, A1)),
    "answers are swapped": lambda told: last(told, seen=(M1, A2, M2, A1)),
    "a message is there that nobody sent": lambda told: last(told, seen=(M1, A1, M2, A2, M3)),
    "a name is lost": lambda told: last(told, title="m1"),
    "what was deleted is there": lambda told: more(told, replace(told.ops[-1], invoked=13, returned=14)),
    "what was restored is gone": lambda told: last(told, seen=None),
    "what was refused was done": lambda told: told.ops.__setitem__(3, replace(told.ops[3], outcome="fail")),
    "what was never answered was done twice": lambda told: more(
        told, LATE, Op(0, "read", 20, outcome="ok", returned=21, seen=(M1, A1, M2, A2, M3, A3, M3, A3), revision=9)
    ),
    "what was never answered was done before it was asked for": lambda told: more(
        told,
        replace(LATE, invoked=30),
        Op(0, "read", 20, outcome="ok", returned=21, seen=(M1, A1, M2, A2, M3), revision=6),
    ),
    "what was undone comes back": lambda told: more(told, UNDO, UNDONE, replace(told.ops[-1], invoked=24, returned=25)),
    "two changes have one revision": lambda told: more(told, replace(UNDO, revision=4), UNDONE),
    "a revision goes back": lambda told: last(told, revision=4),
    "a page is given a newer revision than its messages": lambda told: more(
        told, UNDO, replace(told.ops[-1], invoked=20, returned=21, revision=6)
    ),
    "an event was not shown": lambda told: reader(told, numbers=[1, 3]),
    "an event was shown twice": lambda told: reader(told, numbers=[1, 2, 2, 3]),
    "events were shown in another order": lambda told: reader(told, numbers=[1, 3, 2]),
    "the last event was not shown": lambda told: reader(told, numbers=[1, 2]),
    "a reader was told to start afresh": lambda told: reader(told, trouble="was told resync"),
    "shown words are not in the journal": lambda told: reader(told, text="a b c"),
    "shown words are not in the document": lambda told: told.answers.__setitem__(
        0, Answer("r1", "m1", "", "interrupted")
    ),
    "an answer has the words of another": lambda told: answer(told, "a b", "done"),
    "a whole answer is not whole": lambda told: answer(told, "c", "done"),
    "what waited is lost": lambda told: queued(told, M3, A3),
    "what waited is sent and waits": lambda told: queued(told, M3, A3, waiting=("m3", "m4")),
    "what waited is sent twice": lambda told: queued(told, M3, A3, M3, A3, waiting=("m4",)),
    "the queue is sent in another order": lambda told: queued(told, M4, A4, M3, A3),
    "what an agent took is lost": lambda told: steered(told, R3),
    "what an agent took waits as well": lambda told: steered(told, (*R3, "m4"), waiting=("m4",)),
    "what an agent took is sent as well": lambda told: steered(told, (*R3, "m4"), M4, A4),
    "an agent took it twice": lambda told: steered(told, (*R3, "m4", "m4")),
    "an agent took what was withdrawn": lambda told: steered(told, (*R3, "m4"), more_ops=(WITHDRAWN,)),
    "an agent took what nobody told it": lambda told: steered(told, (*R3, "m5")),
    "an agent is told that is not at work": lambda told: more(told, STEERED[1]),
    "an answer does not say what its agent was told": lambda told: answered(told, "e f ", "done"),
    "an answer ends in the middle of what its agent was told": lambda told: answered(told, "e g f ", "done"),
    "a chosen version is not there": lambda told: chosen(told, M1, A1, M3, A3),
    "what followed a version is lost": lambda told: chosen(told, M1, A1, M2),
    "a version is lost": lambda told: chosen(told, M1, A1, M2, A2, versions=()),
    "versions have changed places": lambda told: chosen(told, M1, A1, M2, A2, versions=(("m2", ("m3", "m2"), 1),)),
    "a run is gone": lambda told: told.replays.__delitem__("r1"),
}


@pytest.mark.parametrize("change", POSSIBLE.values(), ids=POSSIBLE)
def test_the_judge_believes_what_can_have_happened(change: Callable[[History], None]) -> None:
    told = history()

    change(told)

    assert complaints(told) == []


@pytest.mark.parametrize("change", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_the_judge_sees_what_cannot_have_happened(change: Callable[[History], None]) -> None:
    told = history()

    change(told)

    assert complaints(told) != []
