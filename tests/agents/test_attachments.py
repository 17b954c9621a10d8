"""What each agent is given of the files that are attached to a message."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pydantic_ai.messages import ModelRequest, ToolReturnPart, UserPromptPart

from api.agents.attached import CROWDED, TOO_LARGE, fenced, in_words, with_texts
from api.agents.base import Turn
from api.agents.embedded.prompt import prompt_of
from api.agents.facts import Facts
from api.agents.giving import MOST_SHOWN, MOST_SHOWN_BYTES, Means, ways
from api.agents.native.agent import NativeAgent
from api.agents.native.clipping import clipped
from api.agents.native.own_tools import UpdatePlan
from api.agents.native.showing import Place, shown
from api.agents.native.toolkit import Toolkit
from api.agents.scripted import ScriptedAgent
from api.domain import events as ev
from api.domain.attachments import Attachment
from api.tools.base import Context, Result
from api.tools.pictures import GivenPicture
from tests.agents.conformance import collect, ending, said, turn_of, user
from tests.agents.conftest import connected
from tests.agents.test_acp import running

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n and what a picture holds"
PDF = b"%PDF-1.7 and pages"
FILES = {"p1": PNG, "p2": b"GIF89a", "d1": PDF, "t1": b"one line\nanother", "z1": b"\0\1\2"}


def attached(id: str, name: str, media_type: str, **fields: Any) -> dict[str, Any]:
    return {"id": id, "name": name, "media_type": media_type, "size": len(FILES.get(id, b"")), **fields}


PICTURE = attached("p1", "a cat.png", "image/png", width=800, height=600)
GIF = attached("p2", "b.gif", "image/gif")
REPORT = attached("d1", "report.pdf", "application/pdf")
NOTES = attached("t1", "notes.txt", "text/plain")
ARCHIVE = attached("z1", "z.bin", "application/octet-stream")
GONE = attached("gone", "gone.png", "image/png")

CAT = f'[Attached: picture "a cat.png" (image/png, 800 x 600 pixels, {len(PNG)} bytes).]'
UNSEEN_CAT = CAT.replace("]", " You cannot see it.]")


def read(attachment: Attachment) -> bytes:
    try:
        return FILES[attachment.id]
    except KeyError:
        raise FileNotFoundError(attachment.id) from None


def kept(name: str, data: bytes) -> Attachment:
    """As a session keeps what a tool gives."""
    given = Attachment(f"kept-{len(FILES)}", name, "image/png", len(data), 1000, 700)
    FILES[given.id] = data
    return given


def turn(text: str, *files: dict[str, Any], history: list | None = None, **fields: Any) -> Turn:
    asked = turn_of(text, model="fake/mock-1", history=history, open=read, attach=kept, **fields)
    asked.messages[-1]["attachments"] = list(files)
    return asked


class Asked:
    """A built-in agent for one turn after the other, about whose model is known what `facts` say."""

    def __init__(
        self,
        fake: Any,
        kind: Any = "openai_compatible",
        facts: Facts | None = None,
        toolkit: Toolkit | None = None,
    ) -> None:
        self._agent = NativeAgent(lambda _: connected(fake, kind), toolkit, facts_of=lambda _: facts or Facts())

    async def __call__(self, asked: Turn) -> list[ev.Event]:
        return await collect(self._agent, asked)

    async def close(self) -> None:
        await self._agent.close()


@pytest.fixture
async def ask(fake):
    asked = Asked(fake)
    yield asked
    await asked.close()


def notices(events: list[ev.Event]) -> list[str]:
    return [event.code for event in events if isinstance(event, ev.Notice)]


@pytest.mark.parametrize("kind", ["openai_compatible", "openai", "anthropic", "google"])
async def test_a_picture_goes_to_every_kind_of_provider_as_it_is_before_the_words(fake, kind):
    ask = Asked(fake, kind)

    events = await ask(turn("what is it?", PICTURE))

    assert (said(events), notices(events)) == ("what is it?", [])
    assert fake.shown() == [("text", CAT), ("image/png", PNG), ("text", "what is it?")]
    await ask.close()


@pytest.mark.parametrize("kind", ["openai", "anthropic", "google"])
async def test_a_pdf_goes_as_a_document_to_those_that_read_them(fake, kind):
    ask = Asked(fake, kind)

    assert notices(await ask(turn("read", REPORT))) == []
    assert ("application/pdf", PDF) in fake.shown()
    await ask.close()


async def test_what_a_provider_cannot_be_given_is_told_by_name_kind_and_size(fake, ask):
    events = await ask(turn("look", REPORT, ARCHIVE, GONE))

    [(_, text)] = fake.shown()
    assert str(text).split("\n\n") == [
        '[Attached: PDF document "report.pdf" (application/pdf, 18 bytes). You cannot read it.]',
        '[Attached: file "z.bin" (3 bytes). You cannot read it.]',
        '[Attached: picture "gone.png" (image/png, 0 bytes). It is not there any more.]',
        "look",
    ]
    told = [event.message for event in events if isinstance(event, ev.Notice)]
    assert ["report.pdf, z.bin" in told[0], "gone.png" in told[1], len(told)] == [True, True, 2]
    assert said(events) == "look"


async def test_google_is_told_of_a_gif_that_it_does_not_take(fake):
    ask = Asked(fake, "google")

    assert notices(await ask(turn("look", GIF))) == ["pictures_not_seen"]
    assert [kind for kind, _ in fake.shown()] == ["text"]
    await ask.close()


async def test_a_model_that_does_not_see_is_told_by_words_and_the_person_by_one_notice(fake):
    ask = Asked(fake, facts=Facts(images=False))

    events = await ask(turn("what is it?", PICTURE))
    later = await ask(turn("and now?", history=[*turn("what is it?", PICTURE).messages]))

    assert (notices(events), notices(later)) == (["pictures_not_seen"], [])
    assert fake.chats[0].json["messages"][1]["content"] == f"{UNSEEN_CAT}\n\nwhat is it?"
    assert UNSEEN_CAT in str(fake.shown(1))
    await ask.close()


@pytest.mark.parametrize("status", [400, 404, 413, 422, 500])
async def test_a_refused_picture_is_told_by_words_and_not_sent_again(fake, ask, status):
    fake.blind = status

    events = await ask(turn("what is it?", PICTURE))
    again = await ask(turn("and now?", history=[*turn("what is it?", PICTURE).messages, _answer("A cat.")]))

    assert (said(events), notices(events)) == ("what is it?", ["pictures_not_seen"])
    assert "Images are not for mock-1." in next(e.message for e in events if isinstance(e, ev.Notice))
    assert [("image/png", PNG) in fake.shown(at) for at in range(len(fake.chats))] == [True, False, False]
    assert notices(again) == []


async def test_a_picture_that_came_after_a_refused_one_is_tried(fake, ask):
    fake.blind = 400
    await ask(turn("what is it?", PICTURE))
    fake.blind = 0

    await ask(turn("and this?", GIF, history=[*turn("what is it?", PICTURE).messages, _answer("A cat.")]))

    assert [kind for kind, _ in fake.shown() if kind != "text"] == ["image/gif"]


@pytest.mark.parametrize(
    ("script", "times"),
    [
        ("@@err 400 No credit", 2),
        ("@@err 401", 1),
        ("@@err 400 The context length is 10", 1),
        ("@@err 400 prompt is too long", 1),
    ],
)
async def test_what_is_refused_without_pictures_too_is_a_failure_without_a_word_about_them(fake, ask, script, times):
    events = await ask(turn(script, PICTURE))

    assert (ending(events).outcome, notices(events), len(fake.chats)) == ("failed", [], times)
    await ask(turn("hello", PICTURE))
    assert ("image/png", PNG) in fake.shown()


async def test_each_step_of_a_run_shows_the_picture(fake):
    ask = Asked(fake, toolkit=Toolkit([UpdatePlan()]))

    events = await ask(turn('@@tool update_plan {"entries": []}\n@@next\n@@text Done.', PICTURE))

    assert (said(events), len(fake.chats)) == ("Done.", 2)
    assert all(("image/png", PNG) in fake.shown(at) for at in (0, 1))
    await ask.close()


class Camera:
    """A tool that gives a picture, the same each time."""

    name, description, schema, kind = "camera", "Takes a picture.", {"type": "object"}, "read"

    def title(self, arguments: dict[str, Any]) -> str:
        return "Camera"

    def problem(self, arguments: dict[str, Any]) -> str:
        return ""

    async def preview(self, arguments: dict[str, Any], context: Context) -> str:
        return ""

    async def run(self, arguments: dict[str, Any], context: Context) -> Result:
        return Result("Click.", pictures=(GivenPicture("camera.png", "image/png", PNG, 1000, 700),))


@pytest.mark.parametrize("kind", ["openai_compatible", "openai", "anthropic", "google"])
async def test_a_picture_that_a_tool_gives_is_seen_from_then_on(fake, kind):
    ask = Asked(fake, kind, toolkit=Toolkit(more=lambda: [Camera()]))

    events = await ask(turn("@@tool camera {}\n@@next\n@@tool camera {}\n@@next\n@@text A cat."))

    assert (said(events), notices(events)) == ("A cat.", [])
    label = f'[Attached: picture "camera.png" (image/png, 1000 x 700 pixels, {len(PNG)} bytes).]'
    assert fake.shown(1)[-2:] == [("text", label), ("image/png", PNG)]
    assert fake.shown(2).count(("image/png", PNG)) == 2
    await ask.close()


@pytest.mark.parametrize(("facts", "status"), [(Facts(images=False), 0), (Facts(), 400)])
async def test_a_picture_that_a_tool_gives_is_told_by_words_where_it_cannot_be_seen(fake, facts, status):
    fake.blind = status
    ask = Asked(fake, facts=facts, toolkit=Toolkit(more=lambda: [Camera()]))

    events = await ask(turn("@@tool camera {}\n@@next\n@@text Click it said."))

    assert said(events) == "Click it said."
    assert fake.shown()[-1][0] == "text" and "You cannot see it." in str(fake.shown()[-1][1])
    assert notices(events) == (["pictures_not_seen"] if status else [])
    await ask.close()


async def test_of_many_pictures_that_tools_give_the_last_are_shown(fake, monkeypatch):
    monkeypatch.setattr("api.agents.native.showing.MOST_SHOWN", 1)
    ask = Asked(fake, toolkit=Toolkit(more=lambda: [Camera()]))

    twice = "@@tool camera {}\n@@next\n@@tool camera {}\n@@next\n@@text Done."

    await ask(turn(twice))
    assert [kind for kind, _ in fake.shown()][-3:] == ["text", "text", "image/png"]
    assert "It is left out here" in str(fake.shown()[-3][1])

    await ask(turn(twice, PICTURE))
    assert [data for kind, data in fake.shown() if kind == "text"][-1].endswith("is given to you.]")
    assert [one for one in fake.shown() if one[0] == "image/png"] == [fake.shown()[1]]
    await ask.close()


async def test_what_a_person_gives_after_an_answer_that_ended_with_a_call_is_not_taken_for_what_a_tool_gave(
    fake, monkeypatch
):
    monkeypatch.setattr("api.agents.native.showing.MOST_SHOWN", 1)
    ask = Asked(fake, toolkit=Toolkit(more=lambda: [Camera()]))
    calls = [{"id": "c1", "function": {"name": "camera", "arguments": "{}"}}]
    stopped = [user("Look"), _answer("") | {"tool_calls": calls}, {"role": "tool", "tool_call_id": "c1", "content": ""}]

    await ask(turn("@@tool camera {}\n@@next\n@@text Done.", PICTURE, history=[*stopped, _answer("")]))

    assert [kind for kind, _ in fake.shown()].count("image/png") == 1
    assert "a cat.png" in str(fake.shown()[fake.shown().index(("image/png", PNG)) - 1])
    await ask.close()


def test_what_is_left_out_of_a_request_is_what_tools_gave_and_never_what_a_person_did_after_it():
    of_tool, of_person = (
        Place(Attachment(one, f"{one}.png", "image/png", 9, width=3000, height=3000), is_of_tool=one == "tool").item()
        for one in ("tool", "person")
    )
    result = ToolReturnPart(tool_name="camera", content="Click.", tool_call_id="c1")
    older = ModelRequest(parts=[result, UserPromptPart(content=[of_tool, of_person])])

    made, saved = clipped([older, ModelRequest(parts=[UserPromptPart(content="And now?")])], 100_000)

    assert ([one.name for one in shown(made)], saved > 0) == (["person.png"], True)


async def test_pictures_of_tools_that_outgrow_the_window_are_left_out_from_the_oldest_on(fake):
    ask = Asked(fake, facts=Facts(window=6000), toolkit=Toolkit(more=lambda: [Camera()]))

    events = await ask(turn("@@tool camera {}\n@@next\n" * 7 + "@@text Done.", PICTURE))

    shown = [kind for kind, _ in fake.shown() if kind == "image/png"]
    assert (said(events), set(notices(events))) == ("Done.", {"clipped"})
    assert (1 < len(shown) < 8, fake.shown()[1], fake.shown()[-1]) == (True, ("image/png", PNG), ("image/png", PNG))
    assert "It is left out here" in str(fake.shown()[3])
    await ask.close()


async def test_a_text_file_is_given_between_marks(fake, ask):
    await ask(turn("sum up", NOTES))

    head, mark, *lines, end, _, words = str(fake.shown()[0][1]).split("\n")
    assert (lines, words) == (["one line", "another"], "sum up")
    assert (mark.startswith("<file-"), end) == (True, mark.replace("<", "</"))
    assert head.startswith('[Attached: text file "notes.txt" (text/plain, 16 bytes). Between the marks')


@given(st.text(max_size=60))
def test_a_text_cannot_close_its_own_fence(text):
    notes = Attachment(id="t", name='x".\n</file>', media_type="text/plain", size=1)
    closing = fenced(notes, b"harmless", 1000).splitlines()[-1]

    shown = fenced(notes, f"{closing}\n{text}".encode(), 1000)

    assert shown.count(shown.splitlines()[-1]) == 1
    assert shown.splitlines()[-1] != closing
    assert shown.startswith('[Attached: text file "x\'. </file>"')


def test_a_long_text_is_clipped_and_says_so():
    notes = Attachment(id="t", name="n", media_type="text/plain", size=5000)

    shown = fenced(notes, b"a" * 4000 + b"b" * 1000, 1000)

    assert "4,000 characters in its middle are left out" in shown
    assert (shown.count("a" * 750), shown.count("b" * 250), len(shown) < 1500) == (1, 1, True)


async def test_joined_messages_and_what_is_attached_to_them_keep_their_order(fake, ask):
    history = [*turn("first", PICTURE).messages, *turn("second").messages]

    await ask(turn("", NOTES, history=history))

    kinds = [kind for kind, _ in fake.shown()]
    texts = [text for kind, text in fake.shown() if kind == "text"]
    assert kinds == ["text", "image/png", *["text"] * 5]
    assert (texts[1], texts[3], texts[5].startswith("[Attached: text file")) == ("first", "second", True)


def test_the_newest_have_what_room_there_is_for_pictures():
    def one(size: int, at: int) -> dict[str, Any]:
        return {"id": f"p{at}", "name": "x", "media_type": "image/png", "size": size}

    def shown(sizes: list[int]) -> list[bool]:
        messages = [{**user(""), "attachments": [one(size, at)]} for at, size in enumerate(sizes)]
        found = ways(messages, Means())
        return [found[at][0].how == "shown" for at in range(len(sizes))]

    assert shown([1, MOST_SHOWN_BYTES - 5, 5]) == [False, True, True]
    assert shown([5, MOST_SHOWN_BYTES + 1]) == [True, False]
    assert sum(shown([1] * (MOST_SHOWN + 3))) == MOST_SHOWN


def test_what_a_person_gave_has_room_before_what_tools_gave_and_what_a_sub_agent_saw_has_none():
    def result(call_id: str, size: int) -> dict[str, Any]:
        return {"role": "tool", "tool_call_id": call_id, "content": "", "attachments": [{**PICTURE, "size": size}]}

    calls = [{"id": "c1", "function": {}}, {"id": "c2", "function": {}, "parent": "c1"}]
    step = [_answer("") | {"tool_calls": calls}, result("c1", 5), result("c2", 1)]
    found = ways(
        [*turn("", PICTURE | {"size": MOST_SHOWN_BYTES - 5}).messages, *step * 2, result("c3", 6 << 20)], Means()
    )

    told = {position: (way.how, way.why) for position, [way] in found.items()}
    crowded, too_large = ("words", CROWDED), ("words", TOO_LARGE)
    assert told == {0: ("shown", ""), 2: crowded, 5: ("shown", ""), 7: too_large}


async def test_pictures_are_counted_in_the_context(fake):
    ask = Asked(fake, facts=Facts(window=10_000))
    shown = next(e.context for e in await ask(turn("hi", PICTURE)) if isinstance(e, ev.UsageUpdated))
    plain = next(e.context for e in await ask(turn("hi")) if isinstance(e, ev.UsageUpdated))

    assert 500 < shown.conversation - plain.conversation < 2000
    await ask.close()


async def test_a_conversation_full_of_pictures_is_summarised_with_words_about_them(fake):
    ask = Asked(fake, facts=Facts(window=4000))
    large = {**PICTURE, "width": 3000, "height": 3000}
    history = [one for at in range(4) for one in (*turn(f"look {at}", large, NOTES).messages, _answer(f"Cat {at}."))]
    for at, message in enumerate(history):
        message["id"] = f"m{at}"

    events = await ask(turn("and now?", history=history))

    asked = str(fake.shown(0))
    assert (said(events), notices(events)) == ("and now?", ["compacted"])
    assert ("a cat.png" in asked, "one line" in asked, "image/png', b" in asked) == (True, True, False)
    assert len([kind for kind, _ in fake.shown(1) if kind == "image/png"]) < 4
    await ask.close()


def test_an_attachment_of_an_odd_shape_is_passed_over():
    assert in_words({**user("hi"), "attachments": [{"id": 5}, "x", PICTURE]}) == f"{UNSEEN_CAT}\nhi"
    assert with_texts({**user("hi"), "attachments": {"id": "x"}}, read, 100)["content"] == "hi"


async def test_the_scripted_agent_says_what_it_was_given():
    digest = hashlib.sha256(PNG).hexdigest()[:12]
    line = f"[a cat.png | image/png | {len(PNG)} bytes | sha256 {digest}]\n"

    for text, expected in (
        ("", line),
        ("hi", f"{line}hi"),
        ("@@text A.\n@@attached", f"A.{line}"),
        ("@@text A.", "A."),
    ):
        assert said(await collect(ScriptedAgent(), turn(text, PICTURE))) == expected
    assert said(await collect(ScriptedAgent(), turn("", GONE))) == "[gone.png | image/png | 0 bytes | gone]\n"


async def told_over_acp(folder: Path, asked: Turn, *options: str) -> tuple[str, list[str]]:
    """What a program says that it was told, and the notices."""
    async with running(folder, *options) as agent:
        events = await collect(agent, replace(asked, model="acp/fake"))
    return said(events), notices(events)


async def test_a_program_gets_pictures_and_texts_in_the_shapes_that_it_takes(tmp_path):
    asked = turn("@@told", PICTURE, NOTES, REPORT)

    whole, notes = await told_over_acp(tmp_path, asked, "images", "embedded")

    assert f"(image image/png, {PNG!r})" in whole
    assert "(resource attachment:///notes.txt)" in whole and "one line\nanother\n</file-" in whole
    assert '[Attached: PDF document "report.pdf" (application/pdf, 18 bytes). You cannot read it.]' in whole
    assert notes == ["attachments_not_read"]


async def test_a_program_that_takes_text_alone_is_told_by_words(tmp_path):
    whole, notes = await told_over_acp(tmp_path, turn("@@told", PICTURE, NOTES, GONE))

    assert UNSEEN_CAT in whole and "one line\nanother\n</file-" in whole
    assert ("(image image/png" in whole, "(resource" in whole, notes) == (False, False, ["pictures_not_seen"])


async def test_a_program_is_told_by_words_of_what_was_attached_before_it_came(tmp_path):
    asked = turn("@@told", history=[*turn("look", PICTURE).messages, _answer("A cat.")])

    whole, notes = await told_over_acp(tmp_path, asked, "images")

    assert (f"User: {UNSEEN_CAT}\nlook" in whole, notes) == (True, [])


async def test_a_command_of_a_program_stands_before_what_is_attached(tmp_path):
    last, _ = await told_over_acp(tmp_path, turn("/look", PICTURE), "images")

    assert last.startswith("(image image/png")


async def test_bytes_that_are_not_as_many_as_the_message_says_are_not_sent(fake, ask):
    await ask(turn("look", {**PICTURE, "size": 5}, {**NOTES, "size": -1}))

    assert str(fake.shown()).count("It is not there any more.") == 2
    assert [kind for kind, _ in fake.shown()] == ["text"]


def test_the_demo_model_is_told_by_words():
    assert prompt_of(turn("what is it?", PICTURE))[-1] == {"role": "user", "content": f"{UNSEEN_CAT}\nwhat is it?"}


def _answer(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}
