"""What waits for an answer, and what is told to an agent at work, through a real server and its deaths."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.http.conftest import until
from tests.http.reading import reading
from tests.serving import Client, Frame, ServerProcess, Watcher

SLOW = "@@pace 0.01\n@@repeat 1000 word\n"
STEPS = "@@step 1\n@@text Looking.\n@@delay 0.6\n@@step 2\n@@text Found."


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path / "state") as running:
        yield running


def queue(client: Client, session_id: str, message: str, **more: Any) -> dict[str, Any]:
    body = {"session_id": session_id, "message": message, "model": "scripted/script", **more}
    return client.post("/api/chat/queue", **body)


def waiting(client: Client, session_id: str) -> list[str]:
    return [one["text"] for one in client.get("/api/chat/queue", session_id=session_id)["queue"]["items"]]


def is_held(client: Client, session_id: str) -> bool:
    return client.get("/api/chat/queue", session_id=session_id)["queue"]["is_held"]


def said(client: Client, session_id: str) -> list[str]:
    return [one["content"] for one in client.messages(session_id) if one["role"] == "user"]


def rest(client: Client, session_id: str) -> None:
    """Wait until nothing is written and nothing waits."""

    def is_at_rest() -> bool:
        page = client.get("/api/session", session_id=session_id)
        return not page["session"]["is_streaming"] and not page["queue"]["items"]

    until(is_at_rest)


def test_what_waits_is_sent_in_order_with_nobody_looking(client: Client) -> None:
    session_id = client.new_session()
    client.start(session_id, "@@delay 0.3\n@@text one")

    for text in ("two", "three"):
        assert queue(client, session_id, text)["started"] is None
    assert waiting(client, session_id) == ["two", "three"]
    rest(client, session_id)

    assert [one["content"] for one in client.messages(session_id)][1:] == ["one", "two", "two", "three", "three"]


def test_every_page_is_told_that_a_queue_changed(client: Client) -> None:
    session_id = client.new_session()
    running = client.start(session_id, "@@hang")["stream_id"]
    version = client.get("/api/sessions")["version"]

    with reading(client, "/api/events", after=version) as shown:
        queue(client, session_id, "second")
        frame = shown.until(lambda frame: frame.name == "queue_changed")

    assert frame.data == {"session_id": session_id}
    client.post("/api/chat/cancel", stream_id=running)


def test_stopping_keeps_what_waits_until_someone_says_so(client: Client) -> None:
    session_id = client.new_session()
    running = client.start(session_id, "@@hang")["stream_id"]
    queue(client, session_id, "second")

    client.post("/api/chat/cancel", stream_id=running)
    until(lambda: is_held(client, session_id))
    assert said(client, session_id) == ["@@hang"]
    client.post("/api/chat/queue/continue", session_id=session_id)
    rest(client, session_id)

    assert said(client, session_id) == ["@@hang", "second"]


def test_the_list_tells_how_many_messages_wait_for_a_word_and_every_page_is_told(mortal: ServerProcess) -> None:
    client = mortal.client()
    session_id = client.new_session()
    running = client.start(session_id, "@@text Jellyfish.\n@@hang")["stream_id"]
    for text in ("second", "@@hang"):
        queue(client, session_id, text)

    def held(client: Client) -> set[int]:
        client.get("/api/session", session_id=session_id)
        found = client.get("/api/sessions/search", q="jellyfish")["results"]
        rows = [*client.get("/api/sessions")["sessions"], *(one["session"] for one in found)]
        return {row["held_messages"] for row in rows if row["session_id"] == session_id}

    def tells(frame: Frame, count: int) -> bool:
        return any(row["held_messages"] == count for row in frame.data.get("rows", []))

    assert held(client) == {0}, "they follow by themselves"
    with reading(client, "/api/events", after=client.get("/api/sessions")["version"]) as shown:
        client.post("/api/chat/cancel", stream_id=running)
        shown.until(lambda frame: tells(frame, 2))
        assert held(client) == {2}
        assert client.post("/api/session/pin", session_id=session_id, pinned=True)["session"]["held_messages"] == 2
        mortal.kill()
    mortal.start()
    client = mortal.client()
    assert held(client) == {2}
    with reading(client, "/api/events", after=client.get("/api/sessions")["version"]) as shown:
        client.post("/api/chat/queue/continue", session_id=session_id)
        shown.until(lambda frame: tells(frame, 0))
    assert held(client) == {0}


# Bad input 29
def test_stopping_and_sending_at_the_same_instant_loses_no_message(client: Client) -> None:
    for _ in range(20):
        session_id = client.new_session()
        running = client.start(session_id, "@@hang")["stream_id"]

        with ThreadPoolExecutor(2) as pool:
            stopped = pool.submit(client.post, "/api/chat/cancel", stream_id=running)
            sent = pool.submit(queue, client, session_id, "second")
            stopped.result()
            is_waiting = sent.result()["started"] is None

        if is_waiting:
            until(lambda session_id=session_id: is_held(client, session_id))
            client.post("/api/chat/queue/continue", session_id=session_id)
        rest(client, session_id)
        assert said(client, session_id) == ["@@hang", "second"]


def test_many_messages_at_once_are_all_answered_one_after_the_other(client: Client) -> None:
    session_id = client.new_session()
    texts = [f"message {number}" for number in range(20)]

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda text: queue(client, session_id, text), texts))
    rest(client, session_id)

    messages = client.messages(session_id)
    assert sorted(said(client, session_id)) == sorted(texts)
    assert [one["role"] for one in messages] == ["user", "assistant"] * 20
    assert [one["content"] for one in messages[::2]] == [one["content"] for one in messages[1::2]]


def test_the_agent_takes_what_it_is_told_before_its_next_step(client: Client) -> None:
    session_id = client.new_session()
    stream_id = client.start(session_id, STEPS)["stream_id"]
    watcher = Watcher(client, stream_id)
    watcher.wait_until(lambda seen: any(frame.name == "token" for frame in seen))

    told = client.post("/api/chat/steer", session_id=session_id, text="In Lisbon.", message_id="m-steer")
    assert told["accepted"] and [one["steers"] for one in told["queue"]["items"]] == [True]
    names = [frame.name for frame in watcher.whole()]

    assert names[names.index("steer") + 1] == "step"
    assert [(one["role"], one["content"]) for one in client.messages(session_id)][1:] == [
        ("assistant", "Looking."),
        ("user", "In Lisbon."),
        ("assistant", "In Lisbon.\nFound."),
    ]
    rest(client, session_id)
    again = client.post("/api/chat/steer", session_id=session_id, text="In Lisbon.", message_id="m-steer")
    assert again["message_id"] == "m-steer" and len(client.messages(session_id)) == 4


def test_an_agent_that_cannot_be_told_answers_it_next(client: Client) -> None:
    session_id = client.new_session()
    client.start(session_id, "@@delay 0.3\n@@text one")
    queue(client, session_id, "later")

    told = client.post("/api/chat/steer", session_id=session_id, text="first")

    assert not told["accepted"]
    rest(client, session_id)
    assert said(client, session_id)[1:] == ["first", "later"]


def test_what_waits_survives_kill_9_and_is_asked_about(mortal: ServerProcess) -> None:
    client = mortal.client()
    session_id = client.new_session()
    client.start(session_id, SLOW)
    queue(client, session_id, "second", message_id="m2")
    queue(client, session_id, "third")
    told = client.post("/api/chat/steer", session_id=session_id, text="at once")

    mortal.kill()
    client = mortal.start().client()

    assert not told["accepted"]
    assert waiting(client, session_id) == ["at once", "second", "third"]
    assert is_held(client, session_id)
    assert queue(client, session_id, "second", message_id="m2")["started"] is None
    client.post("/api/chat/queue/continue", session_id=session_id)
    rest(client, session_id)
    assert said(client, session_id)[1:] == ["at once", "second", "third"]


def test_killed_again_and_again_a_queue_is_sent_once_and_in_order(mortal: ServerProcess) -> None:
    client = mortal.client()
    session_id = client.new_session()
    client.start(session_id, "@@delay 0.05\n@@text zero", message_id="m0")
    texts = [f"@@delay 0.02\n@@text {number}" for number in range(5)]
    for number, text in enumerate(texts):
        queue(client, session_id, text, message_id=f"m-{number}")

    while left := len(waiting(client, session_id)):
        until_fewer_wait(client, session_id, left)
        mortal.kill()
        client = mortal.start().client()
        if is_held(client, session_id):
            client.post("/api/chat/queue/continue", session_id=session_id)
    rest(client, session_id)

    assert said(client, session_id)[1:] == texts
    assert mortal.doctor().endswith("Nothing is wrong.\n")


def until_fewer_wait(client: Client, session_id: str, count: int) -> None:
    until(lambda: len(waiting(client, session_id)) < count or is_held(client, session_id))


def test_deleted_and_restored_a_session_has_its_queue_again(client: Client) -> None:
    session_id = client.new_session()
    client.start(session_id, "@@hang")
    queue(client, session_id, "second")

    client.post("/api/session/delete", session_id=session_id)
    gone = client.http.get("/api/chat/queue", params={"session_id": session_id})
    client.post("/api/session/restore", session_id=session_id)

    assert gone.status_code == 404
    assert waiting(client, session_id) == ["second"]
    assert said(client, session_id) == ["@@hang"]
