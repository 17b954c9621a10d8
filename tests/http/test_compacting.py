"""Older messages are summarised for the model alone: the session keeps every one of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.provider import FakeProvider
from tests.serving import Client, ServerProcess

MODEL = "environment/mock-1"
FIRST = "@@text The boat is blue."


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


@pytest.fixture
def client(tmp_path: Path, provider: FakeProvider) -> Iterator[Client]:
    with ServerProcess(tmp_path / "state", provider_url=provider.url) as server:
        yield server.client()


def test_a_person_has_older_messages_summarised_and_sees_all_of_them(client: Client, provider: FakeProvider) -> None:
    session_id = client.new_session()
    for text in (FIRST, "second " * 200, "third"):
        client.answer(session_id, text, model=MODEL)
    before = client.messages(session_id)

    said = client.post("/api/commands/run", text="/compact", session_id=session_id)["effects"]
    client.answer(session_id, "fourth", model=MODEL)

    after = client.messages(session_id)
    asked = [str(one["content"]) for one in provider.chats[-1].json["messages"]]
    assert said[0]["code"] == "will_compact"
    assert after[: len(before)] == before
    assert after[-1]["notices"][0]["code"] == "compacted"
    assert "third" in "".join(asked)
    assert [text for text in asked if text == FIRST] == []

    client.answer(session_id, "fifth", model=MODEL)
    assert len(provider.chats) == 6, "the summary is asked for once"

    first = after[0]["id"]
    edited = client.post("/api/chat/edit", session_id=session_id, message_id=first, message="anew")
    list(client.frames(edited["stream_id"]))
    assert [one["content"] for one in provider.chats[-1].json["messages"]][1:] == ["anew"]


def test_a_conversation_of_one_turn_is_too_short_for_that(client: Client) -> None:
    session_id = client.new_session()
    client.answer(session_id, "hello", model=MODEL)

    refused = client.http.post("/api/commands/run", json={"text": "/compact", "session_id": session_id})

    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_compact")
