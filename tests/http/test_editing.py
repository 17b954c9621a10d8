"""Editing, filing, drafts and commands, as a page asks for them."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.serving import Client


@pytest.fixture
def session_id(client: Client) -> Iterator[str]:
    """A session that was talked in twice."""
    session_id = client.new_session()
    client.answer(session_id, "first question")
    client.answer(session_id, "second question")
    yield session_id
    client.http.post("/api/session/delete", json={"session_id": session_id})


def texts(client: Client, session_id: str) -> list[str]:
    return [message["content"] for message in client.messages(session_id)]


def revision(client: Client, session_id: str) -> int:
    return client.get("/api/session", session_id=session_id, messages=0)["session"]["revision"]


def follow(client: Client, started: dict[str, Any]) -> None:
    for _ in client.frames(started["stream_id"]):
        pass


def test_an_edited_message_is_answered_in_its_own_place(client: Client, session_id: str) -> None:
    first, *_ = client.messages(session_id)

    edit = {"session_id": session_id, "message_id": first["id"], "message": "another question"}
    follow(client, client.post("/api/chat/edit", **edit, revision=revision(client, session_id)))

    question, answer = client.messages(session_id)
    assert (question["content"], answer["content"]) == ("another question", "another question")
    assert (question["versions"], question["version"]) == ([first["id"], question["id"]], 1)


def test_a_second_window_cannot_edit_what_the_first_one_changed(client: Client, session_id: str) -> None:
    seen, first = revision(client, session_id), client.messages(session_id)[0]
    edit = {"session_id": session_id, "message_id": first["id"], "revision": seen}
    follow(client, client.post("/api/chat/edit", **edit, message="from one window"))

    late = client.http.post("/api/chat/edit", json=edit | {"message": "from the other"})

    assert (late.status_code, late.json()["code"]) == (409, "stale_revision")
    assert late.json()["revision"] == revision(client, session_id)
    assert texts(client, session_id)[0] == "from one window"


def test_undo_and_clear_can_be_undone(client: Client, session_id: str) -> None:
    before = texts(client, session_id)

    removed = client.post("/api/session/undo", session_id=session_id)["removed"]
    assert [one["content"] for one in removed] == ["second question"] * 2
    client.post("/api/session/put_back", session_id=session_id)
    client.post("/api/session/clear", session_id=session_id)
    assert texts(client, session_id) == []
    client.post("/api/session/put_back", session_id=session_id)

    assert texts(client, session_id) == before


def test_a_branch_and_a_copy_are_sessions_of_their_own(client: Client, session_id: str) -> None:
    answer = client.messages(session_id)[1]

    branch = client.post("/api/session/branch", session_id=session_id, message_id=answer["id"])["session"]
    copy = client.post("/api/session/duplicate", session_id=session_id, title="Mine")["session"]

    assert texts(client, branch["session_id"]) == ["first question"] * 2
    assert (copy["title"], texts(client, copy["session_id"])) == ("Mine", texts(client, session_id))
    for made in (branch, copy):
        client.post("/api/session/delete", session_id=made["session_id"])


def test_a_tag_in_a_title_becomes_a_tag_and_finds_the_session(client: Client, session_id: str) -> None:
    row = client.post("/api/session/rename", session_id=session_id, title="Holiday #travel plans")["session"]

    assert (row["title"], row["tags"]) == ("Holiday plans", ["travel"])
    assert [one["session_id"] for one in client.get("/api/sessions", tag="travel")["sessions"]] == [session_id]
    client.post("/api/session/tag", session_id=session_id, tags=["#work", "work", " "])
    assert client.get("/api/sessions", tag="travel")["sessions"] == []
    assert client.get("/api/session", session_id=session_id)["session"]["tags"] == ["work"]


def test_sessions_are_filed_under_projects(client: Client, session_id: str) -> None:
    project = client.post("/api/projects/create", name="House")["project"]
    client.post("/api/session/move", session_id=session_id, project_id=project["project_id"])

    inside = client.get("/api/sessions", project_id=project["project_id"])["sessions"]
    taken = client.http.post("/api/projects/create", json={"name": "house"})
    changed = client.post("/api/projects/change", project_id=project["project_id"], color="moss")["project"]
    client.post("/api/projects/delete", project_id=project["project_id"])
    gone = client.http.post("/api/session/move", json={"session_id": session_id, "project_id": project["project_id"]})

    assert [one["session_id"] for one in inside] == [session_id]
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")
    assert (changed["name"], changed["color"]) == ("House", "moss")
    assert (gone.status_code, gone.json()["code"]) == (404, "project_not_found")


def test_a_draft_is_shared_and_no_window_overwrites_the_other(client: Client, session_id: str) -> None:
    seen = client.get("/api/session/draft", session_id=session_id)["revision"]
    draft = {"session_id": session_id, "text": "half a thou", "attachments": ["a.png"], "revision": seen}
    kept = client.http.post("/api/session/draft", json=draft).json()

    late = client.http.post("/api/session/draft", json=draft | {"text": "from elsewhere"})

    assert client.get("/api/session/draft", session_id=session_id) == kept
    assert (kept["text"], kept["revision"]) == ("half a thou", seen + 1)
    assert (late.status_code, late.json()["text"]) == (409, "half a thou")


def test_a_draft_goes_when_its_message_is_sent(client: Client, session_id: str) -> None:
    kept = client.post("/api/session/draft", session_id=session_id, text="third question")

    client.answer(session_id, "third question")
    late = client.http.post("/api/session/draft", json=kept | {"session_id": session_id, "text": "third"})

    assert client.get("/api/session/draft", session_id=session_id)["text"] == ""
    assert late.status_code == 409, "what was typed before it was sent came back"


def test_a_draft_that_was_not_sent_stays_when_another_message_is(client: Client, session_id: str) -> None:
    client.http.post("/api/session/draft", json={"session_id": session_id, "text": "typed elsewhere"})

    client.answer(session_id, "third question")

    assert client.get("/api/session/draft", session_id=session_id)["text"] == "typed elsewhere"


def test_a_question_asked_aside_shows_with_its_session_until_it_is_kept(client: Client, session_id: str) -> None:
    aside = client.post("/api/btw", session_id=session_id, question="really?", model="scripted/script")["aside"]
    frames = list(client.frames(aside["stream_id"]))

    shown = client.get("/api/session", session_id=session_id)
    client.post("/api/btw/keep", stream_id=aside["stream_id"])

    assert [frame.name for frame in frames][-2:] == ["done", "stream_end"]
    assert [(one["question"], one["is_active"]) for one in shown["asides"]] == [("really?", False)]
    assert len(shown["session"]["messages"]) == 4
    assert texts(client, session_id)[-2:] == ["really?", "really?"]
    assert client.get("/api/session", session_id=session_id)["asides"] == []


def test_an_aside_of_a_deleted_session_is_not_there(client: Client) -> None:
    session_id = client.new_session()
    client.answer(session_id, "soon gone")
    aside = client.post("/api/btw", session_id=session_id, question="@@hang", model="scripted/script")["aside"]

    client.post("/api/session/delete", session_id=session_id)

    assert client.http.post("/api/btw/keep", json={"stream_id": aside["stream_id"]}).status_code == 404
    assert client.http.post("/api/btw", json={"session_id": session_id, "question": "hm?"}).status_code == 404


def test_a_task_is_answered_into_its_session(client: Client, session_id: str) -> None:
    begun = client.post("/api/background", session_id=session_id, prompt="work on it", model="scripted/script")["task"]
    for _ in client.frames(begun["stream_id"]):
        pass

    last = client.messages(session_id)[-1]
    assert (last["content"], last["task"]) == ("work on it", {"prompt": "work on it"})
    assert client.get("/api/session", session_id=session_id)["session"]["unread"]
    assert not client.post("/api/session/read", session_id=session_id)["session"]["unread"]


COMMANDS = [
    ("/rename A better name", ["reload"]),
    ("/model mock", ["do"]),
    ("/btw what was that?", ["show_aside"]),
    ("/background look into it", ["show_task"]),
    ("/queue and then?", ["follow_run"]),
    ("/steer this way", ["follow_run"]),
    ("/stop", ["say"]),
    ("/compact", ["say"]),
    ("/undo", ["reload", "compose"]),
    ("/branch Another way", ["open_session"]),
    ("/export html", ["do"]),
    ("/theme dark", ["do"]),
    ("/help", ["do"]),
    ("/new", ["open_session"]),
    ("/new with words", ["open_session", "compose"]),
    ("/retry", ["follow_run"]),
    ("/clear", ["reload", "say"]),
]


@pytest.mark.parametrize(("line", "effects"), COMMANDS, ids=lambda value: str(value))
def test_a_command_does_what_it_says(client: Client, session_id: str, line: str, effects: list[str]) -> None:
    told = client.post("/api/commands/run", text=line, session_id=session_id, model="scripted/script")["effects"]

    assert [effect["type"] for effect in told] == effects


def test_every_command_is_listed_with_its_help(client: Client) -> None:
    listed = client.get("/api/commands")["commands"]

    assert {f"/{command['name']}" for command in listed} == {line.split()[0] for line, _ in COMMANDS}
    assert all(command["help"] for command in listed)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("/nonsense", "unknown_command"),
        ("no slash", "unknown_command"),
        ("/", "unknown_command"),
        ("/rename", "no_argument"),
        ("/export pdf", "bad_format"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(client: Client, session_id: str, line: str, code: str) -> None:
    refused = client.http.post("/api/commands/run", json={"text": line, "session_id": session_id})

    assert (refused.status_code, refused.json()["code"]) == (400, code)


def test_a_command_that_needs_a_session_says_so_in_a_new_chat(client: Client) -> None:
    refused = client.http.post("/api/commands/run", json={"text": "/btw hello?"})

    assert (refused.status_code, refused.json()["code"]) == (400, "no_session")


@pytest.mark.parametrize("kind", ["json", "markdown", "html"])
def test_an_exported_file_has_the_name_of_its_session(client: Client, session_id: str, kind: str) -> None:
    client.post("/api/session/rename", session_id=session_id, title='A "quoted"\u2028 name / ü')

    response = client.http.get("/api/session/export", params={"session_id": session_id, "format": kind})

    assert response.status_code == 200
    assert response.headers["content-disposition"].startswith("attachment; filename*=UTF-8''A%20%22quoted%22")
    assert "first question" in response.text
