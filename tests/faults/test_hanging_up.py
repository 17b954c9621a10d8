"""Clients that are gone in the middle of asking: what they asked for is done as a whole or not at all."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.faults.conftest import Dice, times
from tests.http.conftest import until
from tests.http.table import BODIES, good_body
from tests.http.wire import connect, host_of, send_all
from tests.serving import TOKEN, Client, ServerProcess

ELSEWHERE = {"/api/providers/test", "/api/providers/save"}
"""These would ask another server."""


# Bad input 59
def test_whoever_hangs_up_at_any_moment_of_any_request_leaves_nothing_half_done(
    tmp_path: Path, dice: Dice, note: Callable[[str], None]
) -> None:
    paths = sorted({*BODIES} - ELSEWHERE)
    hung_up = 0
    with ServerProcess(tmp_path / "state") as server:
        client = server.client()
        sessions = [_talked_in(client) for _ in range(3)]
        client.post("/api/session/delete", session_id=(doomed := _talked_in(client)))
        for path in paths * times(4, 40, 200):
            about = doomed if path == "/api/trash/remove" else dice.choice(sessions)
            _hang_up(server, path, _asked(path, about), dice)
            hung_up += 1

        until(lambda: client.get("/health")["active_runs"] == 0, 60)
        for one in sessions:
            client.http.post("/api/session/restore", json={"session_id": one})
            _check_whole(client, one)
            if waiting := _waiting(client, one):
                client.post("/api/chat/queue/delete", session_id=one, message_ids=waiting)
            assert client.answer(one, "still here") == "still here"
        assert server.stop() == 0, server.log()
        assert "Traceback" not in server.log()
        assert server.doctor().endswith("Nothing is wrong.\n")
    note(f"{hung_up} clients hung up in the middle of a request to one of {len(paths)} routes")


def _talked_in(client: Client) -> str:
    client.answer(session := client.new_session(), "first", message_id="m1")
    client.answer(session, "second", message_id="m2")
    return session


def _asked(path: str, session: str) -> dict[str, Any]:
    """A body that does something in `session`."""
    known = {"session_id": session, "message_id": "m1", "model": "scripted/script"}
    fields = BODIES[path].model_fields
    return good_body(BODIES[path]) | {name: value for name, value in known.items() if name in fields}


def _hang_up(server: ServerProcess, path: str, body: dict[str, Any], dice: Dice) -> None:
    if path == "/api/chat/start":
        del body["message_id"]  # the id of another message than `m1`
    content = json.dumps(body)
    head = f"POST {path} HTTP/1.1\r\nHost: {host_of(server.address)}\r\nAuthorization: Bearer {TOKEN}\r\n"
    request = f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n{content}".encode()
    moment = dice.choice(["within the request", "after it", "at the answer"])
    with connect(server.address) as connection:
        send_all(connection, request if moment != "within the request" else request[: dice.randrange(len(request))])
        if moment == "at the answer":
            connection.recv(1)


def _check_whole(client: Client, session: str) -> None:
    """Nothing is being answered, and each message has its answer."""
    until(lambda: client.get("/api/session", session_id=session)["active_run"] is None)
    messages = client.messages(session)
    asked = [one for one in messages if one["role"] == "user"]
    assert len({one["id"] for one in messages}) == len(messages)
    assert all(one["outcome"] in ("done", "cancelled") for one in messages if one["role"] == "assistant"), messages
    assert len(asked) <= len(messages) - len(asked) + 1, "a message has no answer"


def _waiting(client: Client, session: str) -> list[str]:
    return [one["message_id"] for one in client.get("/api/chat/queue", session_id=session)["queue"]["items"]]
