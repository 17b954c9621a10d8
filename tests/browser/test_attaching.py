"""Files and pictures given along with a message: how they come, are on their way, sent, looked at and edited."""

import base64
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import FilePayload, Locator, expect

from tests.browser.devices import on_both
from tests.browser.tab import Tab
from tests.browser.test_for_everyone import wrong_with
from tests.browser.watch import AWAY
from tests.fakes.provider import FakeProvider
from tests.http.conftest import until
from tests.pictures import png
from tests.serving import Client, ServerProcess

UPLOAD = "**/api/attachment/upload*"
WIDE, TALL = png(600, 300), png(200, 400)
TRANSFER = """([name, type, data, text]) => {
    const transfer = new DataTransfer();
    const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
    if (name) transfer.items.add(new File([bytes], name, { type }));
    if (text) transfer.setData("text/plain", text);
    return transfer;
}"""


def file(name: str, data: bytes) -> FilePayload:
    kind = {"png": "image/png", "txt": "text/plain", "md": "text/plain"}[name.rpartition(".")[2]]
    return {"name": name, "mimeType": kind, "buffer": data}


def chips(tab: Tab) -> Locator:
    """What goes with the message that is being written, or edited."""
    return tab.page.get_by_role("list", name="Attached files").get_by_role("listitem")


def choose(tab: Tab, *files: FilePayload | Path) -> None:
    """Attach by the button, or where there is none by the menu."""
    button = tab.button("Attach files")
    with tab.page.expect_file_chooser() as asked:
        if not button.is_visible():
            tab.touch(tab.button("More ways to send"))
            button = tab.page.get_by_role("menuitem", name=re.compile("^Attach files"))
        tab.touch(button)
    asked.value.set_files(list(files))  # type: ignore[arg-type]  # the stub wants all of them of one kind


def attach(tab: Tab, name: str = "wide.png", data: bytes = WIDE) -> None:
    choose(tab, file(name, data))
    expect(tab.button(f"Remove {name}")).to_be_visible()


def transfer(tab: Tab, name: str = "", data: bytes = b"", text: str = "") -> Any:
    """What a clipboard holds, or a pointer drags."""
    kind = file(name, data)["mimeType"] if name else ""
    return tab.page.evaluate_handle(TRANSFER, [name, kind, base64.b64encode(data).decode(), text])


def paste(tab: Tab, clipboard: Any) -> None:
    tab.composer.evaluate(
        """(area, clipboardData) => area.dispatchEvent(
            new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))""",
        clipboard,
    )


def drag(tab: Tab, kind: str, dragged: Any) -> None:
    place = tab.page.locator("main").get_by_role("textbox", name="Message", exact=True)
    place.dispatch_event(kind, {"dataTransfer": dragged})


def pictures(said: Locator) -> Locator:
    return said.get_by_role("img")


def conversation(tab: Tab, client: Client, *, folder: Path | None = None) -> str:
    more = {"workspace": str(folder)} if folder else {}
    session_id: str = client.post("/api/session/new", **more)["session"]["session_id"]
    client.answer(session_id, "@@text Hello.")
    tab.open_session(session_id)
    expect(tab.answers).to_have_count(1)
    return session_id


@on_both
def test_files_given_by_button_paste_and_drop_are_sent_and_pictures_can_be_looked_at(tab: Tab, client: Client) -> None:
    tab.choose_model("Script")
    choose(tab, file("wide.png", WIDE), file("notes.txt", b"Water the beans."))
    expect(tab.button("Remove notes.txt")).to_be_visible()
    paste(tab, transfer(tab, "image.png", TALL))
    expect(tab.page.get_by_role("button", name=re.compile(r"^Remove Pasted .*\.png$"))).to_be_visible()
    dragged = transfer(tab, "tall.png", TALL)
    drag(tab, "dragover", dragged)
    expect(tab.page.get_by_text("Drop to attach")).to_be_visible()
    drag(tab, "drop", dragged)
    expect(tab.page.get_by_text("Drop to attach")).to_have_count(0)
    expect(tab.button("Remove tall.png")).to_be_visible()
    assert wrong_with(tab) == []

    tab.send("@@text How green.")
    tab.wait_for_answer()

    expect(chips(tab)).to_have_count(0)
    expect(pictures(tab.said)).to_have_count(3)
    [said, _] = client.messages(tab.session_id)
    assert [one["media_type"] for one in said["attachments"]] == ["image/png", "text/plain", "image/png", "image/png"]
    with tab.page.expect_download() as download:
        tab.touch(tab.said.get_by_role("link", name=re.compile("^notes.txt")))
    assert download.value.path().read_bytes() == b"Water the beans."

    tab.touch(pictures(tab.said).first)
    shown = tab.page.get_by_role("dialog", name="wide.png")
    expect(shown.get_by_role("img", name="wide.png")).to_be_visible()
    assert wrong_with(tab) == []
    tab.page.keyboard.press("ArrowLeft")
    expect(tab.page.get_by_role("dialog", name="tall.png")).to_contain_text("3 of 3")
    tab.touch(tab.button("Next picture"))
    expect(shown).to_contain_text("1 of 3")
    expect(shown.get_by_role("link", name="Download wide.png")).to_have_attribute("download", "wide.png")
    tab.page.keyboard.press("Escape")
    expect(shown).to_have_count(0)
    expect(tab.said.get_by_role("button", name="wide.png")).to_be_focused()


def test_a_picture_has_its_place_before_it_is_here(tab: Tab, client: Client) -> None:
    session_id = client.new_session()
    client.answer(session_id, "", attachments=[client.attach(session_id, WIDE, "wide.png")["id"]])
    let_go = tab.hold("**/api/attachment?*")
    tab.open_session(session_id)
    picture = pictures(tab.said)
    expect(picture).to_be_visible()
    before = picture.bounding_box()
    let_go()
    expect(picture).to_have_js_property("naturalWidth", 600)

    assert before == picture.bounding_box()
    assert before is not None and (before["width"], before["height"]) == (320, 160)


def test_text_that_comes_with_a_picture_of_itself_stays_text(tab: Tab, client: Client) -> None:
    conversation(tab, client)
    paste(tab, transfer(tab, "image.png", TALL, text="A table, copied out of an office program"))
    paste(tab, transfer(tab, "tall.png", TALL, text="file:///home/me/tall.png"))

    expect(tab.button("Remove tall.png")).to_be_visible()
    expect(chips(tab)).to_have_count(1)


@on_both
def test_sending_waits_for_what_is_on_its_way_which_can_be_given_up_by_keys(tab: Tab, client: Client) -> None:
    conversation(tab, client)
    tab.choose_model("Script")
    attach(tab, "first.png")
    let_go = tab.hold(UPLOAD)
    choose(tab, file("second.png", WIDE), file("third.png", WIDE))
    tab.button("Do not attach second.png").focus()
    tab.page.keyboard.press("Delete")
    expect(tab.button("Do not attach third.png")).to_be_focused()
    expect(tab.button("Remove third.png")).to_be_focused()  # it has arrived meanwhile

    let_go = tab.hold(UPLOAD)
    choose(tab, file("fourth.png", WIDE))
    expect(tab.button("Do not attach fourth.png")).to_be_visible()
    tab.send("@@text All there.")
    expect(tab.page.get_by_text("This is sent as soon as the files are there.")).to_be_visible()
    assert wrong_with(tab) == []
    let_go()

    expect(pictures(tab.said.last)).to_have_count(3)
    tab.wait_for_answer()
    assert [one["name"] for one in client.messages(tab.session_id)[-2]["attachments"]] == [
        "first.png",
        "third.png",
        "fourth.png",
    ]


@on_both
def test_what_fails_says_so_and_holds_the_message_until_it_is_tried_again_or_taken_out(
    tab: Tab, client: Client, tmp_path: Path
) -> None:
    tab.watch.allow("Failed to load resource")
    conversation(tab, client)
    tab.choose_model("Script")
    too_large = tmp_path / "large.txt"
    with too_large.open("wb") as empty:
        empty.truncate(51 << 20)
    tab.page.route(UPLOAD, lambda route: route.abort(), times=1)
    choose(tab, file("wide.png", WIDE))
    expect(chips(tab)).to_contain_text("Fireside does not answer.")
    choose(tab, too_large)
    expect(chips(tab).last).to_contain_text("Larger than 50 MB.")
    tab.send("@@text Here.")
    expect(tab.page.get_by_text("Not sent: wide.png, large.txt are not attached.")).to_be_visible()
    assert wrong_with(tab) == []

    tab.touch(tab.button("Try wide.png again"))
    expect(tab.button("Remove wide.png")).to_be_visible()
    tab.touch(tab.button("Remove large.txt"))
    expect(tab.button("Remove wide.png")).to_be_focused()
    tab.submit()

    expect(pictures(tab.said.last)).to_have_count(1)
    tab.wait_for_answer()


def test_what_is_attached_is_there_after_a_reload_and_in_another_tab_until_it_is_taken_out_or_sent(
    tab: Tab, client: Client
) -> None:
    session_id = conversation(tab, client)
    other = tab.twin(f"/s/{session_id}")
    attach(tab, "wide.png")
    attach(tab, "tall.png", TALL)
    expect(chips(other)).to_have_count(2)
    tab.page.reload()
    expect(chips(tab)).to_have_count(2)
    other.touch(other.button("Remove wide.png"))
    expect(chips(tab)).to_have_count(1)

    tab.choose_model("Script")
    tab.submit()

    expect(pictures(tab.said.last)).to_have_attribute("alt", "tall.png")
    for one in (tab, other):
        expect(chips(one)).to_have_count(0)
    until(lambda: client.get("/api/session/draft", session_id=session_id)["attachments"] == [])


def test_a_new_conversation_keeps_its_files_through_a_reload_and_says_when_the_server_lost_them(
    tab: Tab, server: ServerProcess
) -> None:
    tab.watch.allow(f"{AWAY}|status of 404")
    tab.choose_model("Script")
    attach(tab)
    tab.page.reload()
    expect(tab.button("Remove wide.png")).to_be_visible()
    tab.touch(tab.button("Remove wide.png"))
    expect(chips(tab)).to_have_count(0)
    attach(tab, "tall.png", TALL)
    server.kill()
    server.start()
    expect(tab.button("Try now")).to_have_count(0)
    tab.choose_model("Script")
    tab.send("@@text Thank you.")
    expect(chips(tab)).to_contain_text("No longer on the server. Attach it again.")
    expect(tab.composer).to_have_value("@@text Thank you.")

    tab.touch(tab.button("Try tall.png again"))
    expect(tab.button("Remove tall.png")).to_be_visible()
    tab.submit()

    expect(pictures(tab.said)).to_have_count(1)
    expect(tab.wait_for_answer()).to_contain_text("Thank you.")


@on_both
def test_an_edited_message_keeps_its_files_but_those_that_are_taken_out_and_has_new_ones(
    tab: Tab, client: Client
) -> None:
    session_id = client.new_session()
    ids = [client.attach(session_id, data, name)["id"] for name, data in (("wide.png", WIDE), ("tall.png", TALL))]
    client.answer(session_id, "@@text First.", attachments=ids)
    tab.open_session(session_id)
    tab.press_on(tab.said, "Edit")
    editor = tab.page.get_by_role("article", name="Editing your message")
    expect(editor.get_by_role("listitem")).to_have_count(2)
    tab.touch(editor.get_by_role("button", name="Remove wide.png"))
    with tab.page.expect_file_chooser() as asked:
        tab.touch(editor.get_by_role("button", name="Attach files"))
    asked.value.set_files([file("notes.md", b"# Notes")])
    expect(editor.get_by_role("button", name="Remove notes.md")).to_be_visible()
    assert wrong_with(tab) == []
    editor.get_by_role("textbox").fill("@@text Second.")
    tab.touch(tab.button("Send again"))

    expect(tab.answer).to_contain_text("Second.")
    expect(pictures(tab.said)).to_have_attribute("alt", "tall.png")
    expect(tab.said.get_by_role("link")).to_contain_text("notes.md")
    tab.touch(tab.button("Earlier version"))
    expect(pictures(tab.said)).to_have_count(2)


@on_both
def test_a_message_that_waits_has_its_files_and_can_be_given_others(tab: Tab, client: Client) -> None:
    conversation(tab, client)
    tab.choose_model("Script")
    tab.send("@@text Busy.\n@@hang")
    tab.wait_for_words(1)
    attach(tab)
    tab.submit()
    waiting = tab.page.get_by_role("list", name="Waiting to be sent").get_by_role("listitem")
    expect(waiting.get_by_role("img", name="With wide.png")).to_be_visible()
    expect(chips(tab)).to_have_count(0)

    tab.touch(waiting.get_by_role("button", name="Change: wide.png"))
    attach_there = waiting.get_by_role("button", name="Attach files")
    with tab.page.expect_file_chooser() as asked:
        tab.touch(attach_there)
    asked.value.set_files([file("tall.png", TALL)])
    expect(waiting.get_by_role("button", name="Remove tall.png")).to_be_visible()
    assert wrong_with(tab) == []
    tab.touch(waiting.get_by_role("button", name="Remove wide.png"))
    tab.touch(waiting.get_by_role("button", name="Keep the change"))

    expect(waiting.get_by_role("img", name="With tall.png")).to_be_visible()
    tab.touch(tab.button("Stop"))
    tab.touch(tab.button("Send it"))
    expect(pictures(tab.said.last)).to_have_attribute("alt", "tall.png")


@on_both
def test_a_model_that_sees_no_pictures_is_told_of_before_sending_and_after(
    tab: Tab, client: Client, provider: FakeProvider
) -> None:
    url = f"{provider.origin}/facts/v1"
    saved = client.post("/api/providers/save", kind="openai_compatible", base_url=url, name="Barn")
    try:
        tab.choose_model("wide")
        attach(tab)
        expect(tab.page.get_by_text("wide does not see pictures")).to_be_visible()
        assert wrong_with(tab) == []
        tab.choose_model("narrow")
        expect(tab.page.get_by_text("does not see pictures")).to_have_count(0)
        tab.choose_model("wide")
        tab.send("@@text I only heard of it.")

        expect(tab.wait_for_answer()).to_contain_text("wide does not see wide.png")
        assert "image_url" not in provider.chats[-1].body
    finally:
        client.post("/api/providers/delete", id=saved["provider"]["id"])


@on_both
def test_an_at_sign_offers_the_files_of_the_folder_and_takes_a_copy_along(
    tab: Tab, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans/beds.md").write_text("# Beds", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("Water the beans.", encoding="utf-8")
    conversation(tab, client, folder=tmp_path)
    tab.choose_model("Script")
    tab.composer.press_sequentially("Look at @bed")
    offered = tab.page.get_by_role("listbox", name="Files of the folder")
    expect(offered.get_by_role("option")).to_have_count(1)
    assert wrong_with(tab) == []
    tab.page.keyboard.press("Escape")
    expect(offered).to_have_count(0)
    tab.composer.press_sequentially(" and @note")
    tab.touch(offered.get_by_role("option", name=re.compile("^notes.txt")))

    expect(tab.composer).to_have_value("Look at @bed and @notes.txt ")
    expect(tab.composer).to_be_focused()
    expect(tab.button("Remove notes.txt")).to_be_visible()
    tab.composer.fill("@@text Read.")
    tab.submit()
    tab.wait_for_answer()
    assert client.messages(tab.session_id)[-2]["attachments"][0]["name"] == "notes.txt"


def test_without_a_folder_an_at_sign_is_only_a_letter(tab: Tab, client: Client) -> None:
    conversation(tab, client)
    tab.composer.press_sequentially("Write to @anna")

    expect(tab.page.get_by_role("listbox")).to_have_count(0)
    assert tab.watch.asked_for("/api/workspace/files") == []


@on_both
def test_pictures_that_a_tool_gave_stand_in_its_line_and_open_large_by_keys(
    tab: Tab, client: Client, tmp_path: Path
) -> None:
    for name, data in (("wide.png", WIDE), ("tall.png", TALL)):
        (tmp_path / name).write_bytes(data)
    session_id: str = client.post("/api/session/new", workspace=str(tmp_path))["session"]["session_id"]
    read = "\n".join(f'@@tool read_file {{"path": "{name}"}}' for name in ("wide.png", "tall.png"))
    tab.open_session(session_id)
    tab.send(f"{read}\n@@next\n@@text A red field.")
    expect(tab.answer).to_contain_text("A red field.")

    lines = tab.answer.locator("summary").filter(has_text="1 picture")
    expect(lines).to_have_count(2)
    let_go = tab.hold("**/api/attachment?*")
    lines.first.focus()
    tab.page.keyboard.press("Enter")
    given = tab.answer.get_by_role("group", name="1 picture", exact=True)
    picture = given.get_by_role("img", name="wide.png")
    expect(picture).to_be_visible()
    before = picture.bounding_box()
    let_go()
    expect(picture).to_have_js_property("naturalWidth", 600)
    assert before is not None and before == picture.bounding_box()
    assert wrong_with(tab) == []

    given.get_by_role("button", name="wide.png").focus()
    tab.page.keyboard.press("Enter")
    shown = tab.page.get_by_role("dialog", name="wide.png")
    expect(shown.get_by_role("img", name="wide.png")).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(given.get_by_role("button", name="wide.png")).to_be_focused()

    tab.open_session(session_id)
    tab.touch(tab.answer.locator("summary").filter(has_text="1 picture").last)
    expect(tab.answer.get_by_role("img", name="tall.png")).to_have_js_property("naturalHeight", 400)


def test_a_picture_in_an_answer_stands_between_its_words_live_and_after_a_reload(tab: Tab, client: Client) -> None:
    tab.choose_model("Script")
    tab.send("@@text Before.\n@@picture 600 300\n@@text After.\n@@delay 1\n@@text Done.")

    for _ in ("live", "loaded"):
        picture = tab.answer.get_by_role("img", name="field.png")
        expect(picture).to_have_js_property("naturalWidth", 600)
        expect(tab.answer).to_contain_text("Done.")
        places = [tab.answer.get_by_text(word).bounding_box() for word in ("Before.", "After.")]
        box = picture.bounding_box()
        assert box and all(places) and places[0]["y"] < box["y"] < box["y"] + box["height"] <= places[1]["y"]
        tab.open_session(tab.session_id)
