"""What is set for the model of one session."""

import pytest

from tests.serving import Client

SET = {"temperature": 0.5, "effort": "high"}


def settings_of(client: Client, session_id: str) -> tuple[str, dict]:
    session = client.get("/api/session", session_id=session_id)["session"]
    return session["system_prompt"], session["parameters"]


def test_what_is_set_is_kept_by_the_session_and_by_its_copies_until_it_is_cleared(client: Client) -> None:
    session_id = client.new_session()
    client.answer(session_id, "hello")
    client.post("/api/session/parameters", session_id=session_id, system_prompt=" Be brief. ", parameters=SET)

    branch = client.post("/api/session/branch", session_id=session_id)["session"]["session_id"]
    client.post("/api/session/parameters", session_id=session_id)

    assert settings_of(client, branch) == ("Be brief.", SET)
    assert settings_of(client, session_id) == ("", {})


def test_a_session_can_begin_with_settings(client: Client) -> None:
    session = client.post("/api/session/new", system_prompt="Be brief.", parameters=SET)["session"]

    assert (session["system_prompt"], session["parameters"]) == ("Be brief.", SET)
    assert settings_of(client, session["session_id"]) == ("Be brief.", SET)


@pytest.mark.parametrize(
    ("name", "value"),
    [("temperature", 2.5), ("temperature", "1"), ("top_p", 0), ("max_tokens", 0), ("effort", "huge")],
)
def test_what_no_provider_could_take_is_refused_by_its_name(client: Client, name: str, value: object) -> None:
    session_id = client.new_session()

    refused = client.http.post("/api/session/parameters", json={"session_id": session_id, "parameters": {name: value}})

    assert refused.status_code == 400
    assert refused.json()["field"].endswith(name)
    assert settings_of(client, session_id) == ("", {})
