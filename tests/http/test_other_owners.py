"""What belongs to someone else: for every route the same as what is not there."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from api.domain.events import RunEnded, TextDelta
from api.domain.ids import MessageId, RunId, SessionId
from api.routes import ROUTES
from api.runs.journal import Header, Journal
from tests.http.reading import reading
from tests.http.table import BODIES, good_body
from tests.serving import Client, ServerProcess

HERS, HER_DELETED, HER_RUN, HER_FILE = "1" * 32, "2" * 32, "run-" + "1" * 32, "att-" + "1" * 32
NOBODYS, NO_RUN = "0" * 32, "run-" + "0" * 32
SECRET = "herringbone"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server on a folder in which a session, one in the trash and a run belong to Ada."""
    state = tmp_path_factory.mktemp("shared") / "state"
    for folder in ("sessions/_trash", "runs/ended", f"attachments/{HERS}"):
        (state / folder).mkdir(parents=True)
    said = {"id": "m1", "role": "user", "content": SECRET, "timestamp": 1_760_000_000.0}
    hers = {"owner": "ada", "title": f"Her {SECRET}", "schema": 1, "revision": 3, "messages": [said]}
    (state / f"sessions/{HERS}.json").write_text(json.dumps({"session_id": HERS, **hers}))
    (state / f"sessions/_trash/{HER_DELETED}.json").write_text(json.dumps({"session_id": HER_DELETED, **hers}))
    known = {"name": f"{SECRET}.txt", "media_type": "text/plain", "size": len(SECRET), "sha256": "0" * 64}
    (state / f"attachments/{HERS}/{HER_FILE}").write_text(SECRET)
    (state / f"attachments/{HERS}/{HER_FILE}.json").write_text(json.dumps(known))
    header = Header(
        run_id=RunId(HER_RUN),
        session_id=SessionId(HERS),
        owner="ada",
        message_id=MessageId("m1"),
        model="scripted/script",
        agent="scripted",
        started_at=1_760_000_000.0,
    )
    with Journal.create(state / "runs/ended", header) as journal:
        journal.append(TextDelta(text=SECRET))
        journal.append(RunEnded(outcome="done"))
    with ServerProcess(state) as server:
        yield server


@pytest.fixture
def client(shared: ServerProcess) -> Client:
    return shared.client()


def her_files(server: ServerProcess) -> dict[Path, bytes]:
    names = [f"sessions/{HERS}.json", f"sessions/_trash/{HER_DELETED}.json", f"runs/ended/{HER_RUN}.jsonl"]
    names += [f"attachments/{HERS}/{HER_FILE}", f"attachments/{HERS}/{HER_FILE}.json"]
    return {path: path.read_bytes() for path in (server.state_dir / name for name in names)}


def said(answer: httpx2.Response) -> tuple[int, object]:
    return answer.status_code, answer.json()


# Bad input 22
@pytest.mark.parametrize("path", [path for path, model in BODIES.items() if "session_id" in model.model_fields])
def test_no_route_does_to_a_session_of_someone_else_what_it_would_not_do_to_none(
    path: str, shared: ServerProcess, client: Client
) -> None:
    before = her_files(shared)
    body = good_body(BODIES[path]) | ({"message_id": "m1"} if "message_id" in BODIES[path].model_fields else {})
    body |= {"id": HER_FILE} if path.startswith("/api/attachment/") else {}
    of_nobody = said(client.http.post(path, json=body | {"session_id": NOBODYS}))

    for session_id in (HERS, HER_DELETED):
        assert said(client.http.post(path, json=body | {"session_id": session_id})) == of_nobody
    assert her_files(shared) == before


# Bad input 22
@pytest.mark.parametrize("path", [route.path for route in ROUTES if route.method == "GET" and route.path != "/health"])
def test_no_route_shows_what_belongs_to_someone_else(path: str, client: Client) -> None:
    if path in ("/api/chat/streams", "/api/events"):
        return  # these do not end; the next test follows them
    hers = client.http.get(path, params={"session_id": HERS, "stream_id": HER_RUN, "q": SECRET, "id": HER_FILE})
    nobodys = client.http.get(path, params={"session_id": NOBODYS, "stream_id": NO_RUN, "q": SECRET, "id": HER_FILE})

    assert hers.status_code == nobodys.status_code
    assert HERS not in hers.text.replace(HER_RUN, "")
    assert SECRET not in hers.text
    if hers.status_code != 200:
        assert hers.json() == nobodys.json()


# Bad input 22
def test_nothing_is_attached_to_a_session_of_someone_else(shared: ServerProcess, client: Client) -> None:
    of_nobody = said(client.upload(NOBODYS, b"mine"))

    assert [said(client.upload(one, b"mine")) for one in (HERS, HER_DELETED)] == [of_nobody] * 2
    assert [path.name for path in (shared.state_dir / "attachments").rglob("att-*[!n]")] == [HER_FILE]


# Bad input 22
def test_the_run_of_someone_else_is_neither_shown_nor_stopped(client: Client) -> None:
    with reading(client, "/api/chat/streams", runs=f"{HER_RUN}:0,{NO_RUN}:0") as shown:
        told = {frame.id: (frame.name, frame.data) for frame in shown.rest()}
    stopped = [said(client.http.post("/api/chat/cancel", json={"stream_id": one})) for one in (HER_RUN, NO_RUN)]

    assert told[HER_RUN] == told[NO_RUN]
    assert stopped[0] == stopped[1]


# Bad inputs 22, 50
@pytest.mark.parametrize("taken", [HERS, HER_DELETED])
def test_a_file_with_the_id_of_someone_elses_session_becomes_a_session_of_its_own(
    taken: str, shared: ServerProcess, client: Client
) -> None:
    before = her_files(shared)

    (row,) = client.post("/api/session/import", session_id=taken, messages=[{"role": "user", "content": "mine"}])[
        "imported"
    ]

    assert row["session_id"] not in (HERS, HER_DELETED)
    assert [one["content"] for one in client.messages(row["session_id"])] == ["mine"]
    assert her_files(shared) == before
