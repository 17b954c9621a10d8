"""Conversations that are offered as files: taken in once, under an id of their own, or refused as a whole."""

import json

import pytest

from api.http.handlers.files import MAX_IMPORT_BYTES
from tests.http.table import check_error
from tests.http.wire import connect, host_of, parse, read_to_end
from tests.serving import TOKEN, Client, ServerProcess


def texts(client: Client, session_id: str) -> list[str]:
    return [one["content"] for one in client.messages(session_id)]


def offered(**fields: object) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": "offered"}], **fields}).encode()


def test_an_exported_session_can_be_imported_again(client: Client) -> None:
    client.answer(session_id := client.new_session(), "hello")
    data = client.http.get("/api/session/export", params={"session_id": session_id}).content
    document = json.loads(data) | {"session_id": "from-elsewhere"}

    first = client.http.post("/api/session/import", content=json.dumps(document).encode()).json()
    again = client.http.post("/api/session/import", content=json.dumps(document).encode()).json()

    assert [row["session_id"] for row in first["imported"]] == ["from-elsewhere"]
    assert (again["imported"], again["skipped"]) == ([], 1)
    assert texts(client, "from-elsewhere") == texts(client, session_id)
    client.post("/api/session/delete", session_id="from-elsewhere")


def test_conversations_without_ids_that_are_imported_twice_are_there_once(client: Client) -> None:
    data = json.dumps(
        [{"title": "From elsewhere", "messages": [{"role": "user", "content": "imported twice"}]}]
    ).encode()

    first, again = (client.http.post("/api/session/import", content=data).json() for _ in range(2))

    assert (len(first["imported"]), first["skipped"]) == (1, 0)
    assert (again["imported"], again["skipped"]) == ([], 1)


# Bad input 50
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"no json", id="no JSON"),
        pytest.param(b"PK\x03\x04", id="an archive"),
        pytest.param(b"[]", id="no conversation"),
        pytest.param(b"\xff\xfe{}", id="no UTF-8"),
        pytest.param(b"[" * 200_000, id="too deep"),
        pytest.param(b'{"messages": 1}', id="no list of messages"),
        pytest.param(b'[{"title": "Trip", "mapping": {"a": {"message": null}}}]', id="the export of another product"),
        pytest.param(b"[%s, 5]" % offered(), id="one that is, and one that is not"),
    ],
)
def test_a_file_that_is_no_conversation_is_refused_as_a_whole(client: Client, data: bytes) -> None:
    before = client.get("/health")["sessions"]

    refused = client.http.post("/api/session/import", content=data)

    assert check_error(refused.status_code, refused.json()).error.endswith("Nothing was imported.")
    assert refused.status_code == 400
    assert client.get("/health")["sessions"] == before


# Bad inputs 17, 50
def test_fields_of_a_file_may_have_any_name_and_none_is_a_way_in(client: Client) -> None:
    odd = dict.fromkeys(("home", "self", "lock", "seen", "deleted", "path", "save", "__proto__"), "theirs")
    ours = {"owner": "ada", "revision": 900, "schema": 999, "active_stream_id": "run-1"}

    (row,) = client.http.post("/api/session/import", content=offered(**odd, **ours)).json()["imported"]

    document = client.get("/api/session/export", session_id=row["session_id"])
    assert {name: document[name] for name in odd} == odd
    assert not [name for name, value in ours.items() if document[name] == value]
    assert client.answer(row["session_id"], "and on") == "and on"


# Bad input 50
def test_the_id_of_a_file_that_cannot_be_read_is_taken(client: Client, server: ServerProcess) -> None:
    broken = server.state_dir / "sessions/broken.json"
    broken.write_bytes(b'{"messages": [')

    (row,) = client.http.post("/api/session/import", content=offered(session_id="broken")).json()["imported"]

    assert row["session_id"] != "broken"
    assert texts(client, row["session_id"]) == ["offered"]
    assert broken.read_bytes() == b'{"messages": ['
    broken.unlink()


# Bad input 50
def test_a_file_of_a_gigabyte_is_refused_before_it_comes(server: ServerProcess) -> None:
    head = f"POST /api/session/import HTTP/1.1\r\nHost: {host_of(server.address)}\r\nAuthorization: Bearer {TOKEN}\r\n"

    with connect(server.address) as connection:
        connection.sendall(f"{head}Content-Length: {1 << 30}\r\n\r\n".encode())
        answers = parse(read_to_end(connection))

    assert [(answer.status, answer.error["code"]) for answer in answers] == [(413, "too_large")]
    assert answers[0].error["max_bytes"] == MAX_IMPORT_BYTES
