"""What a route that takes a body answers to one that it cannot take: always the one shape, never a 5xx."""

import json
from typing import Any

import httpx2
import pytest

from api.http.requests import MAX_BODY_BYTES
from tests.http.conftest import memory_of
from tests.http.table import BODIES, check_error, good_body
from tests.http.wire import connect, host_of, parse, read_to_end
from tests.serving import TOKEN, Client, ServerProcess

JSON = {"Content-Type": "application/json"}

UNREADABLE = {
    "nothing": b"",
    "blanks": b"  \n ",
    "cut JSON": b'{"session_id": "a',
    "null": b"null",
    "a list": b"[]",
    "a text": b'"x"',
    "a number": b"42",
    "a truth": b"true",
    "two values": b"{} {}",
    "a comma too many": b'{"a": 1,}',
    "single quotes": b"{'a': 1}",
    "a comment": b"{} // why",
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "minus Infinity": b'{"a": -Infinity}',
    "a number beyond floats": b'{"a": 1e999}',
    "a number of 5,000 digits": b'{"a": %s}' % (b"9" * 5000),
    "a number of 31 digits": b'{"a": -%s}' % (b"9" * 31),
    "a key twice": b'{"id": "a", "id": "b"}',
    "a key twice, deep down": b'{"a": [{"b": 1, "b": 1}]}',
    "a key twice, written otherwise": b'{"a": 1, "\\u0061": 2}',
    "two keys that mending makes one": b'{"\\ud800": 1, "\\udbff": 2}',
    "100,000 lists": b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100,000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "UTF-16 without a mark": "{}".encode("utf-16-le"),
    "UTF-32": "{}".encode("utf-32"),
    "Latin-1": '{"a": "é"}'.encode("latin-1"),
    "a byte too short": b'{"a": "\xc3"}',
    "an overlong form": b'{"a": "\xc0\xaf"}',
    "a surrogate in bytes": b'{"a": "\xed\xa0\xbd"}',
    "a raw NUL": b'{"a": "\x00"}',
    "a raw line break in a text": b'{"a": "\n"}',
}

FOREIGN_TYPES = [
    "",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json; charset=latin1",
    "application/json, text/plain",
    "application/jsonx",
    "application/json; version=1",
    "text/json",
]

PUZZLING: dict[str, Any] = {
    "a number": 5,
    "a fraction": 1.5,
    "a huge number": 10**29,
    "a truth": True,
    "a text": "x",
    "a list": ["a"],
    "an object": {"a": 1},
}
_KINDS = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}

HOSTILE_IDS = ["", ".", "..", "../x", "a/b", "a\\b", "%2e%2e%2f", "x" * 300, "con", "NUL", "-rf", "*", "a ", " a", "a.",
    "a\x00", "\x00", "a\n", "\r\n", "a;b", "ａ", "\u212a", "\ud83d", "a:b", "~", "$(id)", "{}"]  # fmt: skip


def _post(client: Client, path: str, body: bytes, headers: dict[str, str] = JSON) -> httpx2.Response:
    return client.http.post(path, content=body, headers=headers)


# Bad inputs 1, 2, 4, 6, 7, 8, 9
@pytest.mark.parametrize("path", BODIES)
def test_a_body_that_has_no_single_reading_is_refused(path: str, client: Client) -> None:
    for what, body in UNREADABLE.items():
        answer = _post(client, path, body)
        error = check_error(answer.status_code, answer.json())
        assert (answer.status_code, error.code) in [(400, "bad_json"), (400, "bad_encoding")], what


# Bad input 16
@pytest.mark.parametrize("path", BODIES)
def test_a_body_of_another_type_is_refused_unread(path: str, client: Client) -> None:
    for content_type in FOREIGN_TYPES:
        answer = _post(client, path, b"{}", {"Content-Type": content_type})
        error = check_error(answer.status_code, answer.json())
        assert (answer.status_code, error.code) == (415, "unsupported_media_type"), content_type


# Bad inputs 3, 5
@pytest.mark.parametrize("path", BODIES)
def test_a_field_of_the_wrong_type_is_named_and_not_guessed_at(path: str, client: Client) -> None:
    model = BODIES[path]
    for name, schema in model.model_json_schema()["properties"].items():
        allowed = {"object" if "$ref" in one else one.get("type") for one in schema.get("anyOf", [schema])}
        if "number" in allowed:
            allowed.add("integer")  # which is one
        for what, value in PUZZLING.items():
            if _KINDS[type(value)] in allowed:
                continue
            answer = client.http.post(path, json=good_body(model) | {name: value})
            error = check_error(answer.status_code, answer.json())
            assert (answer.status_code, error.code) == (400, "invalid_field"), (name, what)
            assert error.field == name


# Bad input 2
@pytest.mark.parametrize("path", BODIES)
def test_a_field_that_is_missing_is_named(path: str, client: Client) -> None:
    good = good_body(BODIES[path])
    for name in good:
        answer = client.http.post(path, json={key: value for key, value in good.items() if key != name})
        error = check_error(answer.status_code, answer.json())
        assert (answer.status_code, error.code, error.field) == (400, "invalid_field", name)


# Bad inputs 11, 13, 21
@pytest.mark.parametrize(
    "path", [path for path, model in BODIES.items() if {"session_id", "stream_id", "id"} & {*model.model_fields}]
)
def test_a_hostile_id_is_refused_before_anything_is_looked_for(path: str, client: Client) -> None:
    model = BODIES[path]
    for name in {"session_id", "stream_id", "id", "project_id", "task_id"} & {*model.model_fields}:
        for hostile in HOSTILE_IDS:
            body = json.dumps(good_body(model) | {name: hostile}).encode()
            answer = _post(client, path, body)
            error = check_error(answer.status_code, answer.json())
            assert (answer.status_code, error.field) == (400, name), hostile


IDS = {
    "session_id": "session_not_found",
    "stream_id": "run_not_found",
    "task_id": "task_not_found",
    "project_id": "project_not_found",
}


@pytest.mark.parametrize(
    "path",
    [
        path
        for path, model in BODIES.items()
        if any(model.model_fields[name].is_required() for name in {*IDS} & {*model.model_fields})
    ],
)
def test_an_id_of_nothing_is_not_found(path: str, client: Client) -> None:
    answer = client.http.post(path, json=good_body(BODIES[path]))

    error = check_error(answer.status_code, answer.json())
    assert answer.status_code == 404
    assert error.code in {*IDS.values(), "aside_not_found", "question_not_found"}


# Bad input 24
def test_a_run_is_no_session_and_a_session_is_no_run(client: Client) -> None:
    session_id = client.new_session()
    run_id = client.start(session_id, "hello")["stream_id"]

    assert client.http.post("/api/session/pin", json={"session_id": run_id, "pinned": True}).status_code == 404
    assert client.http.post("/api/chat/cancel", json={"stream_id": session_id}).status_code == 404
    assert client.http.get("/api/session", params={"session_id": run_id}).status_code == 404
    assert client.http.get("/api/chat/stream", params={"stream_id": session_id}).status_code == 404


ABOUT_A_MESSAGE: dict[str, dict[str, Any]] = {
    "/api/chat/edit": {"message": "another text"},
    "/api/session/truncate": {},
    "/api/session/branch": {},
}


# Bad input 25
@pytest.mark.parametrize("path", ABOUT_A_MESSAGE)
def test_a_message_of_another_session_is_not_in_this_one(path: str, client: Client) -> None:
    here, there = client.new_session(), client.new_session()
    for session_id in (here, there):
        client.answer(session_id, "hello")
    before = [client.messages(session_id) for session_id in (here, there)]
    foreign = before[1][0]["id"]

    answer = client.http.post(path, json={"session_id": here, "message_id": foreign, **ABOUT_A_MESSAGE[path]})

    error = check_error(answer.status_code, answer.json())
    assert (answer.status_code, error.code, error.field) == (404, "message_not_found", "message_id")
    assert [client.messages(session_id) for session_id in (here, there)] == before


# Bad input 31
def test_what_an_agent_said_and_what_is_being_answered_cannot_be_edited(client: Client) -> None:
    client.answer(session_id := client.new_session(), "hello")
    asked, answered = (message["id"] for message in client.messages(session_id))
    edit = {"session_id": session_id, "message": "another text"}

    of_the_agent = client.http.post("/api/chat/edit", json=edit | {"message_id": answered})
    client.start(session_id, "@@hang")
    meanwhile = client.http.post("/api/chat/edit", json=edit | {"message_id": asked})

    assert (of_the_agent.status_code, of_the_agent.json()["code"]) == (409, "not_yours")
    assert (meanwhile.status_code, meanwhile.json()["code"]) == (409, "run_active")


# Bad input 21
def test_an_id_in_other_letters_is_another_id(client: Client) -> None:
    session_id = "abcdef" + client.new_session()[6:]
    client.answer(known := client.new_session(), "hello")

    for other in (known.upper(), known.capitalize(), session_id):
        if other != known:
            assert client.http.get("/api/session", params={"session_id": other}).status_code == 404


# Bad inputs 17, 57
def test_what_a_client_may_not_set_is_ignored_and_never_stored(client: Client) -> None:
    forbidden = {
        "session_id": "mine", "owner": "someone", "owner_id": 1, "role": "admin", "created_at": 0, "revision": 99,
        "messages": [{"role": "assistant"}], "__proto__": {"a": 1}, "constructor": "x", "title": "Mine",
    }  # fmt: skip

    made = client.post("/api/session/new", **forbidden)["session"]
    client.answer(made["session_id"], "hello", **{"role": "admin", "run_id": "mine", "timestamp": 0, "owner": "x"})
    document = client.get("/api/session/export", session_id=made["session_id"])

    assert made["session_id"] != "mine"
    assert (made["title"], made["messages"], made["revision"]) == ("Untitled", [], 0)
    assert document["owner"] == "local"
    assert document["created_at"] > 1_000_000_000
    assert document["messages"][0]["timestamp"] > 1_000_000_000
    assert document["messages"][0]["role"] == "user"
    assert not {"__proto__", "constructor", "owner_id", "role"} & {*document}


# Text that some part could not store


# Bad inputs 10, 11, 12, 13
@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        pytest.param(r"a\ud83d", "a\ufffd", id="half of a pair becomes a replacement character"),
        pytest.param(r"\udc00\ud800", "\ufffd\ufffd", id="so do two halves in the wrong order"),
        pytest.param(r"\ud83d\ude00", "😀", id="a whole pair is what it stands for"),
        pytest.param(r"a\u0000b", "ab", id="a NUL is dropped"),
        pytest.param("\u202eevil\u202c", "\u202eevil\u202c", id="what changes direction is kept"),
        pytest.param("a" + "\u0301" * 3000, "a" + "\u0301" * 3000, id="a tower of accents is kept"),
        pytest.param("e\u0301 \u212a", "e\u0301 \u212a", id="letters written in another way stay as they were written"),
        pytest.param("\U000e0041x", "\U000e0041x", id="invisible tags are kept"),
    ],
)
def test_text_is_stored_once_and_is_the_same_everywhere(sent: str, stored: str, client: Client) -> None:
    session_id = client.new_session()
    body = f'{{"session_id": "{session_id}", "model": "scripted/script", "message": "{sent}"}}'.encode()

    started = _post(client, "/api/chat/start", body)
    assert started.status_code == 200
    said = "".join(one.data["text"] for one in client.frames(started.json()["stream_id"]) if one.name == "token")

    assert said == stored
    assert [message["content"] for message in client.messages(session_id)] == [stored, stored]
    assert [one["content"] for one in client.get("/api/session/export", session_id=session_id)["messages"]] == [
        stored
    ] * 2


# Bad inputs 10, 44
def test_a_title_is_one_line_that_breaks_out_of_no_header(client: Client) -> None:
    session_id = client.new_session()
    client.answer(session_id, "hello")
    title = '  a\r\nSet-Cookie: b=c\t"quoted"; filename="x\u0000\ud83d/../é😀  '

    row = _post(client, "/api/session/rename", json.dumps({"session_id": session_id, "title": title}).encode()).json()
    export = client.http.get("/api/session/export", params={"session_id": session_id})

    assert row["session"]["title"] == 'a Set-Cookie: b=c "quoted"; filename="x\ufffd/../é😀'
    assert row["session"]["title_by"] == "person"
    assert "set-cookie" not in export.headers
    disposition = export.headers["content-disposition"]
    assert disposition.startswith("attachment; filename*=UTF-8''a%20Set-Cookie%3A%20")
    assert "/" not in disposition and '"' not in disposition


# Bad input 11
def test_a_name_with_a_nul_is_refused_rather_than_read_as_a_shorter_one(client: Client) -> None:
    for name in ("workspace", "model", "agent", "profile"):
        answer = client.http.post("/api/session/new", json={name: "a\x00b"})
        assert check_error(answer.status_code, answer.json()).field == name


# Bad input 6
@pytest.mark.parametrize(
    "deep", [b'{"a":' * 500 + b'"\\ud83d"' + b"}" * 500, b'{"a":' + b"[" * 900 + b'"\\ud83d"' + b"]" * 900 + b"}"]
)
def test_what_is_nested_as_deep_as_can_be_read_can_be_mended_too_or_is_refused(deep: bytes, client: Client) -> None:
    answer = _post(client, "/api/chat/prepare", deep)

    assert answer.status_code in (200, 400), answer.text


# Bodies that are too large


# Bad input 14
@pytest.mark.parametrize("path", BODIES)
def test_a_body_of_a_byte_more_than_1_mb_is_too_large(path: str, client: Client) -> None:
    answer = _post(client, path, b"{" + b" " * (MAX_BODY_BYTES - 1) + b"}")

    error = check_error(answer.status_code, answer.json())
    assert (answer.status_code, error.code) == (413, "too_large")


def test_a_body_of_1_mb_is_not(client: Client) -> None:
    assert _post(client, "/api/chat/prepare", b"{" + b" " * (MAX_BODY_BYTES - 2) + b"}").status_code == 200


# Bad input 14
def test_a_body_without_an_end_is_refused_early_and_fills_no_memory(server: ServerProcess) -> None:
    host = host_of(server.address)
    head = f"POST /api/chat/start HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    before = memory_of(server)

    with connect(server.address) as connection:
        connection.sendall(head.encode())
        sent = 0
        while sent < 512 * 1024 * 1024:
            try:
                connection.sendall(chunk)
            except (BrokenPipeError, ConnectionResetError):
                break
            sent += len(chunk)
        answers = parse(read_to_end(connection))

    assert [(answer.status, answer.error["code"]) for answer in answers] == [(413, "too_large")]
    assert memory_of(server) - before < 20 * 1024 * 1024


# Bad input 14
def test_an_announced_body_of_5_gb_is_refused_before_it_comes(server: ServerProcess) -> None:
    host = host_of(server.address)
    head = f"POST /api/chat/start HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {5 << 30}\r\n\r\n"

    with connect(server.address) as connection:
        connection.sendall(head.encode())
        answers = parse(read_to_end(connection))

    assert [(answer.status, answer.error["code"]) for answer in answers] == [(413, "too_large")]
