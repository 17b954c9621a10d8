"""A server that is asked to stop, that is stopped for a while, or whose terminal is closed."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import Dice, times
from tests.serving import Client, ServerProcess, Watcher, numbers_of, text_of

ENDLESS = "@@pace 0.005\n@@repeat 100000 word "


def begin(client: Client, message: str = ENDLESS) -> tuple[str, Watcher]:
    session = client.new_session()
    watcher = Watcher(client, client.start(session, message)["stream_id"])
    watcher.wait_for(5)
    return session, watcher


# Bad input 60
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_server_that_is_asked_to_stop_keeps_what_was_shown_and_ends_well(
    tmp_path: Path, sign: signal.Signals, note: Callable[[str], None]
) -> None:
    server = ServerProcess(tmp_path / "state").start()
    session, watcher = begin(server.client())
    other_tab = server.client().http.stream("GET", "/api/events")
    with other_tab as events:
        began = time.monotonic()
        assert server.stop(sign) == 0, server.log()
        took_s = time.monotonic() - began
        assert "event: bye" in events.read().decode()
    note(f"{sign.name} with streams open: ended after {took_s:.2f} s")
    assert took_s < 5
    assert "Traceback" not in server.log()
    shown = watcher.whole()
    assert shown[-1].name == "bye"
    assert server.doctor().endswith("Nothing is wrong.\n")
    with server:
        said = server.client().messages(session)[-1]
    assert said["outcome"] == "interrupted"
    assert said["content"].startswith(text_of(shown))


def test_after_stop_not_a_word_more_is_shown(tmp_path: Path, note: Callable[[str], None]) -> None:
    waits = []
    with ServerProcess(tmp_path / "state") as server:
        client = server.client()
        for _ in range(times(10, 100, 100)):
            session, watcher = begin(client)
            began = time.monotonic()
            assert client.post("/api/chat/cancel", stream_id=watcher.stream_id)["cancelled"]
            shown = watcher.whole()
            waits.append(time.monotonic() - began)
            assert shown[-1].name == "cancel"
            assert client.messages(session)[-1]["content"] == text_of(shown)
    note(f"text and stream ended {max(waits) * 1000:.0f} ms after Stop at most, of {len(waits)}")
    assert max(waits) < 5


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_is_told_twice_to_stop_ends_and_still_loses_nothing(
    tmp_path: Path, sign: signal.Signals, note: Callable[[str], None]
) -> None:
    server = ServerProcess(tmp_path / "state").start()
    session, watcher = begin(server.client())
    told_at = time.monotonic()
    server.process.send_signal(sign)
    server.process.send_signal(sign)
    server.process.wait(20)
    note(f"{sign.name} twice: ended after {time.monotonic() - told_at:.2f} s")
    shown = text_of(watcher.whole())
    with server:
        said = server.client().messages(session)[-1]
    assert said["outcome"] == "interrupted"
    assert said["content"].startswith(shown)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_server_stopped_while_it_starts_ends_without_a_traceback(
    tmp_path: Path, sign: signal.Signals, dice: Dice
) -> None:
    server = ServerProcess(tmp_path / "state")
    for _ in range(times(4, 50, 100)):
        server.launch()
        while not (server.state_dir / "lock").exists():
            assert server.process.poll() is None, server.log()
        threading.Event().wait(dice.uniform(0, 1))
        assert server.stop(sign) in (0, 128 + sign, -sign)
        (server.state_dir / "lock").unlink()
    assert "Traceback" not in server.log()


def test_readers_of_a_server_that_was_suspended_see_everything_once(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "state") as server:
        count = 300
        _, watcher = begin(server.client(), f"@@pace 0.003\n@@repeat {count} word ")
        for _ in range(times(2, 20, 50)):
            seen = len(watcher.seen)
            server.process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, server.process.pid, os.WSTOPPED | os.WNOWAIT)
            with pytest.raises(subprocess.TimeoutExpired):
                server.process.wait(0.5)
            server.process.send_signal(signal.SIGCONT)
            watcher.wait_for(seen + 10)
        frames = watcher.whole()
    assert numbers_of(frames) == list(range(1, len(numbers_of(frames)) + 1))
    assert text_of(frames) == "word " * count
    assert frames[-1].data["outcome"] == "done"
