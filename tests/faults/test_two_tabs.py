"""Tabs that act at the same instant, and tabs that are behind: nothing is overwritten, and all is done once."""

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.faults.conftest import Dice, times
from tests.faults.histories import Talk, World, summary
from tests.faults.judge import complaints
from tests.http.reading import reading
from tests.serving import Client, Frame, ServerProcess

TABS = 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("tabs") / "state") as server:
        yield server
        assert server.stop() == 0, server.log()
        assert server.doctor().endswith("Nothing is wrong.\n")


def test_what_twenty_tabs_do_at_the_same_instant_is_done_once_each_in_some_order(
    server: ServerProcess, dice: Dice, note: Callable[[str], None]
) -> None:
    world, told = World(server), []
    for _ in range(times(40, 1_000, 4_000)):
        talk = Talk(world, str(dice.getrandbits(48)), at_the_same_instant=TABS)
        talk.begin()
        told.append(talk.end())
        assert complaints(told[-1]) == [], f"seed {told[-1].seed}"

    note(f"{TABS} tabs at the same instant, {summary(told)}")
    assert sum(op.outcome == "fail" for one in told for op in one.ops), "nobody was in the way of another"


def test_what_is_new_and_what_was_read_is_told_to_the_other_tab(
    server: ServerProcess, note: Callable[[str], None]
) -> None:
    here, there = server.client(), server.client()
    here.answer(session := here.new_session(), "hello")
    took_ms: list[float] = []

    def tells(frame: Frame, is_unread: bool) -> bool:
        rows = frame.data["rows"] if frame.name == "sessions_changed" else []
        return any(row["session_id"] == session and row["unread"] is is_unread for row in rows)

    with reading(there, "/api/events", after=here.get("/api/sessions")["version"]) as shown:
        for _ in range(times(10, 100, 100)):
            here.post("/api/background", session_id=session, prompt="@@text Done.", model="scripted/script")
            shown.until(lambda frame: tells(frame, True))
            began = time.monotonic()
            here.post("/api/session/read", session_id=session)
            shown.until(lambda frame: tells(frame, False))
            took_ms.append((time.monotonic() - began) * 1000)

    median, most = statistics.median(took_ms), max(took_ms)
    note(f"what was read here is read in the other tab after {median:.0f} ms at the median, {most:.0f} ms at most")


def test_what_an_agent_asks_and_what_it_is_told_is_told_to_the_other_tab(
    server: ServerProcess, note: Callable[[str], None]
) -> None:
    here, there = server.client(), server.client()
    script = "@@tool shell {}\n@@approval execute shell {}\n@@result done"
    took_ms: list[float] = []

    with reading(there, "/api/events", after=here.get("/api/sessions")["version"]) as shown:

        def until_asked(stream_id: str) -> list[dict[str, Any]]:
            """What the run asks as the other tab learns it: it is told that something changed, and looks."""
            while True:
                shown.until(lambda frame: frame.name == "approvals_changed")
                asking = {one["stream_id"]: one for one in there.get("/api/approval/pending")["asking"]}
                if stream_id in asking:
                    return asking[stream_id]["approvals"]

        for _ in range(times(10, 100, 100)):
            began = time.monotonic()
            stream_id = here.start(here.new_session(), script)["stream_id"]
            [asked] = until_asked(stream_id)
            took_ms.append((time.monotonic() - began) * 1000)
            bound = {"approval_id": asked["approval_id"], "arguments_sha256": asked["arguments_sha256"]}
            there.post("/api/approval/respond", **bound, choice="once")
            assert "approval_resolved" in [frame.name for frame in here.frames(stream_id)]
            assert not any(one["stream_id"] == stream_id for one in here.get("/api/approval/pending")["asking"])

    median, most = statistics.median(took_ms), max(took_ms)
    note(f"what an agent asks stands in the other tab after {median:.0f} ms at the median, {most:.0f} ms at most")


CHANGES: dict[str, dict[str, Any]] = {
    "/api/chat/retry": {"model": "scripted/script"},
    "/api/chat/continue": {},
    "/api/chat/edit": {"message_id": "m1", "message": "stale", "new_message_id": "stale"},
    "/api/session/truncate": {"message_id": "m1"},
    "/api/session/undo": {},
    "/api/session/clear": {},
    "/api/session/put_back": {},
    "/api/session/rename": {"title": "stale"},
    "/api/session/pin": {"pinned": True},
    "/api/session/archive": {"archived": True},
}


@pytest.mark.parametrize("path", CHANGES)
def test_a_tab_that_is_behind_is_told_the_revision_and_overwrites_nothing(path: str, server: ServerProcess) -> None:
    client = server.client()
    session = client.new_session()
    client.answer(session, "hello", message_id="m1")
    seen = _revision(client, session)
    client.answer(session, "from another tab")
    client.post("/api/session/undo", session_id=session)
    client.answer(session, "from another tab, again")
    before = client.get("/api/session/export", session_id=session)

    refused = client.http.post(path, json={"session_id": session, "revision": seen, **CHANGES[path]})

    assert (refused.status_code, refused.json()["code"]) == (409, "stale_revision"), refused.text
    assert refused.json()["revision"] == before["revision"] > seen
    assert client.get("/api/session/export", session_id=session) == before


def _revision(client: Client, session: str) -> int:
    return client.get("/api/session", session_id=session)["session"]["revision"]
