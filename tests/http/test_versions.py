"""The versions of a turn: kept, chosen again, and what the model is given afterwards."""

from typing import Any

import pytest

from tests.serving import Client


def ask(client: Client, path: str, **body: Any) -> None:
    for _ in client.frames(client.post(path, **body)["stream_id"]):
        pass


def texts(client: Client, session_id: str) -> list[str]:
    return [one["content"] for one in client.messages(session_id)]


def revision(client: Client, session_id: str) -> int:
    return client.get("/api/session", session_id=session_id)["session"]["revision"]


def choose(client: Client, session_id: str, version: int, *, at: int = 0) -> None:
    client.post(
        "/api/session/version",
        session_id=session_id,
        message_id=client.messages(session_id)[at]["id"],
        version=version,
        revision=revision(client, session_id),
    )


@pytest.fixture
def session_id(client: Client) -> str:
    """Three versions of the first turn: as it was asked, retried, and edited; the first has a turn after it."""
    session_id = client.new_session()
    client.answer(session_id, "one")
    client.answer(session_id, "and on")
    one = {"session_id": session_id, "message_id": client.messages(session_id)[0]["id"]}
    ask(client, "/api/chat/edit", **one, message="two")
    ask(client, "/api/chat/retry", session_id=session_id)
    return session_id


def test_any_version_can_stand_in_the_conversation_with_all_that_followed_it(client: Client, session_id: str) -> None:
    assert texts(client, session_id) == ["two", "two"]

    choose(client, session_id, 1)
    assert texts(client, session_id) == ["one", "one", "and on", "and on"]
    assert (client.messages(session_id)[0]["version"], len(client.messages(session_id)[0]["versions"])) == (0, 3)
    choose(client, session_id, 2)
    assert texts(client, session_id) == ["two", "two"]
    choose(client, session_id, 1)
    assert texts(client, session_id) == ["one", "one", "and on", "and on"]


def test_a_chosen_version_is_gone_on_from_and_the_next_one_is_the_newest(client: Client, session_id: str) -> None:
    choose(client, session_id, 1)
    client.answer(session_id, "further")
    one = {"session_id": session_id, "message_id": client.messages(session_id)[0]["id"]}

    ask(client, "/api/chat/edit", **one, message="three")

    assert texts(client, session_id) == ["three", "three"]
    first = client.get("/api/session/export", session_id=session_id)["messages"][0]
    assert "version" not in first
    kept = [[message["content"] for message in tail] for tail in first["alternatives"]]
    assert kept == [["one", "one", "and on", "and on", "further", "further"], ["two", "two"], ["two", "two"]]
    assert not any("alternatives" in tail[0] for tail in first["alternatives"])


def test_what_other_versions_hold_is_not_sent_with_every_look(client: Client) -> None:
    session_id = client.new_session()
    client.answer(session_id, "@@repeat 1000 a long answer ")
    ask(
        client,
        "/api/chat/edit",
        session_id=session_id,
        message_id=client.messages(session_id)[0]["id"],
        message="short",
    )

    shown = client.http.get("/api/session", params={"session_id": session_id}).content

    assert len(client.messages(session_id)[0]["versions"]) == 2
    assert len(shown) < 10_000


def test_a_version_chosen_from_an_old_page_overwrites_nothing(client: Client, session_id: str) -> None:
    seen, first = revision(client, session_id), client.messages(session_id)[0]["id"]
    client.answer(session_id, "meanwhile")
    body = {"session_id": session_id, "message_id": first, "version": 1, "revision": seen}

    late = client.http.post("/api/session/version", json=body)

    assert (late.status_code, late.json()["code"]) == (409, "stale_revision")
    assert late.json()["session"]["message_count"] == 4
    assert texts(client, session_id)[-1] == "meanwhile"


# Bad inputs 5, 18
@pytest.mark.parametrize("version", [0, -1, 2**31 + 1, 2**63, 1.5, True, "1", "１", None])
def test_what_is_no_number_of_a_version_changes_nothing(client: Client, session_id: str, version: object) -> None:
    body = {"session_id": session_id, "message_id": client.messages(session_id)[0]["id"], "version": version}

    refused = client.http.post("/api/session/version", json=body)

    assert (refused.status_code, refused.json()["field"]) == (400, "version")
    assert texts(client, session_id) == ["two", "two"]


# Bad input 31
@pytest.mark.parametrize("version", [4, 1000])
def test_a_version_that_there_is_not_changes_nothing(client: Client, session_id: str, version: int) -> None:
    body = {"session_id": session_id, "message_id": client.messages(session_id)[0]["id"], "version": version}

    refused = client.http.post("/api/session/version", json=body)

    assert (refused.status_code, refused.json()["code"]) == (404, "version_not_found")
    assert texts(client, session_id) == ["two", "two"]


def test_versions_survive_a_copy_a_branch_and_a_way_through_a_file(client: Client, session_id: str) -> None:
    document = client.http.get("/api/session/export", params={"session_id": session_id}).json()
    imported = client.post("/api/session/import", **(document | {"session_id": "versions-elsewhere"}))["imported"][0]
    answer = client.messages(session_id)[1]["id"]
    branch = client.post("/api/session/branch", session_id=session_id, message_id=answer)["session"]
    copy = client.post("/api/session/duplicate", session_id=session_id)["session"]

    for made in (imported, branch, copy):
        choose(client, made["session_id"], 1)
        assert texts(client, made["session_id"]) == ["one", "one", "and on", "and on"]
        client.post("/api/session/delete", session_id=made["session_id"])
    assert texts(client, session_id) == ["two", "two"]


def test_answers_that_an_older_document_kept_alone_can_be_chosen(client: Client) -> None:
    answers = [{"id": "a1", "role": "assistant", "content": "old answer"}]
    asked = {"id": "m1", "role": "user", "content": "asked", "alternatives": [answers]}
    document = {"session_id": "kept-alone", "messages": [asked, {"id": "a2", "role": "assistant", "content": "new"}]}
    session_id = client.post("/api/session/import", **document)["imported"][0]["session_id"]

    choose(client, session_id, 1)
    assert texts(client, session_id) == ["asked", "old answer"]
    choose(client, session_id, 2)

    assert texts(client, session_id) == ["asked", "new"]
    client.post("/api/session/delete", session_id=session_id)


def test_a_message_of_another_version_sent_again_is_not_accepted_twice(client: Client) -> None:
    session_id = client.new_session()
    client.answer(session_id, "one", message_id="m1")
    ask(client, "/api/chat/edit", session_id=session_id, message_id="m1", message="two")

    again = client.start(session_id, "one", message_id="m1")

    assert again["message_id"] == "m1"
    assert texts(client, session_id) == ["two", "two"]
