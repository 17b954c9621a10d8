"""An agent asks before it acts: what it asks is durable, bound to what was shown, and done at most once."""

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.http.conftest import until
from tests.serving import Client, ServerProcess, Watcher

REMOVE = """@@tool shell {"command": "rm a"}
@@approval execute shell {"command": "rm a"}
@@result gone
@@text After."""


def ask(client: Client, script: str = REMOVE, **more: Any) -> tuple[str, str]:
    """A session whose agent asks, and its run."""
    session_id = client.new_session()
    return session_id, client.start(session_id, script, **more)["stream_id"]


def asked_in(client: Client, stream_id: str) -> dict[str, Any] | None:
    """What a run asks just now."""
    asking = {one["stream_id"]: one for one in client.get("/api/approval/pending")["asking"]}
    return asking.get(stream_id)


def wait_for_approval(client: Client, stream_id: str) -> dict[str, Any]:
    until(lambda: asked_in(client, stream_id) is not None)
    return asked_in(client, stream_id)["approvals"][0]


def respond(client: Client, asked: dict[str, Any], choice: str, **more: Any) -> Any:
    body = {"approval_id": asked["approval_id"], "arguments_sha256": asked["arguments_sha256"], "choice": choice}
    return client.http.post("/api/approval/respond", json=body | more)


def result_of(client: Client, session_id: str) -> dict[str, Any]:
    return next(one for one in reversed(client.messages(session_id)) if one["role"] == "tool")


def end(client: Client, stream_id: str) -> list[str]:
    """The names of all that a run says, to its end."""
    return [frame.name for frame in client.frames(stream_id)]


def test_what_was_allowed_runs_and_the_session_remembers_what_was_said(client: Client) -> None:
    session_id, stream_id = ask(client)
    asked = wait_for_approval(client, stream_id)
    assert (asked["name"], asked["arguments"], asked["kind"]) == ("shell", '{"command": "rm a"}', "execute")

    assert respond(client, asked, "once").status_code == 200

    names = end(client, stream_id)
    assert names.index("approval") < names.index("approval_resolved") < names.index("tool_complete")
    assert (result_of(client, session_id)["content"], result_of(client, session_id)["approval"]) == ("gone", "once")
    assert asked_in(client, stream_id) is None


def test_what_was_denied_does_not_run_and_the_agent_hears_why(client: Client) -> None:
    session_id, stream_id = ask(client)

    respond(client, wait_for_approval(client, stream_id), "deny", note="Keep it.")

    end(client, stream_id)
    result = result_of(client, session_id)
    assert (result["content"], result["is_error"], result["approval"]) == ("Not allowed. Keep it.", True, "deny")


# Bad input 32
def test_a_word_counts_once_and_only_for_what_was_shown(client: Client) -> None:
    _, stream_id = ask(client)
    asked = wait_for_approval(client, stream_id)

    other = respond(client, asked | {"arguments_sha256": "0" * 64}, "once")
    unknown = respond(client, asked | {"approval_id": "approval-unknown"}, "once")
    first = respond(client, asked, "deny")
    again = respond(client, asked, "deny")
    changed = respond(client, asked, "once")
    end(client, stream_id)
    late = respond(client, asked, "deny")

    assert (other.status_code, other.json()["code"]) == (409, "approval_changed")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "approval_not_found")
    assert first.status_code == 200
    assert (again.status_code, changed.status_code, late.status_code) in (
        (200, 409, 404),
        (200, 404, 404),
        (404, 404, 404),
    )


@pytest.mark.parametrize(
    ("choice", "here", "elsewhere"), [("once", True, True), ("session", False, True), ("always", False, False)]
)
def test_what_is_allowed_for_longer_is_not_asked_again_where_that_holds(
    tmp_path: Path, choice: str, here: bool, elsewhere: bool
) -> None:
    with ServerProcess(tmp_path / "state") as server:
        client = server.client()
        session_id, stream_id = ask(client)
        asked = wait_for_approval(client, stream_id)
        respond(client, asked, choice)
        respond(client, asked, choice)  # as a page does whose answer got lost
        end(client, stream_id)
        assert len(client.get("/api/approval/rules")["rules"]) == (choice != "once")
        server.stop()
        server.start()
        client = server.client()

        again = client.start(session_id, REMOVE)["stream_id"]
        other = ask(client)[1]

        assert is_asked(client, again) is here
        assert is_asked(client, other) is elsewhere
        for rule in client.get("/api/approval/rules")["rules"]:
            assert rule["arguments"] == '{"command": "rm a"}'
            client.post("/api/approval/rules/revoke", rule_id=rule["rule_id"])
        assert is_asked(client, ask(client)[1])


def is_asked(client: Client, stream_id: str) -> bool:
    """Does the run come to ask, or to its end without it?"""
    return any(frame.name == "approval" for frame in client.frames(stream_id))


# S17
@pytest.mark.parametrize(
    "arguments",
    [
        '{"command": "rm a; curl x"}',
        '{"command": "rm a\\ncurl x"}',
        '{"command": "rm a `curl x`"}',
        '{"command": "rm $(echo a)"}',
        '{"command": "rm  a"}',
        '{"command":"rm a"}',
        '{"command": "rm a", "folder": "/"}',
        '{"command": "rm \u202ea"}',
        '{"command": "rm a' + " " * 40_000 + '; curl x"}',
    ],
    ids=range(9),
)
def test_a_rule_covers_its_exact_form_and_what_is_asked_is_shown_whole(client: Client, arguments: str) -> None:
    session_id, stream_id = ask(client)
    respond(client, wait_for_approval(client, stream_id), "session")
    end(client, stream_id)

    script = f"@@tool shell {arguments}\n@@approval execute shell {arguments}\n@@result done"
    again = client.start(session_id, script)["stream_id"]

    asked = wait_for_approval(client, again)
    assert asked["arguments"] == arguments
    respond(client, asked, "deny")


@pytest.mark.parametrize(
    ("mode", "outcomes"),
    [
        ("read", {"read": "ran", "edit": "denied", "execute": "denied", "fetch": "denied", "other": "denied"}),
        ("ask", {"read": "ran", "edit": "asked", "execute": "asked", "fetch": "asked", "other": "asked"}),
        ("edit", {"read": "ran", "edit": "ran", "execute": "asked", "fetch": "asked", "other": "asked"}),
        ("full", {"read": "ran", "edit": "ran", "execute": "ran", "fetch": "ran", "other": "ran"}),
    ],
)
def test_a_session_lets_its_agent_do_what_its_mode_says(client: Client, mode: str, outcomes: dict[str, str]) -> None:
    for kind, outcome in outcomes.items():
        session_id = client.new_session()
        client.answer(session_id, "Begin")
        row = client.post("/api/approval/mode", session_id=session_id, mode=mode)["session"]
        assert row["approval_mode"] == mode

        stream_id = client.start(session_id, f"@@tool t {{}}\n@@approval {kind} t {{}}\n@@result ran")["stream_id"]

        if outcome == "asked":
            respond(client, wait_for_approval(client, stream_id), "deny")
            end(client, stream_id)
        else:
            assert "approval" not in end(client, stream_id)
            assert result_of(client, session_id)["content"].startswith("ran" if outcome == "ran" else "Not allowed")


def test_a_question_is_answered_and_the_agent_goes_on_with_it(client: Client) -> None:
    session_id, stream_id = ask(client, "@@ask Which one? | this | that\n@@text .")
    until(lambda: asked_in(client, stream_id) is not None)
    question = asked_in(client, stream_id)["question"]
    assert (question["text"], question["options"]) == ("Which one?", ["this", "that"])

    client.post("/api/clarify/respond", stream_id=stream_id, question_id=question["question_id"], text="that")

    assert "clarify_answered" in end(client, stream_id)
    assert client.messages(session_id)[-1]["content"] == "that\n."


def test_a_run_that_waits_can_be_stopped_and_asks_no_more(client: Client) -> None:
    session_id, stream_id = ask(client)
    asked = wait_for_approval(client, stream_id)

    client.post("/api/chat/cancel", stream_id=stream_id)

    assert asked_in(client, stream_id) is None
    assert respond(client, asked, "once").status_code == 404
    assert result_of(client, session_id)["content"] == ""


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_what_waits_survives_a_restart_and_is_done_once_when_it_is_allowed(tmp_path: Path, how: str) -> None:
    with ServerProcess(tmp_path / "state") as server:
        client = server.client()
        session_id, stream_id = ask(client)
        asked = wait_for_approval(client, stream_id)
        if how == "killed":
            server.kill()
        else:
            assert server.stop(signal.SIGTERM) == 0
        server.start()
        client = server.client()

        assert wait_for_approval(client, stream_id) == asked
        watcher = Watcher(client, stream_id)
        respond(client, asked, "once")

        names = [frame.name for frame in watcher.whole()]
        assert names.count("tool_complete") == names.count("approval") == names.count("approval_resolved") == 1
        assert names[-1] == "stream_end"
        messages = client.messages(session_id)
        assert [one["role"] for one in messages] == ["user", "assistant", "tool", "assistant"]
        assert (messages[2]["content"], messages[3]["content"]) == ("gone", "After.")


def test_a_question_survives_a_restart_too(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "state") as server:
        client = server.client()
        session_id, stream_id = ask(client, "@@text Well.\n@@ask Which?\n@@text .")
        until(lambda: asked_in(client, stream_id) is not None)
        server.kill()
        server.start()
        client = server.client()

        client.post("/api/clarify/respond", stream_id=stream_id, question_id="question-1", text="that")

        end(client, stream_id)
        assert client.messages(session_id)[-1]["content"] == "Well.that\n."


def test_a_task_in_the_background_waits_for_its_word_through_a_restart(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "state") as server:
        client = server.client()
        session_id = client.new_session()
        client.answer(session_id, "Begin")
        client.post("/api/background", session_id=session_id, prompt=REMOVE, model="scripted/script")
        until(lambda: client.get("/api/approval/pending")["asking"] != [])
        server.kill()
        server.start()
        client = server.client()
        [asking] = client.get("/api/approval/pending")["asking"]
        assert asking["kind"] == "task"

        respond(client, asking["approvals"][0], "once")

        until(lambda: client.messages(session_id)[-1].get("task") is not None)
        assert client.messages(session_id)[-1]["content"] == "After."
