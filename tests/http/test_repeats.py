"""The same request again: after a time-out, by a double click, from two tabs at once. Nothing is done twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.fakes.provider import FakeProvider
from tests.http.conftest import until
from tests.http.table import check_error
from tests.http.wire import connect, host_of, send_all
from tests.serving import TOKEN, Client, ServerProcess


def _at_once(count: int, ask: Callable[[], httpx2.Response]) -> list[httpx2.Response]:
    with ThreadPoolExecutor(count) as pool:
        return [asked.result() for asked in [pool.submit(ask) for _ in range(count)]]


def _say(client: Client, session_id: str, message: str, **more: Any) -> httpx2.Response:
    body = {"session_id": session_id, "message": message, "model": "scripted/script", **more}
    return client.http.post("/api/chat/start", json=body)


def _wait(client: Client, stream_id: str) -> None:
    assert list(client.frames(stream_id))


def _refused(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, check_error(answer.status_code, answer.json()).code


# By request_id, any change


def test_the_same_request_id_gives_the_same_answer_and_does_nothing_twice(client: Client) -> None:
    first, second = (client.http.post("/api/session/new", json={"request_id": "new-1"}) for _ in range(2))
    other = client.http.post("/api/session/new", json={"request_id": "new-2"})

    assert first.content == second.content
    assert other.json() != first.json()


def test_a_request_id_counts_for_its_route_only(client: Client) -> None:
    client.answer(session_id := client.new_session(), "hello")

    pinned = client.post("/api/session/pin", session_id=session_id, pinned=True, request_id="same")
    archived = client.post("/api/session/archive", session_id=session_id, archived=True, request_id="same")

    assert (pinned["session"]["archived"], archived["session"]["archived"]) == (False, True)


def test_a_change_made_since_is_not_undone_by_a_late_repeat(client: Client) -> None:
    client.answer(session_id := client.new_session(), "hello")
    early = {"session_id": session_id, "title": "Early", "request_id": "rename-1"}
    client.post("/api/session/rename", **early)
    client.post("/api/session/rename", session_id=session_id, title="Late")

    client.post("/api/session/rename", **early)

    assert client.get("/api/session", session_id=session_id)["session"]["title"] == "Late"


def test_a_failure_is_not_remembered(client: Client) -> None:
    session_id = client.new_session()
    running = client.start(session_id, "@@hang")["stream_id"]
    assert _refused(_say(client, session_id, "again", request_id="start-1")) == (409, "run_active")
    client.post("/api/chat/cancel", stream_id=running)

    assert _say(client, session_id, "again", request_id="start-1").status_code == 200


@pytest.mark.parametrize("request_id", ["", "x" * 129, 5, True, [], {}])
def test_a_request_id_that_cannot_be_is_refused(request_id: Any, client: Client) -> None:
    answer = client.http.post("/api/session/new", json={"request_id": request_id})

    assert check_error(answer.status_code, answer.json()).field == "request_id"


def test_a_double_click_starts_one_run(client: Client) -> None:
    session_id = client.new_session()

    answers = _at_once(8, lambda: _say(client, session_id, "hello", request_id="double-click"))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["stream_id"] for answer in answers}) == 1
    _wait(client, answers[0].json()["stream_id"])
    assert [message["role"] for message in client.messages(session_id)] == ["user", "assistant"]


# By message_id, for good


# Bad input 26
def test_a_message_sent_again_after_its_answer_is_the_same_message(client: Client) -> None:
    session_id = client.new_session()
    first = _say(client, session_id, "hello", message_id="m1").json()
    _wait(client, first["stream_id"])
    client.answer(session_id, "and on")

    again = _say(client, session_id, "hello", message_id="m1").json()

    assert again["message_id"] == first["message_id"] == "m1"
    assert again["stream_id"] == first["stream_id"]
    assert [message["content"] for message in client.messages(session_id)] == ["hello", "hello", "and on", "and on"]


def test_a_message_sent_again_while_it_is_answered_is_no_conflict(client: Client) -> None:
    session_id = client.new_session()

    answers = [_say(client, session_id, "@@hang", message_id="m1") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["stream_id"] == answers[1].json()["stream_id"]


# Bad input 27
def test_another_text_under_the_same_message_id_is_refused(client: Client) -> None:
    session_id = client.new_session()
    _wait(client, _say(client, session_id, "hello", message_id="m1").json()["stream_id"])

    assert _refused(_say(client, session_id, "goodbye", message_id="m1")) == (409, "message_id_reused")
    assert len(client.messages(session_id)) == 2


def test_ten_tabs_that_send_the_same_message_at_once_have_sent_one(client: Client) -> None:
    session_id = client.new_session()

    answers = _at_once(10, lambda: _say(client, session_id, "hello", message_id="m1"))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["stream_id"] for answer in answers}) == 1
    _wait(client, answers[0].json()["stream_id"])
    assert [message["role"] for message in client.messages(session_id)] == ["user", "assistant"]


# Bad input 28
def test_of_twenty_messages_at_once_one_is_taken_and_the_others_are_told_of_its_run(client: Client) -> None:
    session_id = client.new_session()

    answers = _at_once(20, lambda: _say(client, session_id, "@@text word\n@@hang"))

    taken = [answer.json()["stream_id"] for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(taken) == 1
    assert {_refused(answer) for answer in refused} == {(409, "run_active")}
    assert {answer.json()["active_stream_id"] for answer in refused} == set(taken)
    client.post("/api/chat/cancel", stream_id=taken[0])
    assert [message["role"] for message in client.messages(session_id)] == ["user", "assistant"]


def test_a_client_that_hangs_up_at_once_leaves_a_whole_turn_or_none(server: ServerProcess, client: Client) -> None:
    session_id = client.new_session()
    for number in range(20):
        body = f'{{"session_id": "{session_id}", "message": "m{number}", "model": "scripted/script"}}'
        head = f"POST /api/chat/start HTTP/1.1\r\nHost: {host_of(server.address)}\r\nAuthorization: Bearer {TOKEN}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        with connect(server.address) as connection:
            send_all(connection, (head + body).encode())

    def roles() -> list[str]:
        return [message["role"] for message in client.messages(session_id)]

    # The last of them may be taken only while this looks, and answered a moment later.
    until(lambda: roles() == ["user", "assistant"] * (len(roles()) // 2))
    assert {message["outcome"] for message in client.messages(session_id)[1::2]} <= {"done"}


# Stopping, deleting, taking back


def test_stopping_twice_stops_once(client: Client) -> None:
    session_id = client.new_session()
    stream_id = client.start(session_id, "@@text word\n@@hang")["stream_id"]

    answers = [client.post("/api/chat/cancel", stream_id=stream_id)["cancelled"] for _ in range(3)]

    assert answers == [True, False, False]
    assert [message.get("outcome") for message in client.messages(session_id)] == [None, "cancelled"]
    assert client.get("/api/chat/stream/status", stream_id=stream_id)["outcome"] == "cancelled"


def test_stopping_from_ten_tabs_at_once_stops_once(client: Client) -> None:
    stream_id = client.start(client.new_session(), "@@text word\n@@hang")["stream_id"]

    answers = _at_once(10, lambda: client.http.post("/api/chat/cancel", json={"stream_id": stream_id}))

    assert sorted(answer.json()["cancelled"] for answer in answers) == [False] * 9 + [True]


# Bad input 30
def test_deleting_twice_succeeds_and_taking_back_undoes_both(client: Client) -> None:
    client.answer(session_id := client.new_session(), "hello")
    before = client.messages(session_id)

    for _ in range(2):
        assert client.post("/api/session/delete", session_id=session_id) == {"ok": True}
    assert client.http.get("/api/session", params={"session_id": session_id}).status_code == 404
    for _ in range(2):
        assert client.post("/api/session/restore", session_id=session_id)["session"]["session_id"] == session_id

    assert client.messages(session_id) == before


def test_deleting_from_ten_tabs_at_once_deletes_once_and_loses_nothing(client: Client) -> None:
    client.answer(session_id := client.new_session(), "hello")

    deleted = _at_once(10, lambda: client.http.post("/api/session/delete", json={"session_id": session_id}))
    restored = _at_once(10, lambda: client.http.post("/api/session/restore", json={"session_id": session_id}))

    assert {answer.status_code for answer in (*deleted, *restored)} == {200}
    assert [message["content"] for message in client.messages(session_id)] == ["hello", "hello"]


# Bad input 23
def test_what_is_deleted_is_gone_for_every_route_and_nothing_brings_it_back_by_chance(client: Client) -> None:
    client.answer(session_id := client.new_session(), "hello")
    client.post("/api/session/delete", session_id=session_id)
    named = {"session_id": session_id}

    answers = [
        client.http.post("/api/session/rename", json=named | {"title": "x"}),
        client.http.post("/api/session/pin", json=named | {"pinned": True}),
        client.http.post("/api/session/archive", json=named | {"archived": True}),
        client.http.post("/api/chat/start", json=named | {"message": "x"}),
        client.http.post("/api/chat/retry", json=named),
        client.http.post("/api/chat/continue", json=named),
        client.http.get("/api/session", params=named),
        client.http.get("/api/session/export", params=named),
    ]

    assert {_refused(answer) for answer in answers} == {(404, "session_not_found")}
    assert session_id not in str(client.get("/api/sessions", limit=200))
    assert session_id not in str(client.get("/api/sessions/search", q="hello"))


# Bad input 30
def test_deleting_a_session_stops_its_run_and_keeps_what_was_said(client: Client) -> None:
    session_id = client.new_session()
    stream_id = client.start(session_id, "@@text word\n@@hang")["stream_id"]
    frames = client.frames(stream_id)
    next(frame for frame in frames if frame.name == "token")

    client.post("/api/session/delete", session_id=session_id)

    assert [frame.name for frame in frames][-1] == "cancel"
    client.post("/api/session/restore", session_id=session_id)
    last = client.messages(session_id)[-1]
    assert (last["content"].strip(), last["outcome"]) == ("word", "cancelled")


# Answering again


def test_there_is_nothing_to_answer_again_where_nothing_was_said(client: Client) -> None:
    session_id = client.new_session()

    assert _refused(client.http.post("/api/chat/retry", json={"session_id": session_id})) == (409, "nothing_to_retry")
    assert _refused(client.http.post("/api/chat/continue", json={"session_id": session_id}))[0] == 409
    assert _refused(_say(client, session_id, " \n ")) == (400, "empty_message")


def test_a_whole_answer_cannot_be_continued_and_a_stale_page_changes_nothing(client: Client) -> None:
    client.answer(session_id := client.new_session(), "hello")
    revision = client.get("/api/session", session_id=session_id)["session"]["revision"]

    whole = client.http.post("/api/chat/continue", json={"session_id": session_id, "revision": revision})
    stale = client.http.post("/api/chat/retry", json={"session_id": session_id, "revision": revision - 1})

    assert _refused(whole) == (409, "nothing_to_continue")
    assert _refused(stale) == (409, "stale_revision")
    assert stale.json()["revision"] == revision


def test_retrying_from_ten_tabs_at_once_answers_once(client: Client) -> None:
    client.answer(session_id := client.new_session(), "hello")
    revision = client.get("/api/session", session_id=session_id)["session"]["revision"]
    body = {"session_id": session_id, "revision": revision}

    answers = _at_once(10, lambda: client.http.post("/api/chat/retry", json=body))

    taken = [answer.json()["stream_id"] for answer in answers if answer.status_code == 200]
    assert len(taken) == 1
    assert {answer.status_code for answer in answers} == {200, 409}
    _wait(client, taken[0])
    assert [message["content"] for message in client.messages(session_id)] == ["hello", "hello"]


# Settings


# Bad input 54
def test_settings_saved_from_many_tabs_at_once_are_all_kept(tmp_path: Path) -> None:
    with FakeProvider() as provider, ServerProcess(tmp_path / "state") as server:
        client = server.client()
        names = [f"Number {number}" for number in range(8)]
        kind = {"kind": "openai_compatible", "base_url": provider.url}
        changes = [("/api/providers/save", {**kind, "name": name}) for name in names]
        changes += [("/api/projects/create", {"name": name}) for name in names]
        changes.append(("/api/models/default", {"model": "scripted/script"}))
        with ThreadPoolExecutor(len(changes)) as pool:
            done = [pool.submit(client.post, path, **body) for path, body in changes]
        assert all(one.result() for one in done)

        server.kill()
        server.start()
        client = server.client()
        assert sorted(one["name"] for one in client.get("/api/providers")["providers"]) == names
        assert sorted(one["name"] for one in client.get("/api/projects")["projects"]) == names
        assert client.get("/api/models")["default"] == "scripted/script"
