"""A clock that is set on, back, to 1970 and to 2100 while the server runs: order is by number, and waits go on."""

import shutil
import time
from pathlib import Path

import pytest

from tests.serving import Client, ServerProcess, Watcher, numbers_of

DAY = 86_400.0
JUMPS = {
    "a day on": DAY,
    "a day back": -DAY,
    "to 1970": -time.time() + 1000,
    "to 2100": 4_102_444_800 - time.time(),
}

CLOCK = """
import time
from pathlib import Path

_time, _ns, _file = time.time, time.time_ns, Path({path!r})

def _offset():
    return float(_file.read_text())

time.time = lambda: _time() + _offset()
time.time_ns = lambda: _ns() + int(_offset() * 1e9)
"""


class WrongClock:
    """What a server started with `wrapper` takes for the time; every wait is measured by another clock."""

    def __init__(self, folder: Path) -> None:
        self._offset = folder / "offset"
        self.set(0.0)
        (folder / "sitecustomize.py").write_text(CLOCK.format(path=str(self._offset)))
        self.wrapper = [str(shutil.which("env")), f"PYTHONPATH={folder}"]

    def set(self, offset_s: float) -> None:
        temp = self._offset.with_suffix(".new")
        temp.write_text(str(offset_s))
        temp.rename(self._offset)


def said(client: Client, session: str) -> list[str]:
    return [message["content"] for message in client.messages(session)]


@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)
def test_messages_keep_their_order_and_streams_go_on_when_the_clock_jumps(jump: float, tmp_path: Path) -> None:
    clock = WrongClock(tmp_path)
    server = ServerProcess(tmp_path / "state", wrapper=clock.wrapper)
    with server:
        client = server.client()
        code = client.post("/api/auth/link")["path"].partition("code=")[2]
        browser = server.client()
        signed_in = browser.http.post(
            "/api/auth/exchange", json={"code": code}, headers={"Origin": server.address, "Authorization": ""}
        )
        assert signed_in.status_code == 200, signed_in.text
        session, other = client.new_session(), client.new_session()
        client.answer(session, "first")
        watcher = Watcher(client, client.start(other, "@@pace 0.01\n@@repeat 150 word ")["stream_id"])
        watcher.wait_for(5)

        clock.set(jump)
        client.answer(session, "second")
        clock.set(0.0)
        client.answer(session, "third")

        frames = watcher.whole()
        assert frames[-1].data["outcome"] == "done"
        assert 0 <= frames[-1].data["duration_ms"] < 60_000
        assert numbers_of(frames) == list(range(1, len(numbers_of(frames)) + 1))
        assert said(client, session) == ["first", "first", "second", "second", "third", "third"]
        first, _, second, *_ = client.messages(session)
        assert abs(second["timestamp"] - first["timestamp"] - jump) < 60, "the clock did not jump"
        assert {row["session_id"] for row in client.get("/api/sessions")["sessions"]} == {session, other}
        # Back at the right time, a login made before the jump is one still.
        assert browser.http.get("/api/sessions", headers={"Authorization": ""}).status_code == 200
        deleted = client.new_session()
        client.answer(deleted, "deleted")
        client.post("/api/session/delete", session_id=deleted)
        server.kill()

        clock.set(jump)
        server.start()
        client = server.client()
        assert said(client, session) == ["first", "first", "second", "second", "third", "third"]
        assert client.answer(session, "fourth") == "fourth"
        client.post("/api/session/restore", session_id=deleted)
        assert said(client, deleted) == ["deleted", "deleted"]
        assert server.doctor().endswith("Nothing is wrong.\n")
