"""A disk that takes its time or reports errors: whoever needs it waits or is told, everybody else goes on."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tests.faults.conftest import times
from tests.faults.tracing import Tampering
from tests.serving import Client, ServerProcess, Watcher, numbers_of

SLOW_S = times(2, 30, 30)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path / "state") as server:
        yield server


def send(client: Client, session: str, message: str, message_id: str) -> httpx2.Response:
    body = {"session_id": session, "message": message, "message_id": message_id, "model": "scripted/script"}
    return client.http.post("/api/chat/start", json=body, timeout=200)


def said(client: Client, session: str) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in client.messages(session)]


def test_while_the_disk_is_slow_other_streams_go_on_and_everything_can_be_read(
    server: ServerProcess, note: Callable[[str], None]
) -> None:
    client = server.client()
    old = client.new_session()
    client.answer(old, "before")
    streaming = Watcher(client, client.start(client.new_session(), "@@pace 0.01\n@@repeat 100000 word ")["stream_id"])
    streaming.wait_for(5)
    waiting = [client.new_session() for _ in range(12)]
    slow = Tampering(server.process.pid, f"fsync,fdatasync:delay_enter={int(SLOW_S * 1e6)}")
    with slow, ThreadPoolExecutor(len(waiting)) as pool:
        began = time.monotonic()
        answers = [pool.submit(send, server.client(), one, "hello", "m-1") for one in waiting]
        seen, latencies, reads = len(streaming.seen), [], []
        while time.monotonic() - began < SLOW_S * 0.8:
            latencies.append(_took(lambda: client.get("/health")))
            reads.append(_took(lambda: client.get("/api/session", session_id=old)))
        shown_meanwhile = len(streaming.seen) - seen
        assert not any(answer.done() for answer in answers), "the disk was not slow"
        assert all(answer.result().status_code == 200 for answer in answers)
        assert time.monotonic() - began >= SLOW_S
    note(
        f"fsync takes {SLOW_S} s: /health {max(latencies) * 1000:.0f} ms, a session {max(reads) * 1000:.0f} ms at most"
    )
    assert max(latencies) < SLOW_S / 4
    assert max(reads) < SLOW_S / 4
    assert shown_meanwhile > 20
    for one in waiting:
        assert said(client, one)[0] == ("user", "hello")
    numbers = numbers_of(list(streaming.seen))
    assert numbers == list(range(1, len(numbers) + 1))


def _took(call: Callable[[], object]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


@pytest.mark.parametrize(
    "rule", ["fsync:error=EIO", "fsync:error=EIO:when=1", "fsync:error=EIO:when=2", "rename:error=EIO"]
)
def test_a_message_that_the_disk_refuses_is_refused_and_can_be_sent_again(server: ServerProcess, rule: str) -> None:
    client = server.client()
    old, new = client.new_session(), client.new_session()
    client.answer(old, "before")
    for session, kept in ((old, [("user", "before"), ("assistant", "before")]), (new, [])):
        with Tampering(server.process.pid, rule):
            refused = send(client, session, "again", "m-2")
        assert refused.status_code == 507, refused.text
        assert refused.json()["error"]
        assert said(client, session) == kept
        if kept:
            client.post("/api/session/rename", session_id=session, title="can still be changed")
        again = send(client, session, "again", "m-2")
        assert again.status_code == 200, again.text
        Watcher(client, again.json()["stream_id"]).whole()
        assert said(client, session) == [*kept, ("user", "again"), ("assistant", "again")]
    server.kill()
    with server:
        assert said(server.client(), old)[2:] == [("user", "again"), ("assistant", "again")]
        assert server.doctor().endswith("Nothing is wrong.\n")


def test_an_answer_whose_journal_cannot_be_synced_is_shown_and_kept_all_the_same(server: ServerProcess) -> None:
    client = server.client()
    session = client.new_session()
    watcher = Watcher(client, client.start(session, "@@pace 0.01\n@@repeat 60 word ")["stream_id"])
    watcher.wait_for(3)
    with Tampering(server.process.pid, "fdatasync:error=EIO"):
        watcher.wait_for(40)
    watcher.whole()
    assert said(client, session)[1] == ("assistant", "word " * 60)


def test_an_answer_that_the_disk_does_not_take_ends_with_the_reason(server: ServerProcess) -> None:
    client = server.client()
    session = client.new_session()
    watcher = Watcher(client, client.start(session, "@@pace 0.01\n@@repeat 100000 word ")["stream_id"])
    watcher.wait_for(10)
    # Only the journal is opened to append; everything else is written under a new name.
    journal = next((server.state_dir / "runs").glob("*.jsonl"))
    with Tampering(server.process.pid, "write:error=EIO", only=journal):
        frames = watcher.whole()
    assert (frames[-1].name, frames[-1].data["code"]) == ("apperror", "storage_failed")
    shown = "".join(frame.data["text"] for frame in frames if frame.name == "token")
    assert said(client, session)[1] == ("assistant", shown)
