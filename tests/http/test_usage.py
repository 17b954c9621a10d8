"""What was spent is shown, and a budget holds through the door."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.provider import FakeProvider
from tests.serving import Client, ServerProcess

MODEL = "environment/mock-1"
SPEND = '@@usage {"prompt_tokens": 4000, "completion_tokens": 500, "total_tokens": 4500}\n@@text Done.'


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


def test_a_budget_stops_the_request_that_would_pass_it_and_a_restart_does_not_forget_it(
    tmp_path: Path, provider: FakeProvider
) -> None:
    with ServerProcess(tmp_path / "state", provider_url=provider.url) as server:
        client = server.client()
        session_id = client.new_session()
        assert client.post("/api/budget", day_tokens=5000) | {"day_tokens": 0} == {"day_tokens": 0}
        client.answer(session_id, SPEND, model=MODEL)
        server.stop()
    asked = len(provider.chats)

    with ServerProcess(tmp_path / "state", provider_url=provider.url) as server:
        client = server.client()
        client.answer(session_id, "@@text " + "More. " * 500, model=MODEL)

        last = client.messages(session_id)[-1]
        usage = client.get("/api/usage", days=7)
        assert (last["failure"]["code"], len(provider.chats)) == ("budget_reached", asked)
        assert (usage["days"][0]["input_tokens"], usage["days"][0]["unpriced_tokens"]) == (4000, 4500)
        assert (usage["days"][0]["day"], usage["budget"]) == (usage["today"], {"day_tokens": 5000})

        client.post("/api/budget")
        client.answer(session_id, "@@text Free again.", model=MODEL)
        assert client.messages(session_id)[-1]["outcome"] == "done"


def test_an_answer_is_held_to_its_budget_together_with_its_sub_agents(tmp_path: Path, provider: FakeProvider) -> None:
    usage = '@@usage {"prompt_tokens": 2000, "completion_tokens": 100, "total_tokens": 2100}'
    child = f"{usage}\n@@text Looked."
    call = "@@tool delegate " + json.dumps({"task": child})
    script = f"{usage}\n{call}\n@@next\n{usage}\n{call}\n@@next\n@@text Never said."
    with ServerProcess(tmp_path / "state", provider_url=provider.url) as server:
        client = server.client()
        client.post("/api/budget", answer_tokens=9000)
        (tmp_path / "work").mkdir()
        session_id = client.post("/api/session/new", workspace=str(tmp_path / "work"))["session"]["session_id"]
        client.answer(session_id, script, model=MODEL)

        last = next(one for one in reversed(client.messages(session_id)) if one["role"] == "assistant")
        assert last["failure"]["code"] == "budget_reached" and "for one answer" in last["failure"]["message"]
        assert len(provider.chats) == 4  # two of its own and two of its sub-agents
        client.answer(session_id, "@@text The next answer begins anew.", model=MODEL)
        assert client.messages(session_id)[-1]["outcome"] == "done"


def test_a_budget_that_is_no_amount_is_refused(client: Client) -> None:
    refused = client.http.post("/api/budget", json={"day_tokens": -1})

    assert (refused.status_code, refused.json()["field"]) == (400, "day_tokens")
