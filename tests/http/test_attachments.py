"""What is attached to messages: taken as bytes, looked at but never decoded, kept with its session, shown safely."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests import pictures
from tests.http.conftest import memory_of, until
from tests.http.table import check_error
from tests.http.wire import connect, host_of
from tests.serving import TOKEN, Client, ServerProcess

MB = 1 << 20
PAGE = b"<html><script>alert(1)</script>"
SAFE = "sandbox; default-src 'none'"


def fetched(client: Client, session_id: str, attachment_id: str) -> httpx2.Response:
    return client.http.get("/api/attachment", params={"session_id": session_id, "id": attachment_id})


def refused(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, check_error(answer.status_code, answer.json()).code


def files_of(server: ServerProcess, session_id: str) -> list[str]:
    return sorted(path.name for path in (server.state_dir / "attachments" / session_id).glob("*"))


def temps(server: ServerProcess) -> list[Path]:
    return list((server.state_dir / "attachments").rglob(".*.tmp"))


def said(client: Client, session_id: str, message: str = "", **more: object) -> None:
    """Send a message and wait until it is answered."""
    assert list(client.frames(client.start(session_id, message, **more)["stream_id"]))


def names_in(message: dict[str, list[dict[str, str]]]) -> list[str]:
    return [one["name"] for one in message.get("attachments", [])]


def test_what_is_attached_comes_back_to_the_byte_and_stands_in_its_message(client: Client) -> None:
    session_id = client.new_session()
    picture, text = pictures.png(30, 20), "Grüße, 世界\n".encode()
    one, other = client.attach(session_id, picture, "holiday.png"), client.attach(session_id, text, "notes.md")

    said(client, session_id, attachments=[one["id"], other["id"]])

    [asked, *_] = client.messages(session_id)
    assert asked["content"] == ""
    assert asked["attachments"] == [one, other]
    assert (one["media_type"], one["size"], one["width"], one["height"]) == ("image/png", len(picture), 30, 20)
    assert (other["media_type"], other["size"]) == ("text/plain", len(text))
    assert [fetched(client, session_id, given["id"]).content for given in (one, other)] == [picture, text]
    assert client.get("/api/session", session_id=session_id)["session"]["title"] == "holiday.png"


def test_a_file_that_is_given_to_a_new_session_makes_no_session_of_it(client: Client, server: ServerProcess) -> None:
    session_id = client.new_session()

    given = client.attach(session_id, b"words", "notes.txt")

    assert not (server.state_dir / f"sessions/{session_id}.json").exists()
    assert session_id not in [row["session_id"] for row in client.get("/api/sessions")["sessions"]]
    assert files_of(server, session_id) == [given["id"], f"{given['id']}.json"]


HOSTILE_NAMES = [
    "../../x",
    "..",
    ".",
    "",
    "x" * 1500,
    "CON",
    "a\\b.png",
    ".htaccess",
    "a.png.html",
    "a\r\nSet-Cookie: b",
]
HOSTILE = {
    "a page that is called a picture": (PAGE, "text/plain"),
    "a picture that is a page as well": (pictures.png(1, 1) + PAGE, "image/png"),
    "a drawing that runs scripts": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "text/plain"),
    "a document": (b"%PDF-1.7\n" + PAGE, "application/pdf"),
    "a program": (b"\x7fELF\x02\x01\x01\0" + PAGE, "application/octet-stream"),
}


# Bad input 47
@pytest.mark.parametrize(("data", "kind"), HOSTILE.values(), ids=HOSTILE)
def test_a_file_is_what_its_bytes_say_and_its_name_is_no_path(
    client: Client, server: ServerProcess, data: bytes, kind: str
) -> None:
    session_id = client.new_session()
    for name in HOSTILE_NAMES:
        given = client.attach(session_id, data, name)

        answer = fetched(client, session_id, given["id"])
        assert answer.content == data
        assert given["media_type"] == kind
        assert given["name"] and len(given["name"]) <= 255 and not {*given["name"]} & {*"/\\\r\n"}
        is_picture = kind.startswith("image/")
        assert answer.headers["content-type"] == (kind if is_picture else "application/octet-stream")
        assert answer.headers["content-disposition"].startswith("inline;" if is_picture else "attachment;")
        assert answer.headers["content-security-policy"] == SAFE
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
    place = server.state_dir / "attachments" / session_id
    kept = {path for path in server.state_dir.rglob("*") if path.is_file() and path.read_bytes() == data}
    assert {path.parent for path in kept} == {place}
    assert all(path.name.startswith("att-") for path in place.iterdir())


# Bad input 48
def test_what_is_no_plain_file_is_refused_unread(client: Client, server: ServerProcess) -> None:
    session_id = client.new_session()
    query = {"session_id": session_id, "name": "a.png"}
    kinds = ["multipart/form-data; boundary=b", "application/x-www-form-urlencoded", "text/plain", "image/png", ""]
    for kind in kinds:
        answer = client.http.post(
            "/api/attachment/upload", params=query, content=pictures.png(1, 1), headers={"Content-Type": kind}
        )
        assert refused(answer) == (415, "unsupported_media_type"), kind
    assert files_of(server, session_id) == []


# Bad inputs 48, 59
@pytest.mark.parametrize("framing", ["Content-Length: 4000000", "Transfer-Encoding: chunked"])
def test_a_file_that_is_cut_in_the_middle_leaves_nothing(client: Client, server: ServerProcess, framing: str) -> None:
    session_id = client.new_session()
    head = (
        f"POST /api/attachment/upload?session_id={session_id}&name=a HTTP/1.1\r\nHost: {host_of(client.address)}\r\n"
        f"Authorization: Bearer {TOKEN}\r\nContent-Type: application/octet-stream\r\n{framing}\r\n\r\n"
    )
    with connect(client.address) as connection:
        half = b"%x\r\n%b\r\n" % (2 * MB, b"x" * 2 * MB) if "chunked" in framing else b"x" * 2 * MB
        connection.sendall(head.encode() + half)
        until(lambda: bool(temps(server)))

    until(lambda: not temps(server))
    assert files_of(server, session_id) == []
    assert client.attach(session_id, b"whole")["size"] == 5


NOT_TO_BE_DECODED = {
    "50,000 pixels a side": pictures.png(1, 1, told=(50_000, 50_000)),
    "a long line": pictures.png(1, 1, told=(16_385, 1)),
    "more than 50 million pixels": pictures.gif(8_000, 7_000),
    "no pixels": pictures.png(1, 1, told=(0, 1)),
    "10,000 frames": pictures.gif(4, 4, frames=10_000),
    "10,000 frames of a PNG": pictures.animated_png(10_000),
    "501 frames of a WebP": pictures.riff(pictures.canvas(2, 2), pictures.frame(2, 2, pictures.lossy(2, 2)) * 501),
    "a small canvas with a large picture on it": pictures.riff(pictures.canvas(2, 2), pictures.lossless(9_000, 9_000)),
    "a frame beyond its canvas": pictures.riff(
        pictures.canvas(2, 2), pictures.frame(9_000, 9_000, pictures.lossy(9_000, 9_000))
    ),
    "a small frame that holds a large one": pictures.riff(
        pictures.canvas(2, 2), pictures.frame(2, 2, pictures.lossy(9_000, 9_000))
    ),
    "a frame of a GIF beyond its screen": pictures.gif(2, 2).replace(b"\x2c\0\0\0\0\x02\0", b"\x2c\0\xff\0\0\x02\0"),
    "a camera's picture of 60,000": pictures.jpeg(60_000, 60_000),
    "a small picture before the large one": pictures.jpeg(60_000, 60_000, before=b"\xff\xfe\x00\x04ab"),
    "a header whose sum is wrong": pictures.png(9, 9).replace(b"\0\0\0\x09", b"\0\0\0\x08", 1),
    "a header alone": b"\x89PNG\r\n\x1a\n" + b"broken" * 9,
    "a start": b"GIF89a",
    "no end of small pieces": pictures.gif(4, 4, blocks=b"\x01\x00" * 600_000),
    "no end of empty pieces": b"\xff\xd8" + b"\xff" * 600_000,
    "a length that is not there": b"RIFF\xff\xff\xff\x7fWEBP" + pictures.lossy(4, 4),
}


# Bad input 49
def test_a_picture_that_nobody_should_decode_is_refused_by_its_header(client: Client, server: ServerProcess) -> None:
    session_id = client.new_session()
    client.attach(session_id, pictures.png(1, 1))
    before = memory_of(server)
    for what, data in NOT_TO_BE_DECODED.items():
        assert refused(client.upload(session_id, data, "a.png")) == (400, "picture_refused"), what
    assert memory_of(server) - before < 100 * MB  # decoded, the first would take 10 GB
    assert len(files_of(server, session_id)) == 2


TO_BE_SHOWN = {
    "image/png": [pictures.png(7, 5), pictures.animated_png(500)],
    "image/gif": [pictures.gif(7, 5), pictures.gif(7, 5, frames=500)],
    "image/jpeg": [pictures.jpeg(7, 5), pictures.jpeg(7, 5, before=b"\xff\xff\xff\xc4\x00\x03\x00")],
    "image/webp": [
        pictures.riff(pictures.lossy(7, 5)),
        pictures.riff(pictures.lossless(7, 5)),
        pictures.riff(pictures.canvas(7, 5), pictures.part(b"ICCP", b"\0\0\0"), pictures.lossy(7, 5)),
        pictures.riff(pictures.canvas(7, 5), pictures.frame(7, 5, pictures.lossless(7, 5)) * 3),
    ],
}


@pytest.mark.parametrize("kind", TO_BE_SHOWN)
def test_a_picture_says_how_large_it_is(client: Client, kind: str) -> None:
    session_id = client.new_session()
    for data in TO_BE_SHOWN[kind]:
        given = client.attach(session_id, data, "no ending")
        assert given["media_type"] == kind
        assert (given["width"], given["height"]) in {(7, 5), (2, 2)}


def test_a_file_is_taken_up_to_its_limit_and_refused_beyond(client: Client, server: ServerProcess) -> None:
    session_id = client.new_session()
    pieces: Iterator[bytes] = (b"x" * MB for _ in range(51))

    assert client.attach(session_id, b"x" * 50 * MB)["size"] == 50 * MB
    assert refused(client.upload(session_id, b"x" * (50 * MB + 1))) == (413, "too_large")
    assert refused(client.upload(session_id, pieces)) == (413, "too_large")
    assert refused(client.upload(session_id, b"")) == (400, "empty_file")
    assert len(files_of(server, session_id)) == 2
    # As long as the session is there, what is attached in it counts.
    place = server.state_dir / "attachments" / session_id
    with (place / "att-large").open("wb") as file:
        file.truncate(450 * MB)
    assert refused(client.upload(session_id, b"one more")) == (413, "attachments_full")
    assert client.attach(client.new_session(), b"elsewhere")
    (place / "att-large").unlink()
    assert temps(server) == []


# Bad input 41
@pytest.mark.parametrize("name", ["..", "../sessions", "a/b", "%2e%2e", "att-\x00", ".", "con", "x" * 200, ""])
def test_an_id_is_never_a_path(client: Client, name: str) -> None:
    session_id = client.new_session()
    client.attach(session_id, b"words")
    assert client.upload(name, b"words").status_code in (400, 404)
    for of, one in ((session_id, name), (name, "att-nothing")):
        answer = fetched(client, of, one)
        assert answer.status_code in (400, 404)
        check_error(answer.status_code, answer.json())
        gone = client.http.post("/api/attachment/remove", json={"session_id": of, "id": one})
        assert gone.status_code in (400, 404)


# Bad input 22
def test_what_is_attached_in_one_session_is_not_there_in_another(client: Client) -> None:
    mine, other = client.new_session(), client.new_session()
    given = client.attach(mine, b"words")["id"]
    said(client, other, "before")
    [asked, *_] = client.messages(other)
    attached = {"session_id": other, "attachments": [given]}

    def post(path: str, **body: object) -> httpx2.Response:
        return client.http.post(path, json={"message": "with it", "model": "scripted/script", **attached, **body})

    not_there = (404, "attachment_not_found")
    assert refused(fetched(client, other, given)) == not_there
    assert refused(post("/api/chat/start")) == not_there
    assert refused(post("/api/chat/edit", message_id=asked["id"])) == not_there
    stream_id = client.start(other, "@@hang")["stream_id"]
    assert refused(post("/api/chat/queue")) == not_there
    waits = client.post("/api/chat/queue", session_id=other, message="waits")["message_id"]
    assert refused(post("/api/chat/queue/edit", message_id=waits)) == not_there
    client.post("/api/chat/queue/delete", session_id=other, message_ids=[waits])
    client.post("/api/chat/cancel", stream_id=stream_id)
    assert client.post("/api/session/draft", text="hm", **attached)["attachments"] == []


def test_a_message_may_be_empty_where_something_is_attached_and_not_otherwise(client: Client) -> None:
    session_id = client.new_session()
    given = client.attach(session_id, b"words", "words.txt")["id"]
    body = {"session_id": session_id, "model": "scripted/script", "message_id": "msg-1"}

    assert refused(client.http.post("/api/chat/start", json=body | {"message": " "})) == (400, "empty_message")
    first = client.post("/api/chat/start", **body, message="", attachments=[given])
    again = client.post("/api/chat/start", **body, message="", attachments=[given])
    other = client.http.post("/api/chat/start", json=body | {"message": "", "attachments": [given, given + "0"]})
    assert first["stream_id"] == again["stream_id"]
    assert refused(other) == (409, "message_id_reused")


def test_an_edited_message_keeps_what_was_attached_unless_it_says_otherwise(client: Client) -> None:
    session_id = client.new_session()
    one, other = (client.attach(session_id, name.encode(), name)["id"] for name in ("one.txt", "other.txt"))
    said(client, session_id, "first", attachments=[one])

    def edited(**body: object) -> list[str]:
        [asked, *_] = client.messages(session_id)
        fields = {"session_id": session_id, "message_id": asked["id"], "model": "scripted/script"}
        done = client.http.post("/api/chat/edit", json=fields | body)
        if done.status_code == 200:
            assert list(client.frames(done.json()["stream_id"]))
        return names_in(client.messages(session_id)[0])

    assert edited(message="second") == ["one.txt"]
    assert edited(message="", attachments=[other]) == ["other.txt"]
    assert edited(message="", attachments=[]) == ["other.txt"]  # it would say nothing
    assert edited(message="third", attachments=[]) == []
    assert fetched(client, session_id, one).content == b"one.txt"  # a version of the message names it


def test_a_message_that_waits_is_sent_with_what_is_attached_to_it(client: Client) -> None:
    session_id = client.new_session()
    one, other = (client.attach(session_id, name.encode(), name)["id"] for name in ("one.txt", "other.txt"))
    running = client.start(session_id, "@@hang")["stream_id"]

    waits = client.post("/api/chat/queue", session_id=session_id, message="", attachments=[one])
    which = {"session_id": session_id, "message_id": waits["message_id"]}
    [item] = client.post("/api/chat/queue/edit", **which, message="look")["queue"]["items"]
    assert names_in(item) == ["one.txt"]
    [item] = client.post("/api/chat/queue/edit", **which, message="", attachments=[other])["queue"]["items"]
    assert names_in(item) == ["other.txt"]
    nothing = client.http.post("/api/chat/queue/edit", json=which | {"message": "", "attachments": []})
    assert refused(nothing) == (400, "empty_message")
    client.post("/api/attachment/remove", session_id=session_id, id=one)
    client.post("/api/attachment/remove", session_id=session_id, id=other)
    client.post("/api/chat/cancel", stream_id=running)
    until(lambda: client.get("/api/chat/queue", session_id=session_id)["queue"]["is_held"])
    client.post("/api/chat/queue/continue", session_id=session_id)

    asked = next(one for one in client.messages(session_id) if one["id"] == waits["message_id"])
    assert names_in(asked) == ["other.txt"]
    assert fetched(client, session_id, one).status_code == 404
    assert fetched(client, session_id, other).content == b"other.txt"


def test_what_is_taken_out_of_the_composer_goes_and_what_was_sent_stays(client: Client, server: ServerProcess) -> None:
    session_id = client.new_session()
    sent, unwanted = client.attach(session_id, b"sent")["id"], client.attach(session_id, b"unwanted")["id"]
    said(client, session_id, attachments=[sent])

    for _ in range(2):
        client.post("/api/attachment/remove", session_id=session_id, id=sent)
        client.post("/api/attachment/remove", session_id=session_id, id=unwanted)

    assert files_of(server, session_id) == [sent, f"{sent}.json"]
    client.post("/api/session/undo", session_id=session_id)
    client.post("/api/attachment/remove", session_id=session_id, id=sent)
    client.post("/api/session/put_back", session_id=session_id)
    assert fetched(client, session_id, sent).content == b"sent"


def test_a_message_that_is_taken_back_into_the_composer_brings_what_was_attached(client: Client) -> None:
    session_id = client.new_session()
    given = client.attach(session_id, b"words", "words.txt")
    said(client, session_id, "look", attachments=[given["id"]])

    effects = client.post("/api/commands/run", text="/undo", session_id=session_id)["effects"]

    [composed] = [one for one in effects if one["type"] == "compose"]
    assert (composed["text"], composed["attachments"]) == ("look", [given])
    said(client, session_id, "again", attachments=[given["id"]])
    assert names_in(client.messages(session_id)[0]) == ["words.txt"]


def test_a_draft_holds_what_is_attached_until_that_is_sent(client: Client) -> None:
    session_id = client.new_session()
    given = client.attach(session_id, b"words", "words.txt")
    put = client.post("/api/session/draft", session_id=session_id, text="", attachments=[given["id"], "att-no"])
    assert put["attachments"] == [given]

    said(client, session_id, "something else")
    assert client.get("/api/session/draft", session_id=session_id)["attachments"] == [given]
    said(client, session_id, "look", attachments=[given["id"]])

    assert client.get("/api/session", session_id=session_id)["draft"]["attachments"] == []
    unwanted = client.attach(session_id, b"unwanted")["id"]
    client.post("/api/session/draft", session_id=session_id, text="half", attachments=[unwanted])
    client.post("/api/attachment/remove", session_id=session_id, id=unwanted)
    said(client, session_id, "half a thought")
    assert client.get("/api/session/draft", session_id=session_id)["text"] == ""


@pytest.fixture
def works_in(client: Client, tmp_path: Path) -> str:
    """A session that works in a folder with things that are to be attached, and things that are not."""
    folder = tmp_path / "project"
    for name in ("src/app/main.py", "src/map.py", "docs/manual.md", "node_modules/main.js", ".git/main"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (tmp_path / "outside.txt").write_text("outside")
    (folder / "out").symlink_to(tmp_path / "outside.txt")
    (folder / "away").symlink_to(tmp_path)
    (folder / "within").symlink_to("src/map.py")
    os.mkfifo(folder / "pipe")
    return client.post("/api/session/new", workspace=str(folder))["session"]["session_id"]


def test_a_file_of_the_folder_is_attached_as_it_is_now(client: Client, works_in: str, tmp_path: Path) -> None:
    def take(path: str) -> httpx2.Response:
        return client.http.post("/api/attachment/from_workspace", json={"session_id": works_in, "path": path})

    given = take("src/app/main.py").json()["attachment"]
    (tmp_path / "project/src/app/main.py").write_text("changed")

    assert (given["name"], given["media_type"]) == ("main.py", "text/plain")
    assert fetched(client, works_in, given["id"]).content == b"src/app/main.py"
    assert take("within").json()["attachment"]["size"] == len("src/map.py")
    assert refused(take("src/none.py")) == (404, "file_not_found")
    for name in ("../outside.txt", "out", "away/outside.txt", "/etc/passwd", str(tmp_path / "outside.txt")):
        assert take(name).status_code == 403, name
    for name in ("pipe", "src", ".", "src/map.py/x"):
        assert take(name).status_code == 400, name
    client.post("/api/session/workspace", session_id=works_in, path=None)
    assert refused(take("src/map.py")) == (409, "no_folder")


def test_nothing_of_the_servers_own_folder_can_be_attached(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "state", workspace=str(tmp_path)) as server:  # no person could choose that folder
        client = server.client()
        session_id = client.new_session()
        for path in ("state/access.json", "state"):
            answer = client.http.post("/api/attachment/from_workspace", json={"session_id": session_id, "path": path})
            assert refused(answer) == (403, "folder_refused")


def test_letters_find_the_files_that_they_fit_best(client: Client, works_in: str) -> None:
    def found(letters: str, **more: int) -> list[str]:
        return client.get("/api/workspace/files", session_id=works_in, q=letters, **more)["files"]

    assert found("ma")[:3] == ["src/map.py", "docs/manual.md", "src/app/main.py"]
    assert found("MAIN") == ["src/app/main.py"]
    assert found("app/m") == ["src/app/main.py"]
    assert found("sapy")[0] == "src/map.py"
    assert found("zzz") == []
    assert sorted(found("")) == ["docs/manual.md", "src/app/main.py", "src/map.py"]
    assert len(found("", limit=1)) == 1
