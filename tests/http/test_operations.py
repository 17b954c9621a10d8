"""Changes to a conversation from pages that have not seen the latest: refused with what is there now, nothing lost."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.serving import Client

OPERATIONS: dict[str, dict[str, Any]] = {
    "/api/session/rename": {"title": "Mine"},
    "/api/session/pin": {"pinned": True},
    "/api/session/archive": {"archived": True},
    "/api/session/move": {"project_id": None},
    "/api/session/tag": {"tags": ["mine"]},
    "/api/session/parameters": {"system_prompt": "mine"},
    "/api/session/truncate": {"message_id": "m1"},
    "/api/session/undo": {},
    "/api/session/clear": {},
    "/api/session/put_back": {},
    "/api/session/version": {"message_id": "m1", "version": 1},
    "/api/chat/retry": {},
    "/api/chat/continue": {},
    "/api/chat/edit": {"message_id": "m1", "message": "mine"},
}


@pytest.fixture
def session_id(client: Client) -> str:
    """Two turns, `m1` and `m2`."""
    session_id = client.new_session()
    for number in (1, 2):
        client.answer(session_id, f"question {number}", message_id=f"m{number}")
    return session_id


def document(client: Client, session_id: str) -> dict[str, Any]:
    return client.get("/api/session/export", session_id=session_id)


@pytest.mark.parametrize("path", OPERATIONS)
def test_a_change_to_what_has_changed_since_is_refused_with_the_new_state(
    client: Client, session_id: str, path: str
) -> None:
    seen = document(client, session_id)["revision"]
    client.answer(session_id, "from another window")
    before = document(client, session_id)
    body = {"session_id": session_id, "revision": seen, **OPERATIONS[path]}

    refused = client.http.post(path, json=body)

    assert (refused.status_code, refused.json()["code"]) == (409, "stale_revision")
    assert refused.json()["revision"] == refused.json()["session"]["revision"] == before["revision"]
    assert refused.json()["session"]["message_count"] == 6
    assert document(client, session_id) == before


@pytest.mark.parametrize("path", ["/api/chat/retry", "/api/chat/continue", "/api/session/undo"])
def test_a_change_of_the_last_turn_is_refused_when_another_one_is_the_last(
    client: Client, session_id: str, path: str
) -> None:
    before = document(client, session_id)

    refused = client.http.post(path, json={"session_id": session_id, "message_id": "m1"})

    assert (refused.status_code, refused.json()["code"]) == (409, "not_the_last")
    assert refused.json()["session"]["revision"] == before["revision"]
    assert document(client, session_id) == before


WITH_A_MESSAGE = {
    "/api/session/truncate": {},
    "/api/session/branch": {},
    "/api/session/version": {"version": 1},
    "/api/chat/edit": {"message": "mine"},
}


# Bad inputs 25, 31
@pytest.mark.parametrize("path", WITH_A_MESSAGE)
def test_a_message_of_another_session_is_not_found(client: Client, session_id: str, path: str) -> None:
    client.answer(other := client.new_session(), "elsewhere", message_id="m-elsewhere")
    before = [document(client, one) for one in (session_id, other)]
    body = {"session_id": session_id, "message_id": "m-elsewhere", **WITH_A_MESSAGE[path]}

    refused = client.http.post(path, json=body)

    assert (refused.status_code, refused.json()["code"]) == (404, "message_not_found")
    assert [document(client, one) for one in (session_id, other)] == before


# Bad input 31
@pytest.mark.parametrize(
    "path",
    [path for path in OPERATIONS if not path.endswith(("rename", "pin", "archive", "move", "tag", "parameters"))],
)
def test_a_turn_that_is_being_answered_is_not_changed(client: Client, session_id: str, path: str) -> None:
    running = client.start(session_id, "@@text Busy.\n@@hang")["stream_id"]
    before = document(client, session_id)

    refused = client.http.post(path, json={"session_id": session_id, **OPERATIONS[path]})

    assert (refused.status_code, refused.json()["code"]) == (409, "run_active")
    assert refused.json()["active_stream_id"] == running
    assert document(client, session_id) == before
    client.post("/api/chat/cancel", stream_id=running)


def test_what_was_told_to_an_agent_at_work_is_a_part_of_its_answer(client: Client) -> None:
    session_id = client.new_session()
    stream_id = client.start(session_id, "@@step 1\n@@text One.\n@@delay 0.5\n@@step 2\n@@text Two.")["stream_id"]
    client.post("/api/chat/steer", session_id=session_id, text="@@text Hm.", message_id="m-told")
    assert list(client.frames(stream_id))
    edit = {"session_id": session_id, "message_id": "m-told", "message": "mine"}

    refused = client.http.post("/api/chat/edit", json=edit)
    undone = client.post("/api/session/undo", session_id=session_id)["removed"]

    assert (refused.status_code, refused.json()["code"]) == (409, "steered")
    assert [message["role"] for message in undone] == ["user", "assistant", "user", "assistant"]
    assert client.messages(session_id) == []


def test_of_changes_to_the_same_state_made_at_once_one_is_made(client: Client, session_id: str) -> None:
    seen = document(client, session_id)["revision"]

    def rename(number: int) -> int:
        body = {"session_id": session_id, "title": f"Title {number}", "revision": seen}
        return client.http.post("/api/session/rename", json=body).status_code

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(rename, range(20)))

    assert sorted(answers) == [200] + [409] * 19
    assert document(client, session_id)["title"] == f"Title {answers.index(200)}"
    assert document(client, session_id)["revision"] == seen + 1


def test_tags_given_in_titles_at_once_are_all_kept(client: Client, session_id: str) -> None:
    with ThreadPoolExecutor(10) as pool:
        list(
            pool.map(
                lambda number: client.post("/api/session/rename", session_id=session_id, title=f"Plan #tag{number}"),
                range(10),
            )
        )

    assert sorted(document(client, session_id)["tags"]) == [f"tag{number}" for number in range(10)]


@pytest.mark.parametrize("path", ["/api/chat/retry", "/api/chat/edit"])
def test_the_same_request_after_a_lost_answer_begins_one_run(client: Client, session_id: str, path: str) -> None:
    one = {"session_id": session_id, "request_id": f"again-{path}", "message_id": "m2", "new_message_id": "m3"}
    body = one | ({"message": "edited"} if path.endswith("edit") else {})

    first, again = [client.http.post(path, json=body).json() for _ in range(2)]

    assert first == again
    assert list(client.frames(first["stream_id"]))
    kept = [message for message in document(client, session_id)["messages"] if message["role"] == "user"]
    assert [len(message.get("alternatives", [])) for message in kept] == [0, 1]
