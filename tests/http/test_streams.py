"""Streams over HTTP: from any number, for any reader, to the end."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from api.http import protocol
from tests.http.conftest import LocalServer, until
from tests.http.reading import reading
from tests.http.wire import connect, host_of, send_all
from tests.serving import TOKEN, Client, Frame, Watcher

WORDS = "one two three four five six"


def _ended(client: Client, script: str = WORDS) -> str:
    """A run that has ended."""
    session_id = client.new_session()
    stream_id = client.start(session_id, script)["stream_id"]
    assert [frame.name for frame in client.frames(stream_id)][-1] in ("stream_end", "apperror", "cancel")
    return stream_id


def _hanging(client: Client) -> str:
    """A run that has said a word and will say no other."""
    stream_id = client.start(client.new_session(), "@@text word\n@@hang")["stream_id"]
    with reading(client, "/api/chat/stream", stream_id=stream_id) as shown:
        shown.until(lambda frame: frame.name == "token")
    return stream_id


# A run's stream


def test_a_stream_may_be_taken_up_after_any_number_and_repeats_and_misses_nothing(client: Client) -> None:
    stream_id = _ended(client)
    every = list(client.frames(stream_id))
    numbered = [frame.id for frame in every if frame.id]
    assert numbered == [f"{stream_id}:{number}" for number in range(1, len(numbered) + 1)]
    assert [frame.data["seq"] for frame in every if frame.id] == list(range(1, len(numbered) + 1))

    for after in range(len(numbered)):
        header = {"Last-Event-ID": f"{stream_id}:{after}"}
        with reading(client, "/api/chat/stream", header, stream_id=stream_id) as by_header:
            assert [frame.id for frame in by_header.rest() if frame.id] == numbered[after:]
        assert [frame.id for frame in client.frames(stream_id, after) if frame.id] == numbered[after:]


def test_who_has_it_all_is_told_the_ending_again(client: Client) -> None:
    stream_id = _ended(client)
    last = list(client.frames(stream_id))[-1]

    assert [frame.name for frame in client.frames(stream_id, last.data["seq"])] == ["done", "stream_end"]


def test_the_ending_follows_what_the_document_now_holds_and_that_has_no_number(client: Client) -> None:
    *_, done, end = client.frames(_ended(client))

    assert (done.name, done.id) == ("done", None)
    assert [message["content"] for message in done.data["messages"]] == [WORDS]
    assert (end.name, end.data["outcome"]) == ("stream_end", "done")


# Bad input 33
@pytest.mark.parametrize("is_active", [True, False], ids=["of an active run", "of an ended run"])
@pytest.mark.parametrize(
    "last_event_id",
    [
        *("garbage", "", ":", "1", "epoch.7", "¹", "run-00000000000000000000000000000000:1"),
        *("{run}", "{run}:", "{run}:-1", "{run}:x", "{run}:1.5", "{run}:%31", "{run}:²", "{run}:1:1"),
        *("{run}:1000000", "{run}:999999999999999999999999999999"),
    ],
)
def test_a_number_that_is_none_of_the_runs_leads_to_a_fresh_look(
    last_event_id: str, is_active: bool, client: Client
) -> None:
    stream_id = _hanging(client) if is_active else _ended(client)
    header = {"Last-Event-ID": last_event_id.format(run=stream_id).encode("latin-1")}

    with reading(client, "/api/chat/stream", header, stream_id=stream_id) as shown:
        frames = shown.rest()

    assert [(frame.name, frame.id) for frame in frames] == [("resync", None)]


def test_a_stream_is_sent_as_it_comes_and_kept_nowhere(client: Client) -> None:
    with reading(client, "/api/chat/stream", stream_id=_ended(client)) as shown:
        assert shown.headers["content-type"].startswith("text/event-stream")
        assert shown.headers["cache-control"] == "no-store"
        assert shown.headers["x-accel-buffering"] == "no"
        assert shown.rest()[-1].name == "stream_end"


def test_a_run_that_is_stopped_ends_its_streams_and_says_how(client: Client) -> None:
    stream_id = _hanging(client)
    watcher = Watcher(client, stream_id)
    watcher.wait_for(1)

    client.post("/api/chat/cancel", stream_id=stream_id)
    watcher.join(20)

    assert [(frame.name, frame.data.get("outcome")) for frame in watcher.seen][-1] == ("cancel", "cancelled")


# Several runs through one connection


def _together(client: Client, after: dict[str, int]) -> list[Frame]:
    runs = ",".join(f"{stream_id}:{seq}" for stream_id, seq in after.items())
    with reading(client, "/api/chat/streams", runs=runs) as shown:
        return shown.rest()


def _of(stream_id: str, frames: list[Frame]) -> list[Frame]:
    return [frame for frame in frames if frame.id and frame.id.partition(":")[0] == stream_id]


def test_several_runs_come_through_one_connection_each_after_its_own_number(client: Client) -> None:
    runs = [_ended(client, f"{WORDS} {number}") for number in range(3)]

    frames = _together(client, {stream_id: 2 * place for place, stream_id in enumerate(runs)})

    for place, stream_id in enumerate(runs):
        alone = list(client.frames(stream_id, 2 * place))
        assert [(one.name, one.data) for one in _of(stream_id, frames)] == [(one.name, one.data) for one in alone]
        assert [one.id for one in _of(stream_id, frames)] == [one.id or stream_id for one in alone]
    assert len(frames) == sum(len(_of(stream_id, frames)) for stream_id in runs)


def test_a_run_that_waits_holds_up_no_other_and_goes_on_when_it_can(client: Client) -> None:
    waiting, started = _hanging(client), client.start(client.new_session(), WORDS)["stream_id"]

    with reading(client, "/api/chat/streams", runs=f"{waiting}:0,{started}:0") as shown:
        ended = shown.until(lambda frame: frame.name == "stream_end")
        assert (ended.id or "").startswith(f"{started}:")
        client.post("/api/chat/cancel", stream_id=waiting)
        cancelled = shown.until(lambda frame: frame.name == "cancel")

        assert (cancelled.id or "").startswith(f"{waiting}:")
        assert shown.rest() == []


def test_a_run_that_there_is_not_and_a_number_that_is_not_concern_that_run_only(client: Client) -> None:
    good, other, missing = _ended(client), _ended(client), "run-" + "0" * 32

    frames = _together(client, {missing: 0, other: 1_000_000, good: 0})

    [gone] = _of(missing, frames)
    assert (gone.name, gone.data["code"]) == ("gone", "run_not_found")
    assert [frame.name for frame in _of(other, frames)] == ["resync"]
    assert _of(good, frames)[-1].name == "stream_end"


def test_a_server_that_stops_says_goodbye_once_for_all_runs(serve: Callable[..., LocalServer]) -> None:
    local = serve()
    client = local.client()
    first, second = _hanging(client), _hanging(client)
    with reading(client, "/api/chat/streams", runs=f"{first}:0,{second}:0") as shown:
        tokens = [shown.until(lambda frame: frame.name == "token") for _ in range(2)]
        assert {(token.id or "").partition(":")[0] for token in tokens} == {first, second}
        local.stop()

        assert [frame.name for frame in shown.rest()] == ["bye"]


# The stream of changes


def test_who_comes_back_is_told_what_changed_meanwhile_once(client: Client) -> None:
    version = client.get("/api/sessions")["version"]
    kept, gone, blank = (client.new_session() for _ in range(3))
    for session_id in (kept, gone):
        client.answer(session_id, "hello")
    client.post("/api/session/rename", session_id=kept, title="Kept")
    client.post("/api/session/delete", session_id=gone)

    with reading(client, "/api/events", {"Last-Event-ID": version}, after="of-no-account.1") as shown:
        change = shown.until(lambda frame: frame.name == "sessions_changed").data

    assert [row["title"] for row in change["rows"] if row["session_id"] == kept] == ["Kept"]
    assert change["removed"].count(gone) == 1
    assert blank not in str(change)


@pytest.mark.parametrize(
    "after", ["garbage", "", "00000000.1", "{epoch}.", "{epoch}.-1", "{epoch}.999999", "{epoch}.x", ".", "{epoch}"]
)
def test_a_version_that_is_none_of_this_servers_leads_to_a_fresh_look(after: str, client: Client) -> None:
    epoch = client.get("/api/sessions")["version"].partition(".")[0]
    header = {"Last-Event-ID": after.format(epoch=epoch)} if after else None
    query = {} if header else {"after": after}

    with reading(client, "/api/events", header, **query) as shown:
        if after:
            resync = shown.next()
            assert resync is not None and resync.name == "resync"
            assert resync.id == resync.data["version"]
        client.answer(session_id := client.new_session(), "after that")
        change = shown.until(lambda frame: frame.name == "sessions_changed")

    assert [row["session_id"] for row in change.data["rows"]] == [session_id]


def test_two_pages_are_told_the_same(client: Client) -> None:
    version = client.get("/api/sessions")["version"]
    with (
        reading(client, "/api/events", after=version) as first,
        reading(client, "/api/events", after=version) as second,
    ):
        client.answer(session_id := client.new_session(), "for both")

        def tells(frame: object) -> bool:
            return session_id in str(frame) and "'is_streaming': False" in str(frame)

        assert first.until(tells).data["rows"] == second.until(tells).data["rows"]


def test_a_page_is_told_that_other_models_can_be_chosen(client: Client) -> None:
    with reading(client, "/api/events", after=client.get("/api/sessions")["version"]) as shown:
        client.post("/api/models/default", model="scripted/script")

        assert shown.until(lambda frame: frame.name == "models_changed").data == {}


# Readers that go, and readers that stay and do not read


# Bad input 34
def test_two_hundred_readers_that_come_and_go_leave_nothing_behind(serve: Callable[..., LocalServer]) -> None:
    local = serve()
    client = local.client()
    stream_id = _hanging(client)
    ended = _ended(client)
    client.http.close()
    until(lambda: local.connection_count == 0)
    tasks, files = local.task_count, _open_files()

    head = f" HTTP/1.1\r\nHost: {host_of(local.address)}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    paths = ["/api/events?after=other.1", f"/api/chat/stream?stream_id={stream_id}"]
    paths.append(f"/api/chat/streams?runs={stream_id}:0,{ended}:0")
    for number in range(200):
        path = paths[number % 3]
        with connect(local.address) as connection:
            send_all(connection, f"GET {path}{head}".encode())
            if number % 4 < 2:
                assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")

    until(lambda: local.connection_count == 0)
    until(lambda: local.task_count == tasks)
    assert _open_files() == files


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# Bad input 35
def test_a_reader_that_does_not_read_is_dropped_and_hurts_nobody(
    serve: Callable[..., LocalServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "STALLED_S", 0.2)
    local = serve()
    client = local.client()
    stream_id = client.start(client.new_session(), f"@@pace 0.001\n@@repeat 150 {'word ' * 20_000}")["stream_id"]
    ask = f"GET /api/chat/stream?stream_id={stream_id} HTTP/1.1\r\nHost: {host_of(local.address)}\r\n"

    with socket.socket() as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.connect(("127.0.0.1", int(local.address.rpartition(":")[2])))
        send_all(lazy, (ask + f"Authorization: Bearer {TOKEN}\r\n\r\n").encode())
        frames = list(client.frames(stream_id))
        client.http.close()
        until(lambda: local.connection_count == 0)

    assert sum(len(frame.data["text"]) for frame in frames if frame.name == "token") == 150 * 100_000
    assert (frames[-1].name, frames[-1].data["outcome"]) == ("stream_end", "done")


def test_a_server_that_stops_says_so_and_when_to_come_back(serve: Callable[..., LocalServer]) -> None:
    local = serve()
    client = local.client()
    stream_id = _hanging(client)
    with (
        reading(client, "/api/chat/stream", stream_id=stream_id) as of_run,
        reading(client, "/api/events") as of_changes,
    ):
        of_run.until(lambda frame: frame.name == "token")
        local.stop()

        assert [frame.name for frame in of_run.rest()] == ["bye"]
        assert of_changes.rest()[-1].name == "bye"
