"""Documents that an editor or a sync program changes while the server runs: noticed and shown, and no word is lost."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.http.conftest import until
from tests.http.reading import reading
from tests.serving import Client, ServerProcess, Watcher, text_of

Document = dict[str, Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with ServerProcess(tmp_path_factory.mktemp("outside") / "state") as server:
        yield server


def path_of(server: ServerProcess, session_id: str) -> Path:
    return server.state_dir / "sessions" / f"{session_id}.json"


def rewrite(path: Path, change: Callable[[Document], None], *, in_place: bool = False) -> None:
    """As another program does: in place, or by a rename."""
    document = json.loads(path.read_bytes())
    change(document)
    target = path if in_place else path.with_name("from-elsewhere")
    target.write_text(json.dumps(document))
    if not in_place:
        target.rename(path)


def say(text: str) -> Callable[[Document], None]:
    return lambda document: document["messages"][-1].update(content=text)


def texts(client: Client, session_id: str) -> list[str]:
    return [message["content"] for message in client.messages(session_id)]


# Bad input 79
@pytest.mark.parametrize("in_place", [True, False], ids=["in place", "by a rename"])
def test_a_change_by_hand_is_told_to_open_pages_and_shown(server: ServerProcess, in_place: bool) -> None:
    client = server.client()
    session = client.new_session()
    client.answer(session, "hello")
    seen = client.get("/api/session", session_id=session)["session"]["revision"]

    with reading(client, "/api/events", after=client.get("/api/sessions")["version"]) as shown:
        rewrite(path_of(server, session), say("written by hand"), in_place=in_place)
        told = shown.until(lambda frame: frame.name == "messages_changed")

    assert told.data == {"session_id": session}
    assert texts(client, session) == ["hello", "written by hand"]
    late = client.http.post("/api/session/clear", json={"session_id": session, "revision": seen})
    assert (late.status_code, late.json()["code"]) == (409, "stale_revision")
    assert client.answer(session, "and now") == "and now"
    assert len(texts(client, session)) == 4


def test_a_file_that_appears_is_listed_and_one_that_is_removed_is_gone(server: ServerProcess) -> None:
    client = server.client()
    made, removed = client.new_session(), client.new_session()
    client.answer(removed, "hello")
    document = json.loads(path_of(server, removed).read_bytes())
    with reading(client, "/api/events", after=client.get("/api/sessions")["version"]) as shown:
        path_of(server, removed).unlink()
        shown.until(lambda frame: removed in frame.data.get("removed", []))
        path_of(server, made[:-1]).write_text(json.dumps(document | {"session_id": made[:-1], "title": "Brought"}))
        assert client.get("/api/session", session_id=made[:-1])["session"]["title"] == "Brought"

    assert client.http.get("/api/session", params={"session_id": removed}).status_code == 404


def answering(server: ServerProcess, client: Client) -> tuple[str, Watcher]:
    session = client.new_session()
    client.answer(session, "first")
    watcher = Watcher(server.client(), client.start(session, "@@text some words\n@@hang")["stream_id"])
    watcher.wait_until(lambda seen: text_of(seen) == "some words")
    return session, watcher


def forget_what_was_asked(document: Document) -> None:
    document["messages"] = [*document["messages"][:1], {"role": "user", "content": "synced from elsewhere"}]
    document["active_stream_id"] = None


def test_what_goes_on_from_it_while_an_answer_is_written_is_merged(server: ServerProcess) -> None:
    client = server.client()
    session, watcher = answering(server, client)

    rewrite(path_of(server, session), lambda document: document["messages"][0].update(content="first, by hand"))
    client.post("/api/chat/cancel", stream_id=watcher.stream_id)
    watcher.whole()

    said = [text for text in texts(client, session) if not text.startswith("@@")]
    assert said == ["first, by hand", "first", "some words"]
    assert client.get("/api/sessions", q="changed elsewhere")["sessions"] == []


# Bad input 79
def test_another_version_put_there_while_an_answer_is_written_becomes_a_session_of_its_own(
    server: ServerProcess,
) -> None:
    client = server.client()
    session, watcher = answering(server, client)
    client.post("/api/session/rename", session_id=session, title="Two versions")

    rewrite(path_of(server, session), forget_what_was_asked)
    client.post("/api/chat/cancel", stream_id=watcher.stream_id)
    watcher.whole()

    assert texts(client, session)[-1] == "some words"
    assert len(texts(client, session)) == 4
    found: list[Document] = []
    until(lambda: found.extend(client.get("/api/sessions", q="Two versions (changed elsewhere)")["sessions"]) or found)
    (theirs,) = found
    assert texts(client, theirs["session_id"]) == ["first", "synced from elsewhere"]


DAMAGES: dict[str, Callable[[Path], object]] = {"removed": Path.unlink, "cut": lambda path: path.write_bytes(b"{")}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_is_removed_or_broken_under_an_answer_is_written_again(server: ServerProcess, damage: str) -> None:
    client = server.client()
    session, watcher = answering(server, client)

    DAMAGES[damage](path_of(server, session))
    client.post("/api/chat/cancel", stream_id=watcher.stream_id)
    watcher.whole()

    assert texts(client, session)[-1] == "some words"
    assert len(json.loads(path_of(server, session).read_bytes())["messages"]) == 4
    for one in client.get("/api/unreadable")["files"]:
        (server.state_dir / "sessions" / one["name"]).unlink()


@pytest.mark.parametrize("other", ["older", "removed", "in the trash"])
def test_an_answer_whose_document_was_replaced_while_no_server_ran_is_kept(tmp_path: Path, other: str) -> None:
    with ServerProcess(tmp_path / "state") as server:
        client = server.client()
        session, _ = answering(server, client)
        server.kill()
        path = path_of(server, session)
        if other == "older":
            rewrite(path, forget_what_was_asked)
        elif other == "removed":
            path.unlink()
        else:
            os.renames(path, path.parent / "_trash" / path.name)
        for _ in range(2):
            server.start()
            client = server.client()
            rows = client.get("/api/sessions")["sessions"]
            kept = [row for row in rows if "answer to a message" in row["title"]]
            assert len(kept) == (0 if other == "in the trash" else 1)
            for row in kept:
                assert texts(client, row["session_id"]) == ["some words"]
            server.kill()
