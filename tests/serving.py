"""A real server in a process of its own, and a client that follows its streams: the door that users come in by."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

TOKEN = "a-token-for-tests-0123456789"
READY_S = 30.0
ROOT = Path(__file__).parent.parent


class ServerProcess:
    """`python -m api serve` on a free port. Kill it, stop it, start it again on the same folder."""

    def __init__(
        self,
        state_dir: Path,
        *,
        scripted: bool = True,
        wrapper: Sequence[str] = (),
        seen_at: Path | None = None,
        **environment: str,
    ) -> None:
        """`environment`: settings by field name, as in `provider_url="..."`.

        `wrapper`: a command that becomes the server it is given, as `nsenter` does; `seen_at`: where the state folder
        is to be found from here, when that makes it another place.
        """
        self.state_dir = state_dir
        self.seen_at = seen_at or state_dir
        self._wrapper = list(wrapper)
        self._environment = {f"FIRESIDE_{name.upper()}": value for name, value in environment.items()}
        # Titles from a model would be further requests to a provider whose requests are counted.
        self._environment = {"FIRESIDE_TITLES": "0"} | self._environment
        self._environment |= {"FIRESIDE_TOKEN": TOKEN, "FIRESIDE_SCRIPTED": "1" if scripted else "0"}
        self._process: subprocess.Popen[bytes] | None = None
        self.address = ""
        self.port = 0  # a free one; set it to have the next start answer at the same address

    def start(self) -> "ServerProcess":
        """Start it and wait until it answers."""
        self.launch()
        self.wait_until_ready()
        return self

    def launch(self) -> None:
        """Start it, and wait for nothing."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        with self._log_file.open("ab") as log:
            self._told_before = log.tell()
            self._process = subprocess.Popen(
                self.command("serve", "--port", str(self.port), "--no-browser"),
                cwd=ROOT,
                env={**_clean_environment(), **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def command(self, *words: str) -> list[str]:
        """A command of Fireside for this server's folder, as a command line."""
        return [*self._wrapper, sys.executable, "-m", "api", *words, "--state-dir", str(self.state_dir)]

    def doctor(self) -> str:
        """What `doctor` says; its last line tells whether anything is wrong."""
        done = subprocess.run(
            self.command("doctor"), cwd=ROOT, env=_clean_environment(), capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"The server ended with {self.process.returncode}:\n{self.log()}")
            # From what it prints, and not from its folder: the folder may be full.
            if told := re.search(rb"(http://\S+)/#code=", self._log_file.read_bytes()[self._told_before :]):
                self.address = told[1].decode()
                httpx2.get(f"{self.address}/health", timeout=READY_S, trust_env=False).raise_for_status()
                return
            time.sleep(0.01)
        raise AssertionError(f"The server was not ready after {READY_S} s:\n{self.log()}")

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the server was not started"
        return self._process

    @property
    def _log_file(self) -> Path:
        return self.state_dir.parent / f"{self.state_dir.name}.log"

    def log(self) -> str:
        return self._log_file.read_text(errors="replace")

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.wait()

    def stop(self, sign: signal.Signals = signal.SIGTERM, timeout_s: float = 15.0) -> int:
        """Ask it to end; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
        return self.process.wait(timeout_s)

    def client(self) -> "Client":
        return Client(self.address)

    def __enter__(self) -> "ServerProcess":
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()


@dataclass
class Frame:
    """One server-sent event."""

    name: str
    data: dict[str, Any]
    id: str | None


@dataclass
class Client:
    """Speaks the API as a script does, with the token."""

    address: str
    http: httpx2.Client = field(init=False)

    def __post_init__(self) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        self.http = httpx2.Client(base_url=self.address, headers=headers, timeout=30, trust_env=False)

    def get(self, path: str, /, **query: Any) -> Any:
        response = self.http.get(path, params=query)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, /, **body: Any) -> Any:
        response = self.http.post(path, json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def new_session(self) -> str:
        return self.post("/api/session/new")["session"]["session_id"]

    def attach(self, session_id: str, data: bytes, name: str = "a file") -> dict[str, Any]:
        """Give a file to a session, to be sent with a message."""
        response = self.upload(session_id, data, name)
        assert response.status_code == 200, response.text
        return response.json()["attachment"]

    def upload(self, session_id: str, data: bytes | Iterable[bytes], name: str = "a file") -> httpx2.Response:
        query = {"session_id": session_id, "name": name}
        headers = {"Content-Type": "application/octet-stream"}
        return self.http.post("/api/attachment/upload", params=query, content=data, headers=headers)

    def start(self, session_id: str, message: str, **more: Any) -> dict[str, Any]:
        body = {"session_id": session_id, "message": message, "model": "scripted/script", **more}
        return self.post("/api/chat/start", **body)

    def frames(self, stream_id: str, after: int = 0, *, last_id: str | None = None) -> Iterator[Frame]:
        """The frames of a run's stream until it ends. Pings are passed over. `last_id`: as a browser comes back."""
        query = {"stream_id": stream_id, "after_seq": after}
        headers = {"Last-Event-ID": last_id} if last_id else {}
        with self.http.stream("GET", "/api/chat/stream", params=query, headers=headers) as response:
            assert response.status_code == 200
            yield from parse_frames(response.iter_lines())

    def answer(self, session_id: str, message: str, **more: Any) -> str:
        """Send a message and wait for the whole answer."""
        started = self.start(session_id, message, **more)
        return "".join(frame.data["text"] for frame in self.frames(started["stream_id"]) if frame.name == "token")

    def messages(self, session_id: str) -> list[dict[str, Any]]:
        return self.get("/api/session", session_id=session_id, msg_limit=500)["session"]["messages"]


def parse_frames(lines: Iterator[str]) -> Iterator[Frame]:
    name, data, number = "message", "", None
    for line in lines:
        if not line and data:
            yield Frame(name, json.loads(data), number)
            name, data, number = "message", "", None
        key, _, value = line.partition(": ")
        match key:
            case "event":
                name = value
            case "data":
                data = value
            case "id":
                number = value


class Watcher(threading.Thread):
    """A browser tab: reads a run's stream as long as the connection lives, and remembers what it was shown."""

    def __init__(self, client: Client, stream_id: str, *, last_id: str | None = None) -> None:
        super().__init__(daemon=True)
        self._client, self.stream_id, self._last_id = client, stream_id, last_id
        self.seen: list[Frame] = []
        self.has_seen = threading.Condition()
        self.start()

    def run(self) -> None:
        try:
            for frame in self._client.frames(self.stream_id, last_id=self._last_id):
                with self.has_seen:
                    self.seen.append(frame)
                    self.has_seen.notify_all()
        except (httpx2.HTTPError, OSError):
            return  # the server died, as it does in these tests

    def wait_for(self, count: int, timeout_s: float = 20.0) -> None:
        """Wait until it was shown `count` frames."""
        self.wait_until(lambda seen: len(seen) >= count, timeout_s)

    def wait_until(self, holds: Callable[[list[Frame]], bool], timeout_s: float = 20.0) -> None:
        """Wait until `holds` of what it was shown."""
        with self.has_seen:
            assert self.has_seen.wait_for(lambda: holds(self.seen), timeout_s), f"not within {timeout_s} s"

    @property
    def text(self) -> str:
        return text_of(self.seen)

    @property
    def last_id(self) -> str | None:
        """What a browser says when it comes back."""
        return next((frame.id for frame in reversed(self.seen) if frame.id), self._last_id)

    def whole(self, timeout_s: float = 30.0) -> list[Frame]:
        """Everything it was shown, once the stream has ended or broken."""
        self.join(timeout_s)
        assert not self.is_alive(), "the stream goes on"
        return self.seen


def text_of(frames: Iterable[Frame]) -> str:
    """The answer that frames tell."""
    return "".join(frame.data["text"] for frame in list(frames) if frame.name == "token")


def numbers_of(frames: Iterable[Frame]) -> list[int]:
    """The numbers of the events among frames."""
    return [int(frame.id.rpartition(":")[2]) for frame in frames if frame.id]


def _clean_environment() -> dict[str, str]:
    """Without settings of Fireside's; and nothing that a test has installed is downloaded."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FIRESIDE_")}
    return kept | {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1", "UV_NO_CACHE": "1"}
