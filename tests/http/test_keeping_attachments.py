"""What is attached goes where its conversation goes: into copies, out in files and back in, and away with it."""

import base64
import copy
import json
from typing import Any

import pytest

from tests import pictures
from tests.http.conftest import until
from tests.http.table import check_error
from tests.serving import Client, ServerProcess

PICTURE = pictures.png(11, 7)


@pytest.fixture
def talked(client: Client) -> tuple[str, str]:
    """A conversation with a picture in its first message, and the id of that."""
    session_id = client.new_session()
    given = client.attach(session_id, PICTURE, "*garden* <b>.png")["id"]
    client.answer(session_id, "look", attachments=[given])
    client.answer(session_id, "and now", attachments=[client.attach(session_id, b"second", "second.txt")["id"]])
    return session_id, given


def bytes_of(client: Client, session_id: str, attachment_id: str) -> bytes | None:
    answer = client.http.get("/api/attachment", params={"session_id": session_id, "id": attachment_id})
    return answer.content if answer.status_code == 200 else None


def exported(client: Client, session_id: str) -> dict[str, Any]:
    return client.http.get("/api/session/export", params={"session_id": session_id}).json()


def imported(client: Client, document: Any) -> Any:
    return client.http.post("/api/session/import", content=json.dumps(document).encode())


def removed_for_good(client: Client, session_id: str) -> None:
    client.post("/api/session/delete", session_id=session_id)
    client.post("/api/trash/remove", session_id=session_id)


def test_every_copy_of_a_conversation_has_its_own_of_what_is_attached(
    client: Client, server: ServerProcess, talked: tuple[str, str]
) -> None:
    session_id, given = talked
    first = client.messages(session_id)[0]["id"]
    whole = client.post("/api/session/duplicate", session_id=session_id)["session"]["session_id"]
    begun = client.post("/api/session/branch", session_id=session_id, message_id=first)["session"]["session_id"]
    client.post("/api/session/clear", session_id=session_id)
    items = client.get("/api/trash")["items"]
    [cleared] = [one["session_id"] for one in items if one["cleared_from"] == session_id]
    client.post("/api/session/put_back", session_id=session_id)
    assert bytes_of(client, session_id, given) == PICTURE

    removed_for_good(client, session_id)
    client.post("/api/session/restore", session_id=cleared)

    assert bytes_of(client, session_id, given) is None
    assert not (server.state_dir / "attachments" / session_id).exists()
    for one in (whole, begun, cleared):
        assert bytes_of(client, one, given) == PICTURE
        assert client.messages(one)[0]["attachments"][0]["id"] == given
    kept = {one: len(list((server.state_dir / "attachments" / one).iterdir())) for one in (whole, begun, cleared)}
    assert kept == {whole: 4, begun: 2, cleared: 4}


def test_what_is_attached_waits_in_the_trash_with_its_conversation(client: Client, talked: tuple[str, str]) -> None:
    session_id, given = talked
    client.post("/api/session/delete", session_id=session_id)
    assert bytes_of(client, session_id, given) is None

    client.post("/api/session/restore", session_id=session_id)

    assert bytes_of(client, session_id, given) == PICTURE


def test_an_exported_conversation_brings_what_is_attached_with_it(client: Client, talked: tuple[str, str]) -> None:
    session_id, given = talked
    document = exported(client, session_id)
    assert {base64.b64decode(one["data"]) for one in document["attached_files"]} == {PICTURE, b"second"}

    answer = imported(client, [document | {"session_id": "elsewhere-1", "title": "Elsewhere"}])

    assert [row["session_id"] for row in answer.json()["imported"]] == ["elsewhere-1"]
    assert bytes_of(client, "elsewhere-1", given) == PICTURE
    assert client.messages("elsewhere-1") == client.messages(session_id)
    again = exported(client, "elsewhere-1")
    assert {one["sha256"] for one in again["attached_files"]} == {one["sha256"] for one in document["attached_files"]}
    removed_for_good(client, "elsewhere-1")


def test_what_an_import_left_that_did_not_come_to_its_end_is_no_obstacle(
    client: Client, server: ServerProcess, talked: tuple[str, str]
) -> None:
    session_id, given = talked
    left = server.state_dir / "attachments/elsewhere-4"
    left.mkdir()
    (left / given).write_bytes(PICTURE[:20])

    answer = imported(client, exported(client, session_id) | {"session_id": "elsewhere-4", "title": "Elsewhere"})

    assert answer.status_code == 200, answer.text
    assert bytes_of(client, "elsewhere-4", given) == PICTURE
    removed_for_good(client, "elsewhere-4")


def _enlarge(document: Any) -> None:
    huge = pictures.png(1, 1, told=(50_000, 50_000))
    document["attached_files"][0]["data"] = base64.b64encode(huge).decode()


def _lie(document: Any) -> None:
    document["messages"][0]["attachments"][0]["media_type"] = "image/gif"


def _swap(document: Any) -> None:
    document["attached_files"] = [one | {"data": "AAAA"} for one in document["attached_files"]]


def _damage(document: Any) -> None:
    document["attached_files"][0]["data"] = "!"


def _empty(document: Any) -> None:
    document["attached_files"][0]["data"] = ""


def _lead_out(document: Any) -> None:
    document["attached_files"][0]["id"] = "../../x"


def _double(document: Any) -> None:
    document["attached_files"] *= 2


def _misshape(document: Any) -> None:
    document["attached_files"] = {"id": 5}


# Bad inputs 47, 49, 50
@pytest.mark.parametrize("spoil", [_enlarge, _lie, _swap, _damage, _empty, _lead_out, _double, _misshape])
def test_a_file_whose_attachments_nobody_may_give_is_refused_as_a_whole(
    client: Client, server: ServerProcess, talked: tuple[str, str], spoil: Any
) -> None:
    session_id, _ = talked
    document = exported(client, session_id) | {"session_id": "elsewhere-2"}
    good = copy.deepcopy(document) | {"session_id": "elsewhere-3"}
    spoil(document)

    answer = imported(client, [good, document])

    error = check_error(answer.status_code, answer.json())
    assert (answer.status_code, error.code, answer.json()["entry"]) == (400, "not_a_session", 2)
    assert not list((server.state_dir / "attachments").glob("elsewhere-*"))
    assert not list((server.state_dir / "sessions").glob("elsewhere-*"))


def test_files_for_people_name_what_is_attached(client: Client, talked: tuple[str, str]) -> None:
    session_id, _ = talked

    def text(kind: str) -> str:
        return client.http.get("/api/session/export", params={"session_id": session_id, "format": kind}).text

    assert r"- \*garden\* \<b\>.png (0.1 kB)" in text("markdown")
    assert "<li>*garden* &lt;b&gt;.png (0.1 kB)</li>" in text("html")


def test_a_message_is_found_by_the_name_of_what_is_attached(client: Client) -> None:
    session_id = client.new_session()
    given = client.attach(session_id, b"words", "quetzalcoatl.txt")["id"]
    client.answer(session_id, "look", attachments=[given])

    def found() -> list[str]:
        hits = client.get("/api/sessions/search", q="quetzalcoatl")["results"]
        return [passage["message_id"] for hit in hits for passage in hit["passages"]]

    until(lambda: client.messages(session_id)[0]["id"] in found())


def test_what_another_program_attached_in_its_own_way_is_kept_and_not_shown(client: Client) -> None:
    theirs = ["photo.png", {"id": 5}, {"name": "x"}]
    message = {"id": "m1", "role": "user", "content": "theirs", "attachments": theirs}

    [row] = client.post("/api/session/import", messages=[message])["imported"]

    assert client.messages(row["session_id"])[0]["attachments"] == []
    assert exported(client, row["session_id"])["messages"][0]["attachments"] == theirs


def test_what_a_document_names_twice_in_a_message_is_shown_once(client: Client) -> None:
    given = {"id": "a1", "name": "cat.png", "media_type": "image/png", "size": 3}
    message = {"id": "m1", "role": "user", "content": "twice", "attachments": [given, given]}

    [row] = client.post("/api/session/import", messages=[message])["imported"]

    assert [one["id"] for one in client.messages(row["session_id"])[0]["attachments"]] == ["a1"]
