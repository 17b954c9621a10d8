"""A server that is allowed less than it needs, of file size, open files and memory: all that it can do goes on."""

import json
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from api.runs.journal import read_journal
from tests.faults.conftest import Dice, times
from tests.serving import TOKEN, Client, ServerProcess, Watcher, text_of

if sys.platform != "linux":
    pytest.skip("limits of a running process are set with prlimit, which is of Linux", allow_module_level=True)

import resource

UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
ENDLESS = "@@pace 0.002\n@@repeat 100000 word "


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path / "state") as server:
        yield server


def begin(client: Client) -> tuple[str, Watcher]:
    session = client.new_session()
    watcher = Watcher(client, client.start(session, ENDLESS)["stream_id"])
    watcher.wait_for(10)
    return session, watcher


def said(client: Client, session: str) -> list[str]:
    return [message["content"] for message in client.messages(session)]


def test_a_write_that_is_cut_short_leaves_whole_lines_only_and_nothing_is_glued_to_a_torn_one(
    server: ServerProcess, dice: Dice
) -> None:
    client = server.client()
    shown: dict[str, str] = {}
    for _ in range(times(20, 500, 500)):
        session, watcher = begin(client)
        name = f"{watcher.stream_id}.jsonl"
        size = (server.state_dir / "runs" / name).stat().st_size
        # The write that crosses the limit is cut off there, and every one after it fails.
        limit = (size + dice.randrange(100, 1500), resource.RLIM_INFINITY)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limit)
        frames = watcher.whole()
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, UNLIMITED)
        assert (frames[-1].name, frames[-1].data["code"]) == ("apperror", "storage_failed")
        shown[session] = text_of(frames)
        assert said(client, session)[1] == shown[session]
        path = next(server.state_dir.glob(f"runs/**/{name}"))
        assert path.read_bytes().endswith(b"\n")
        assert read_journal(path).lost_bytes == 0
        assert client.answer(session, "and now") == "and now"
    server.kill()
    with server:
        assert all(said(server.client(), session)[1] == text for session, text in shown.items())
        assert server.doctor().endswith("Nothing is wrong.\n")


def test_what_needs_more_memory_than_there_is_is_given_up_and_all_else_goes_on(server: ServerProcess) -> None:
    client = server.client()
    session, watcher = begin(client)
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    in_use = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmSize")) * 1024
    large = json.dumps({"title": "Large", "messages": [{"role": "user", "content": "x" * 60_000_000}]}).encode()
    resource.prlimit(server.process.pid, resource.RLIMIT_AS, (in_use + 90_000_000, resource.RLIM_INFINITY))

    for _ in range(times(2, 20, 20)):
        try:
            refused = import_(client, large)
        except httpx2.RemoteProtocolError:
            continue  # there was not even enough to answer
        assert (refused.status_code, refused.json()["code"]) == (503, "out_of_memory"), refused.text

    watcher.wait_for(len(watcher.seen) + 100)
    assert client.answer(client.new_session(), "still here") == "still here"
    resource.prlimit(server.process.pid, resource.RLIMIT_AS, UNLIMITED)
    assert import_(client, large).json()["imported"][0]["title"] == "Large"
    server.kill()
    with server:
        assert said(server.client(), session)[1].startswith(text_of(watcher.whole()))
        assert server.doctor().endswith("Nothing is wrong.\n")


def import_(client: Client, data: bytes) -> httpx2.Response:
    return client.http.post("/api/session/import", content=data, headers={"Content-Type": "application/json"})


@pytest.mark.skipif(not shutil.which("prlimit"), reason="this needs prlimit")
def test_more_tabs_than_files_may_be_open_are_told_so_and_keep_nobody_from_an_answer(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "state", wrapper=["prlimit", "--nofile=64:64"]) as server:
        client, early = server.client(), server.client()
        _, watcher = begin(client)
        blank = early.new_session()
        for _ in range(times(3, 20, 20)):
            tabs = [tab(server) for _ in range(100)]
            answers = [first_line(one) for one in tabs]
            assert 1 < answers.count("HTTP/1.1 200 OK") < 40
            assert "HTTP/1.1 503 Service Unavailable" in answers
            watcher.wait_for(len(watcher.seen) + 50)
            assert early.answer(blank, "still here") == "still here"
            for one in tabs:
                one.close()
            assert first_line(tab_until_let_in(server)) == "HTTP/1.1 200 OK"
        assert "Traceback" not in server.log()


def tab(server: ServerProcess) -> socket.socket:
    """An open page, which listens to what changes."""
    where = urlsplit(server.address)
    connection = socket.create_connection((str(where.hostname), int(where.port or 0)), timeout=10)
    request = f"GET /api/events HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    connection.sendall(request.encode())
    return connection


def first_line(connection: socket.socket) -> str:
    try:
        return connection.recv(1000).decode().partition("\r\n")[0]
    except ConnectionResetError:
        return "reset"


def tab_until_let_in(server: ServerProcess) -> socket.socket:
    while first_line(connection := tab(server)) != "HTTP/1.1 200 OK":
        connection.close()
    connection.close()
    return tab(server)
