"""Pictures that a tool gives: kept with the conversation, shown to its person and to a model that sees."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import pictures
from tests.fakes.provider import FakeProvider
from tests.http.test_approvals import end, respond, wait_for_approval
from tests.http.test_keeping_attachments import bytes_of, exported, imported, removed_for_good
from tests.http.test_mcp import add
from tests.serving import Client, ServerProcess

PICTURE = pictures.png(40, 30)
MODEL = "environment/mock-1"


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, provider: FakeProvider) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "shot.png").write_bytes(PICTURE)
    with ServerProcess(folder / "state", provider_url=provider.url) as running:
        with running.client().http:
            add(running.client())
        yield running


def script(server: ServerProcess, *names: str, then: str = "@@text Done.") -> str:
    """Has the model call a tool that answers with these files as pictures."""
    given = " ".join(str(server.state_dir.parent / name) for name in names or ["shot.png"])
    return f"@@tool fake__picture {json.dumps({'text': given})}\n@@next\n{then}"


def conversation(client: Client, mode: str = "full") -> str:
    session_id = client.new_session()
    say(client, session_id, "hello")
    client.post("/api/approval/mode", session_id=session_id, mode=mode)
    return session_id


def begin(client: Client, session_id: str, text: str) -> str:
    return client.start(session_id, text, model=MODEL)["stream_id"]


def say(client: Client, session_id: str, text: str) -> str:
    return client.answer(session_id, text, model=MODEL)


def results(client: Client, session_id: str) -> list[dict[str, Any]]:
    return [one for one in client.messages(session_id) if one["role"] == "tool"]


def shown(provider: FakeProvider, at: int = -1) -> list[bytes | str]:
    return [data for kind, data in provider.shown(at) if kind == "image/png"]


def test_what_a_tool_shows_is_told_of_shown_and_given_to_the_model_again(
    client: Client, server: ServerProcess, provider: FakeProvider
) -> None:
    session_id = conversation(client)
    stream_id = begin(client, session_id, script(server))
    frames = list(client.frames(stream_id))

    [ended] = [frame.data for frame in frames if frame.name == "tool_complete"]
    [given] = ended["attachments"]
    facts = {"name": "picture.png", "media_type": "image/png", "size": len(PICTURE), "width": 40, "height": 30}
    assert given == facts | {"id": given["id"]}
    assert [one["attachments"] for one in results(client, session_id)] == [[given]]
    assert bytes_of(client, session_id, given["id"]) == PICTURE
    assert shown(provider) == [PICTURE]

    assert say(client, session_id, "and now?") == "and now?"
    assert shown(provider) == [PICTURE]
    kept = [*(server.state_dir / "runs").rglob("*.jsonl"), server.state_dir / f"sessions/{session_id}.json"]
    assert not any("iVBOR" in path.read_text() for path in kept)


def test_a_picture_outlives_a_death_in_the_middle_of_its_run_and_a_wait_for_a_word(
    client: Client, server: ServerProcess, provider: FakeProvider
) -> None:
    cut, waits = conversation(client), conversation(client, "ask")
    cut_id = begin(client, cut, script(server, then="@@silence"))
    next(frame for frame in client.frames(cut_id) if frame.name == "tool_complete")
    asked_twice = script(server, then='@@text Seen.\n@@tool fake__echo {"text": "Hi."}\n@@next\n@@text Done.')
    stream_id = begin(client, waits, asked_twice)
    first = wait_for_approval(client, stream_id)
    respond(client, first, "once")
    next(frame for frame in client.frames(stream_id) if frame.name == "tool_complete")
    wait_for_approval(client, stream_id)

    server.kill()
    server.start()
    client = server.client()

    respond(client, wait_for_approval(client, stream_id), "once")
    end(client, stream_id)
    assert shown(provider) == [PICTURE]
    assert say(client, cut, "and now?") == "and now?"
    assert shown(provider) == [PICTURE]
    for session_id in (cut, waits):
        [given] = results(client, session_id)[0]["attachments"]
        assert bytes_of(client, session_id, given["id"]) == PICTURE


def test_it_goes_into_copies_out_in_files_and_away_with_its_conversation(client: Client, server: ServerProcess) -> None:
    session_id = conversation(client)
    say(client, session_id, script(server))
    [given] = results(client, session_id)[0]["attachments"]
    last = client.messages(session_id)[-1]["id"]

    whole = client.post("/api/session/duplicate", session_id=session_id)["session"]["session_id"]
    branch = client.post("/api/session/branch", session_id=session_id, message_id=last)["session"]["session_id"]
    answer = imported(client, exported(client, session_id) | {"session_id": "from-afar", "title": "From afar"})
    assert answer.status_code == 200, answer.text
    removed = client.post("/api/attachment/remove", session_id=session_id, id=given["id"])
    removed_for_good(client, session_id)

    assert removed["ok"] and not (server.state_dir / "attachments" / session_id).exists()
    for one in (whole, branch, "from-afar"):
        assert results(client, one)[0]["attachments"] == [given]
        assert bytes_of(client, one, given["id"]) == PICTURE


def test_what_is_no_picture_or_too_much_is_told_in_words_and_the_run_goes_on(
    client: Client, server: ServerProcess, provider: FakeProvider
) -> None:
    folder = server.state_dir.parent
    (folder / "page.html").write_text("<script>alert(1)</script>")
    (folder / "huge.png").write_bytes(pictures.png(1, 1, told=(100_000, 100_000)))
    (folder / "large.png").write_bytes(pictures.png(9, 9) + bytes(6 << 20))
    (folder / "flood.png").write_bytes(PICTURE + bytes(100 << 20))
    session_id = conversation(client)

    said = say(client, session_id, script(server, "page.html", "huge.png", "large.png", *["shot.png"] * 8))
    [result] = results(client, session_id)
    flooded = say(client, session_id, script(server, "flood.png"))

    assert (said, flooded) == ("Done.", "Done.")
    assert [one["size"] > 6 << 20 for one in result["attachments"]] == [True, *[False] * 7]
    told = result["content"].split("\n")
    assert (
        "no picture of a kind" in told[1] and "100,000 by 100,000 pixels" in told[2] and "only the first 8" in told[-1]
    )
    assert "too large to be given to you" in str(provider.shown(-3)) and len(shown(provider, -3)) == 7
    [_, flood] = results(client, session_id)
    assert (flood["is_error"], "attachments" in flood) == (True, False) and "more than 16 MB" in flood["content"]


@pytest.mark.parametrize("why", ["There is a file where the folder should be.", "fills its 400 MB"])
def test_a_picture_that_cannot_be_kept_is_told_in_words_and_the_run_goes_on(
    client: Client, server: ServerProcess, provider: FakeProvider, why: str
) -> None:
    session_id = conversation(client)
    place: Path = server.state_dir / "attachments" / session_id
    if why == "fills its 400 MB":
        place.mkdir(parents=True)
        with (place / "left").open("wb") as sparse:
            sparse.truncate(400 << 20)
    else:
        place.parent.mkdir(exist_ok=True)
        place.write_text("In the way.")

    assert say(client, session_id, script(server)) == "Done."

    [result] = results(client, session_id)
    assert "attachments" not in result and why in result["content"] and "could not be kept" in result["content"]
    assert shown(provider) == []
    (place / "left" if place.is_dir() else place).unlink()
