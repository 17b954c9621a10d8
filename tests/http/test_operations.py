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
