"""Lives of one server that all end by `kill -9`, and what its clients were shown and told in each.

Nothing is judged here: the tests judge what is written down.
"""

import shutil
import threading
import time
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
    lives: list[Life] = field(default_factory=list)
    documents: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Of the streaming sessions, after the last start."""
    continued: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The same, after their last answers were gone on with for a word."""
    doctor: str = ""


def live(folder: Path, model: str, provider_url: str, count: int, dice: Dice) -> History:
    """`count` lives of a server on `folder/state`, with answers of `model`."""
    server = ServerProcess(folder / "state", provider_url=provider_url).start()
    client = server.client()
    history = History({client.new_session(): [] for _ in range(STREAMS)})
    try:
        for number in range(count):
            life = _live_once(server, history, _Scripts(model, number), dice)
            life.remains = folder / f"remains-{number}"
            shutil.copytree(server.state_dir, life.remains)
            began = time.monotonic()
            server.start()
            life.ready_s = time.monotonic() - began
            _come_back(server.client(), life)
            history.lives.append(life)
        history.documents = {session: server.client().messages(session) for session in history.accepted}
        history.continued = {session: _continue(server.client(), session) for session in history.accepted}
        history.doctor = server.doctor()
    finally:
        server.stop()
    return history


class _Scripts:
    """Messages to `model` whose answers differ in every word, so that no word can pass for another."""

    def __init__(self, model: str, life: int) -> None:
        self.model = model
        self._prefixes = (f"{life}.{number}" for number in range(10_000))

    def next(self) -> str:
        prefix = next(self._prefixes)
        return f"@@pace {PACE_S}\n@@text " + " ".join(f"{prefix}.{word}" for word in range(2000))


def _live_once(server: ServerProcess, history: History, scripts: _Scripts, dice: Dice) -> Life:
    client = server.client()
    watchers: list[tuple[str, Watcher]] = []
    for session, accepted in history.accepted.items():
        sent = Sent(session, f"message-{session[:8]}-{len(accepted)}", scripts.next())
        stream = _send(client, sent, scripts.model)
        accepted.append(sent)
        watchers += [(session, Watcher(server.client(), stream)) for _ in range(READERS)]
    first = [Sent(client.new_session(), f"first-{n}", scripts.next()) for n in range(FIRST_MESSAGES)]
    if dice.random() < 0.8:  # else it dies while the first words are still waited for
        for _, watcher in watchers:
            watcher.wait_for(3, 60)  # the first answer of a life loads what models need, while others start
    death = time.monotonic() + SENT_BEFORE_DEATH_S + dice.uniform(0, LONGEST_LIFE_S)
    moments = [death - dice.uniform(0, SENT_BEFORE_DEATH_S) for _ in first]
    senders = [
        _send_at(moment, server.client(), one, scripts.model) for moment, one in zip(moments, first, strict=True)
    ]
    _until(death)
    server.kill()
    for sender in senders:
        sender.join(30)
    readings = [Reading(session, one.stream_id, list(one.whole())) for session, one in watchers]
    return Life(readings, first, Path())


def _send(client: Client, sent: Sent, model: str) -> str:
    """Gives the run's id."""
    sent.answer = client.start(sent.session_id, sent.text, message_id=sent.message_id, model=model)
    return sent.answer["stream_id"]


def _send_at(moment: float, client: Client, sent: Sent, model: str) -> threading.Thread:
    def send() -> None:
        _until(moment)
        try:
            _send(client, sent, model)
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


def _continue(client: Client, session: str) -> list[dict[str, Any]]:
    stream = client.post("/api/chat/continue", session_id=session)["stream_id"]
    watcher = Watcher(client, stream)
    watcher.wait_for(2)
    client.post("/api/chat/cancel", stream_id=stream)
    watcher.whole()
    return client.messages(session)
