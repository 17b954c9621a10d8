"""Conversations of several clients with a server that is killed, stopped and cut off, written down for `judge`.

`python -m tests.faults.histories --runs 2000` makes that many, and tells what cannot have happened.
"""

import argparse
import http.client
import itertools
import json
import os
import random
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.faults.judge import ENDINGS, Answer, Entry, History, Op, Reading, Versions, complaints
from tests.serving import TOKEN, Frame, ServerProcess, parse_frames

AT_ONCE = 10
"""Conversations on one server at the same time."""
KINDS = {"send": 8, "read": 4, "edit": 3, "retry": 3, "undo": 2, "truncate": 1, "clear": 1, "put_back": 3,
         "version": 5, "rename": 2, "copy": 1, "delete": 1, "restore": 1, "cancel": 2, "queue": 4, "steer": 4,
         "queue_delete": 1, "queue_go": 2}  # fmt: skip
IN_PLACE = {kind: often for kind, often in KINDS.items() if not kind.startswith(("queue", "steer"))}
"""What is done when it is asked for or not at all: what many have done later could be done in too many orders."""
PATIENCE_S = 30.0
Dice = random.Random


class Unsent(Exception):
    """The server was not there to be asked."""


class Unanswered(Exception):
    """It was asked, and nobody knows what became of it."""


class World:
    """A server that dies and comes back at the same address, with every connection to it that is open now."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.moment = itertools.count(1)
        self._host = urlsplit(server.address).netloc
        server.port = urlsplit(server.address).port or 0
        self._open: set[socket.socket] = set()
        self._is_up = threading.Event()
        self._is_up.set()

    # What befalls it

    def kill(self) -> None:
        self._is_up.clear()
        self.server.kill()
        self.server.start()
        self._is_up.set()

    def suspend(self, seconds: float) -> None:
        self.server.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.server.process.pid, os.WSTOPPED | os.WNOWAIT)
        threading.Event().wait(seconds)
        self.server.process.send_signal(signal.SIGCONT)

    def cut(self, dice: Dice) -> None:
        """End half of the connections, at whatever they are."""
        for one in list(self._open):
            if dice.random() < 0.5:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def wait_until_up(self) -> None:
        assert self._is_up.wait(PATIENCE_S), "the server does not come back"

    # How it is asked

    @contextmanager
    def _response(self, method: str, path: str, body: Any = None, **headers: str) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(self._host, timeout=PATIENCE_S)
        try:
            connection.connect()
        except OSError as error:
            raise Unsent from error
        wire = connection.sock
        self._open.add(wire)
        try:
            headers |= {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            yield connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unanswered from error
        finally:
            self._open.discard(wire)
            connection.close()

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        with self._response(method, path, body) as response:
            return response.status, json.loads(response.read())

    def frames(self, path: str, last_id: str | None) -> Iterator[Frame]:
        headers = {"Last-Event-ID": last_id} if last_id else {}
        with self._response("GET", path, **headers) as response:
            if response.status != 200:
                yield Frame("refused", json.loads(response.read()), None)
                return
            yield from parse_frames(line.decode().rstrip("\n") for line in response)

    def surely(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask until there is an answer: for what may be asked for twice."""
        while True:
            with suppress(Unsent, Unanswered):
                return self.ask(method, path, body)
            self.wait_until_up()


class Reader(threading.Thread):
    """Follows a run to its end through as many connections as it takes, each after the last number it saw."""

    def __init__(self, world: World, run_id: str, *, together: bool = False) -> None:
        """`together`: by the connection that carries several runs."""
        super().__init__(daemon=True)
        self.reading = Reading(run_id)
        self._world, self._together = world, together
        self.start()

    def run(self) -> None:
        one = self.reading
        while not one.ending and not one.trouble:
            with suppress(Unsent, Unanswered):
                for frame in self._frames():
                    self._take(frame)
            self._world.wait_until_up()

    def _frames(self) -> Iterator[Frame]:
        run_id, seen = self.reading.run_id, self.reading.numbers
        last = seen[-1] if seen else 0
        if self._together:
            return self._world.frames(f"/api/chat/streams?runs={run_id}:{last}", None)
        return self._world.frames(f"/api/chat/stream?stream_id={run_id}", f"{run_id}:{last}" if last else None)

    def _take(self, frame: Frame) -> None:
        one = self.reading
        if frame.name in ("resync", "gone", "refused"):
            one.trouble = f"was told {frame.name}: {frame.data}"
        run_id, _, number = (frame.id or "").rpartition(":")
        if not run_id:
            return
        if run_id != one.run_id:
            one.trouble = f"was shown {frame.id}"
        one.numbers.append(int(number))
        if frame.name == "token":
            one.text += frame.data["text"]
        if frame.name in ENDINGS:
            one.ending = frame.name


class Client(threading.Thread):
    """A tab: does a few things at random, and asks again where nobody answered and asking again is harmless."""

    def __init__(
        self, world: World, talk: "Talk", number: int, dice: Dice, together: threading.Barrier | None = None
    ) -> None:
        """`together`: where it waits for the others before it does anything but look."""
        super().__init__(daemon=True)
        self._together = together
        self._world, self._talk, self._number, self._dice = world, talk, number, dice
        self._revision: int | None = None
        self._mine: list[str] = []
        self._versions: tuple[Versions, ...] = ()
        self.waiting: list[str] = []
        self.is_quiet = False
        """Nothing was being answered when it last looked, and nothing would be."""

    def run(self) -> None:
        for _ in range(self._dice.randint(4, 9) if self._together is None else 5):
            kinds = KINDS if self._together is None else IN_PLACE
            kind = self._dice.choices([*kinds], [*kinds.values()])[0]
            if kind == "version":
                self._wait_for_the_answer()
            if kind not in ("read", "send", "cancel", "queue", "steer"):
                self.do("read")
            if self._together is not None:
                self._together.wait(PATIENCE_S)
            self.do(kind)

    def _wait_for_the_answer(self) -> None:
        """For a while: until it is there, hardly anything is done to what was said."""
        for _ in range(20):
            path = f"/api/session?session_id={self._talk.session_id}&messages=0"
            status, answer = self._world.surely("GET", path)
            if status != 200 or answer["active_run"] is None:
                return
            threading.Event().wait(0.01)

    def do(self, kind: str) -> Op:
        target = self._dice.choice(self._mine) if self._mine else None
        op = Op(self._number, kind, next(self._world.moment), target=target)
        if kind in ("cancel", "queue_go"):
            self._steer(kind)
            return op
        if kind == "queue_delete":
            op.target = self._dice.choice(self.waiting) if self.waiting else "nothing"
        if kind == "version":
            self._choose_version(op)
        self._talk.history.ops.append(op)
        method, path, body = self._request(op)
        while not op.returned:
            op.asked += 1
            try:
                self._settle(op, *self._world.ask(method, path, body))
            except Unsent:
                self._world.wait_until_up()
                if op.asked == 1:
                    op.outcome = "fail"
                    break
            except Unanswered:
                self._world.wait_until_up()
                if kind not in REPEATABLE:
                    break
        return op

    def _choose_version(self, op: Op) -> None:
        """One that does not stand there; where nothing has versions, one that there is not."""
        op.number = 2
        if self._versions:
            op.target, known, now = self._dice.choice(self._versions)
            op.number = self._dice.choice([one for one in range(1, len(known) + 1) if one != now + 1])

    def _steer(self, kind: str) -> None:
        """What changes when something is done, and not what."""
        if kind == "queue_go":
            self._world.surely("POST", "/api/chat/queue/continue", {"session_id": self._talk.session_id})
        elif self._talk.runs:
            self._world.surely("POST", "/api/chat/cancel", {"stream_id": self._dice.choice(self._talk.runs)})

    def _request(self, op: Op) -> tuple[str, str, dict[str, Any] | None]:
        named: dict[str, Any] = {"session_id": self._talk.session_id}
        if op.kind == "read":
            return "GET", f"/api/session?{urlencode(named)}&msg_limit=500", None
        if op.kind in ("send", "edit", "queue", "steer"):
            op.message_id = self._talk.new_message_id(self._number)
            self._talk.history.scripts[op.message_id] = self._script(op)
            said = self._talk.scripts_as_sent[op.message_id]
            if op.kind == "steer":
                op.target = None
                return "POST", "/api/chat/steer", named | {"text": said, "message_id": op.message_id}
            if op.kind != "edit":
                op.target = None
                path = "/api/chat/start" if op.kind == "send" else "/api/chat/queue"
                return "POST", path, named | {"message": said, "message_id": op.message_id, **MODEL}
            more = {"message_id": op.target or "nothing", "message": said, "new_message_id": op.message_id}
            return "POST", "/api/chat/edit", named | more | {"revision": self._revision, **MODEL}
        if op.kind == "rename":
            op.title = f"named {op.invoked}"
            return "POST", "/api/session/rename", named | {"title": op.title}
        if op.kind == "copy":
            return "POST", "/api/session/branch", named | ({"message_id": op.target} if op.target else {})
        if op.kind == "queue_delete":
            return "POST", "/api/chat/queue/delete", named | {"message_ids": [op.target]}
        if op.kind in ("delete", "restore"):
            return "POST", f"/api/session/{op.kind}", named
        more = {"revision": self._revision, "request_id": f"{self._talk.session_id}-{op.invoked}"}
        if op.kind in ("truncate", "version"):
            more["message_id"] = op.target or "nothing"
        if op.kind == "version":
            more["version"] = op.number
        path = "/api/chat/retry" if op.kind == "retry" else f"/api/session/{op.kind}"
        return "POST", path, named | more

    def _script(self, op: Op) -> str:
        """What the answer will be; its words are in no other answer."""
        words = [f"{op.message_id}.{number} " for number in range(self._dice.randint(3, 30))]
        pace = self._dice.choice((0, 0.001, 0.004))
        # What an agent is told is done in the middle of a script and has no steps; the others have, to be told at.
        size = self._dice.randint(3, 30) if op.kind != "steer" else len(words)
        steps = ["".join(words[begin : begin + size]) for begin in range(0, len(words), size)]
        lines = (f"@@step {number}\n@@text {text}" for number, text in enumerate(steps, start=1))
        script = "\n".join(lines) if len(steps) > 1 else f"@@text {steps[0]}"
        self._talk.scripts_as_sent[op.message_id or ""] = f"@@pace {pace}\n{script}" if op.kind != "steer" else script
        return "".join(words)

    def _settle(self, op: Op, status: int, answer: Any) -> None:
        op.returned = next(self._world.moment)
        is_first = op.asked == 1
        if op.kind == "read" and status == 404:
            op.outcome = "ok"
            return
        if status != 200:
            op.code = answer["code"]
            # Refused the second time, it may have been done the first time.
            op.outcome = "fail" if is_first else "info"
            return
        op.outcome = "ok"
        if "stream_id" in answer:
            self._talk.follow(answer["stream_id"], together=self._dice.random() < 0.5)
            op.run_id, op.revision = (answer["stream_id"], answer["revision"]) if is_first else (None, None)
        elif op.kind == "copy":
            self._talk.copies.append((op, answer["session"]["session_id"]))
        elif op.kind == "read":
            self._read(op, answer)
        elif op.kind in ("queue", "steer"):
            op.is_accepted = is_first and answer.get("accepted", False)
            if answer["started"]:
                self._talk.follow(answer["started"]["stream_id"], together=True)
        elif op.kind not in ("delete", "restore", "queue_delete"):
            op.revision = answer["session"]["revision"] if is_first else None

    def _read(self, op: Op, answer: dict[str, Any]) -> None:
        session, run = answer["session"], answer["active_run"]
        op.seen, op.revision, op.title = entries_of(session["messages"]), session["revision"], session["title"]
        op.versions = self._versions = versions_of(session["messages"])
        self._revision = op.revision
        self._mine = [name for role, name, *_ in op.seen if role == "user"]
        self.waiting = [one["message_id"] for one in answer["queue"]["items"]]
        if run is None and (not self.waiting or answer["queue"]["is_held"]):
            self.is_quiet = True
        if run is not None:
            self._talk.follow(run["stream_id"], together=self._dice.random() < 0.5)


MODEL = {"model": "scripted/script"}
REPEATABLE = {"read", "send", "queue", "edit", "retry", "undo", "clear", "truncate", "put_back",
              "version", "steer"}  # fmt: skip
"""What changes nothing, or carries the id of its message or the revision that it is about."""


def entries_of(messages: list[dict[str, Any]]) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    for one in messages:
        if one["role"] == "user" and not one.get("steered"):
            entries.append(("user", one["id"]))
            continue
        run = ("answer", str(one.get("run_id")))
        if not entries or entries[-1][:2] != run:
            entries.append(run)
        if one["role"] == "user":
            entries[-1] = (*entries[-1], one["id"])
    return tuple(entries)


def versions_of(messages: list[dict[str, Any]]) -> tuple[Versions, ...]:
    return tuple((one["id"], tuple(one["versions"]), one["version"]) for one in messages if "versions" in one)


class Talk:
    """One conversation, its clients and its readers."""

    def __init__(self, world: World, seed: str, at_the_same_instant: int = 0) -> None:
        """`at_the_same_instant`: as many clients, who act all at once; else a few, each in its own time."""
        self.history = History(seed)
        self.runs: list[str] = []
        self.copies: list[tuple[Op, str]] = []
        self.scripts_as_sent: dict[str, str] = {}
        self._world, self._dice = world, Dice(seed)
        self._readers: list[Reader] = []
        self._ids = itertools.count()
        self.session_id: str = world.surely("POST", "/api/session/new", MODEL)[1]["session"]["session_id"]
        together = threading.Barrier(at_the_same_instant) if at_the_same_instant else None
        size = at_the_same_instant or self._dice.randint(2, 5)
        self._clients = [Client(world, self, number, Dice(self._dice.random()), together) for number in range(size)]

    def new_message_id(self, client: int) -> str:
        return f"m{self.session_id[:6]}-{client}-{next(self._ids)}"

    def follow(self, run_id: str, *, together: bool) -> None:
        """Have the run read to its end. Some are read twice, when they are seen by two clients."""
        if self.runs.count(run_id) < 2:
            self.runs.append(run_id)
            self._readers.append(Reader(self._world, run_id, together=together))

    def begin(self) -> None:
        if self._dice.random() < 0.8:  # else the first message is one of those that are killed
            self._clients[0].do("send")
        for one in self._clients:
            one.start()

    def end(self) -> History:
        """Wait for everyone, then look at what is left."""
        for one in [*self._clients, *self._readers]:
            one.join(120)
            assert not one.is_alive(), f"{one} goes on (seed {self.history.seed})"
        last = Client(self._world, self, len(self._clients), self._dice)
        if last.do("read").seen is None:
            last.do("restore")
        patience = time.monotonic() + 120
        while last.do("read").seen is not None and not last.is_quiet:
            assert time.monotonic() < patience, f"{self.session_id} does not come to rest (seed {self.history.seed})"
            threading.Event().wait(0.02)
        last.do("read").waiting = tuple(last.waiting)
        self._look_at_answers()
        for one in self._readers:
            one.join(120)
        self.history.readings = [one.reading for one in self._readers]
        for run_id in {*self.runs, *(one.run_id for one in self.history.answers)}:
            replay = Reader(self._world, run_id)
            replay.join(60)
            self.history.replays[run_id] = replay.reading
        return self.history

    def _look_at_answers(self) -> None:
        for op, copied in self.copies:
            op.seen = entries_of(self._messages(copied))
        asked, answers = "", self.history.answers
        for one in self._messages(self.session_id):
            if one["role"] == "user" and not one.get("steered"):
                asked = one["id"]
                continue
            if not answers or answers[-1].run_id != one["run_id"]:
                answers.append(Answer(one["run_id"], asked, "", ""))
            if one["role"] == "user":
                answers[-1].told = (*answers[-1].told, one["id"])
            else:
                answers[-1].text += one["content"]
                answers[-1].outcome = one.get("outcome", "")

    def _messages(self, session_id: str) -> list[dict[str, Any]]:
        status, answer = self._world.surely("GET", f"/api/session?session_id={session_id}&msg_limit=500")
        return answer["session"]["messages"] if status == 200 else []


def play(world: World, count: int, dice: Dice) -> list[History]:
    """`count` conversations at the same time, while the server meets a nemesis."""
    talks = [Talk(world, str(dice.getrandbits(48))) for _ in range(count)]
    beginning = [threading.Thread(target=one.begin, daemon=True) for one in talks]
    for thread in beginning:
        thread.start()
    kinds: list[Callable[[], None]] = [
        world.kill,
        lambda: world.suspend(dice.uniform(0.05, 0.5)),
        lambda: world.cut(dice),
    ]
    for befall in (world.kill, *dice.choices(kinds, k=dice.randint(1, 3))):
        threading.Event().wait(dice.uniform(0, 0.4))
        befall()
    for thread in beginning:
        thread.join()
    return [one.end() for one in talks]


def histories(folder: Path, count: int, dice: Dice) -> Iterator[History]:
    """Histories of conversations on servers below `folder`; each server is examined by the doctor in the end.

    Raises:
        AssertionError: the doctor found something.
    """
    server = ServerProcess(folder / "state").start()
    world = World(server)
    try:
        for begun in range(0, count, AT_ONCE):
            yield from play(world, min(AT_ONCE, count - begun), dice)
        assert server.stop() == 0, server.log()
        said = server.doctor()
        assert said.endswith("Nothing is wrong.\n"), said
    finally:
        if server.process.poll() is None:
            server.kill()


def summary(told: list[History]) -> str:
    outcomes = Counter(op.outcome for one in told for op in one.ops)
    again = sum(op.asked > 1 for one in told for op in one.ops)
    events = sum(len(reading.numbers) for one in told for reading in one.readings)
    return (
        f"{len(told)} histories: {outcomes['ok']} operations done, {outcomes['fail']} refused, "
        f"{outcomes['info']} never answered, {again} asked again; {events} events shown"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    wanted = parser.parse_args()
    began, told, wrong = time.monotonic(), [], 0
    print(f"seed {wanted.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(0, wanted.runs, 100):
            dice = Dice(f"{wanted.seed} {number}")
            for one in histories(Path(folder) / str(number), min(100, wanted.runs - number), dice):
                told.append(one)
                for sentence in complaints(one):
                    wrong += 1
                    print(f"seed {one.seed}: {sentence}", flush=True)
            print(f"{summary(told)}; {wrong} wrong; {time.monotonic() - began:.0f} s", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
