"""Lives of one server that all end by `kill -9`, and what its clients were shown and told in each.

Nothing is judged here: the tests judge what is written down.
"""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.faults.conftest import Dice
from tests.serving import Client, Frame, ServerProcess, Watcher

STREAMS = 3
READERS = 2
FIRST_MESSAGES = 3
PACE_S = 0.005
LONGEST_LIFE_S = 0.5
SENT_BEFORE_DEATH_S = 0.025


@dataclass
class Sent:
    """A message from a person. `answer` is None when the server died before it answered."""

    session_id: str
    message_id: str
    text: str
    answer: dict[str, Any] | None = None
    found: list[dict[str, Any]] | None = None
    """The session's messages after the next start; None when there was no such session."""


@dataclass
class Reading:
    """What one reader was shown of a run: before the death of the server, and when it came back with its last id."""

    session_id: str
    stream_id: str
    before: list[Frame]
    after: list[Frame] = field(default_factory=list)


@dataclass
class Life:
    """One life, and what the next start made of it."""

    readings: list[Reading]
    first_messages: list[Sent]
    remains: Path
    """A copy of the folder as death left it."""
    ready_s: float = 0.0
    afresh: dict[str, list[Frame]] = field(default_factory=dict)
    """By stream: what someone sees who was not there before."""


@dataclass
class History:
    """All lives, in order. `accepted`: the messages of the streaming sessions that the server said yes to."""

    accepted: dict[str, list[Sent]]
    lives: list[Life]
    documents: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    doctor: str = ""


def live(folder: Path, model: str, script: Callable[[str], str], count: int, dice: Dice) -> History:
    """`count` lives on the folder `folder/state`, in which `model` answers with what `script(words)` makes it say."""
    server = ServerProcess(folder / "state").start()
    client = server.client()
    sessions = [client.new_session() for _ in range(STREAMS)]
    history = History({session: [] for session in sessions}, [])
    try:
        for number in range(count):
            life = _live_once(server, history, model, _scripts(script, number), dice)
            life.remains = folder / f"remains-{number}"
            shutil.copytree(server.state_dir, life.remains)
            began = time.monotonic()
            server.start()
            life.ready_s = time.monotonic() - began
            _come_back(server.client(), life)
            history.lives.append(life)
        history.documents = {session: server.client().messages(session) for session in sessions}
        history.doctor = server.doctor()
    finally:
        server.stop()
    return history


def _scripts(script: Callable[[str], str], number: int) -> Iterator[str]:
    """Messages whose answers differ in every word, so that no word can pass for another."""
    for one in range(10_000):
        yield script(" ".join(f"{number}.{one}.{word}" for word in range(400)))


def _live_once(server: ServerProcess, history: History, model: str, scripts: Iterator[str], dice: Dice) -> Life:
    client = server.client()
    watchers: list[tuple[str, Watcher]] = []
    for session, accepted in history.accepted.items():
        stream = _begin(client, session, accepted, model, next(scripts), dice)
        watchers += [(session, Watcher(server.client(), stream)) for _ in range(READERS)]
    first = [_unsent(client, f"first-{len(history.lives)}-{n}", next(scripts)) for n in range(FIRST_MESSAGES)]
    death = time.monotonic() + SENT_BEFORE_DEATH_S + dice.uniform(0, LONGEST_LIFE_S)
    senders = [_send_at(death - dice.uniform(0, SENT_BEFORE_DEATH_S), server.client(), one, model) for one in first]
    _until(death)
    server.kill()
    for sender in senders:
        sender.join(30)
    readings = [Reading(session, one.stream_id, list(one.whole())) for session, one in watchers]
    return Life(readings, first, Path())


def _begin(client: Client, session: str, accepted: list[Sent], model: str, script: str, dice: Dice) -> str:
    """A new message, or now and then: go on with the answer that was cut off. Gives the run's id."""
    if accepted and dice.random() < 0.3:
        return client.post("/api/chat/continue", session_id=session)["stream_id"]
    sent = Sent(session, f"message-{session[:8]}-{len(accepted)}", script)
    sent.answer = client.start(session, script, message_id=sent.message_id, model=model)
    accepted.append(sent)
    return sent.answer["stream_id"]


def _unsent(client: Client, message_id: str, text: str) -> Sent:
    return Sent(client.new_session(), message_id, text)


def _send_at(moment: float, client: Client, sent: Sent, model: str) -> threading.Thread:
    def send() -> None:
        _until(moment)
        try:
            sent.answer = client.start(sent.session_id, sent.text, message_id=sent.message_id, model=model)
        except httpx2.HTTPError:
            return  # died before it answered

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


def _until(moment: float) -> None:
    """The moments of death are drawn by lot, so here the clock is what is waited for."""
    threading.Event().wait(max(0.0, moment - time.monotonic()))


def _come_back(client: Client, life: Life) -> None:
    for reading in life.readings:
        last_id = next((frame.id for frame in reversed(reading.before) if frame.id), None)
        reading.after = list(client.frames(reading.stream_id, last_id=last_id))
        if reading.stream_id not in life.afresh:
            life.afresh[reading.stream_id] = list(client.frames(reading.stream_id))
    for sent in life.first_messages:
        shown = client.http.get("/api/session", params={"session_id": sent.session_id})
        sent.found = shown.json()["session"]["messages"] if shown.status_code == 200 else None
