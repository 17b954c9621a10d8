"""A picture goes the whole way: from a person's upload to the request that a provider gets."""

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.provider import FakeProvider
from tests.serving import Client, ServerProcess

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


def attach(client: Client, session_id: str, name: str, data: bytes) -> str:
    response = client.http.post(
        "/api/attachment/upload",
        params={"session_id": session_id, "name": name},
        content=data,
        headers={"Content-Type": "application/octet-stream"},
    )
    assert response.status_code == 200, response.text
    return response.json()["attachment"]["id"]


def test_what_is_uploaded_reaches_the_model_with_its_message_and_with_later_ones(
    tmp_path: Path, provider: FakeProvider
) -> None:
    state = tmp_path / "state"
    with ServerProcess(state, provider_url=provider.url) as server:
        client, model = server.client(), "environment/mock-1"
        session_id = client.new_session()
        ids = [attach(client, session_id, "dot.png", PNG), attach(client, session_id, "n.txt", b"The boat is blue.")]

        client.answer(session_id, "", model=model, attachments=ids)
        assert client.answer(session_id, "and now?", model=model) == "and now?"

        assert [("image/png", PNG) in provider.shown(at) for at in (0, 1)] == [True, True]
        assert all("The boat is blue." in str(provider.shown(at)) for at in (0, 1))

        shutil.rmtree(state / "attachments" / session_id)
        assert client.answer(session_id, "still?", model=model) == "still?"
        assert "It is not there any more." in str(provider.shown())
        assert [message.get("failure") for message in client.messages(session_id)] == [None] * 6
