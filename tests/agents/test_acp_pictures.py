"""Pictures that a program sends in its answer or with its calls: kept, each once, or told of by words."""

import base64
import json

import pytest

from api.domain import events as ev
from api.domain.attachments import Attachment
from tests import pictures
from tests.agents.conformance import collect, said
from tests.agents.test_acp import ask, running, tools

pytestmark = pytest.mark.anyio


async def test_pictures_of_a_call_are_kept_before_its_end_names_them_and_each_once(tmp_path):
    (tmp_path / "shot.png").write_bytes(pictures.png(8, 6))
    (tmp_path / "later.png").write_bytes(pictures.png(9, 6))
    (tmp_path / "page.html").write_text("<html>")
    shot, later, page = (tmp_path / name for name in ("shot.png", "later.png", "page.html"))
    script = f"""@@tool a other {{}} Look
@@shots a in_progress {shot}
@@shots a completed {shot} {page}
@@shots a completed {shot} {page}
@@shots a completed {shot} {page} {later}
@@tool b other {{}} Look again
@@shots b in_progress {shot}
@@text done"""
    kept: list[bytes] = []

    def attach(name: str, data: bytes) -> Attachment:
        kept.append(data)
        return Attachment(f"att-{len(kept)}", name, "image/png", len(data))

    async with running(tmp_path) as agent:
        events = await collect(agent, ask(script, attach=attach))

    first, second = tools(events)
    assert kept == [pictures.png(8, 6), pictures.png(9, 6), pictures.png(8, 6)]
    assert [one.name for one in first.attachments] == ["picture.png", "picture 3.png"]
    assert [one.id for one in second.attachments] == ["att-3"]
    assert first.output.count("Picture 2 is not shown. It is no picture of a kind that can be shown.") == 1
    assert (first.state, second.state) == ("done", "done")


PNG = base64.b64encode(pictures.png(8, 6)).decode()


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "mimeType": "image/png", "data": PNG},
        {"type": "resource", "resource": {"uri": "shot:1", "mimeType": "image/png", "blob": PNG}},
    ],
    ids=["image", "resource"],
)
async def test_a_result_of_an_mcp_server_that_is_passed_on_as_it_is_shows_its_pictures(tmp_path, block):
    content = [{"type": "text", "text": "Taken."}, block]
    update = {"sessionUpdate": "tool_call_update", "toolCallId": "a", "status": "completed"}
    raw = json.dumps(update | {"rawOutput": {"content": content, "isError": False}})
    given = Attachment("att-1", "picture.png", "image/png", 9)

    async with running(tmp_path) as agent:
        turn = ask(f"@@tool a other {{}} Look\n@@update {raw}", attach=lambda name, data: given)
        [call] = tools(await collect(agent, turn))

    assert (call.output, call.attachments) == ("Taken.\n(image)", [given])


async def test_a_picture_that_is_no_base64_ends_no_answer(tmp_path):
    image = {"type": "image", "mimeType": "image/png", "data": "é"}
    update = json.dumps({"sessionUpdate": "agent_message_chunk", "content": image})

    async with running(tmp_path) as agent:
        notice, *rest = await collect(agent, ask(f"@@update {update}\n@@text Still here."))

    assert isinstance(notice, ev.Notice) and notice.code == "not_shown" and "It came damaged." in notice.message
    assert (said(rest), rest[-1]) == ("Still here.", ev.RunEnded(outcome="done"))


async def test_pictures_in_an_answer_are_kept_and_one_that_cannot_be_is_told_of(tmp_path):
    (tmp_path / "shot.png").write_bytes(pictures.png(8, 6))
    (tmp_path / "page.html").write_text("<html>")
    script = f"@@picture {tmp_path / 'shot.png'}\n@@picture {tmp_path / 'page.html'}"
    given = Attachment("att-1", "picture.png", "image/png", 9)

    async with running(tmp_path) as agent:
        shown, notice, end = await collect(agent, ask(script, attach=lambda name, data: given))

    assert shown == ev.PictureShown(attachment=given)
    assert isinstance(notice, ev.Notice) and notice.code == "not_shown" and "no picture of a kind" in notice.message
    assert end == ev.RunEnded(outcome="done")


async def test_of_pictures_beyond_what_an_answer_may_have_is_told_once(tmp_path, monkeypatch):
    monkeypatch.setattr("api.agents.acp.pictures.MOST_OF_A_TURN", 1)
    (tmp_path / "shot.png").write_bytes(pictures.png(8, 6))
    shot = tmp_path / "shot.png"
    given = Attachment("att-1", "picture.png", "image/png", 9)
    script = (
        f"@@picture {shot}\n@@picture {shot}\n@@tool a other {{}} Look\n@@shots a completed {shot}\n@@picture {shot}"
    )

    async with running(tmp_path) as agent:
        events = await collect(agent, ask(script, attach=lambda name, data: given))

    assert [event.message for event in events if isinstance(event, ev.Notice)] == [
        "Fake Agent sent a picture that is not shown. Only the first 1 of an answer are."
    ]
