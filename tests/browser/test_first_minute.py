"""The first minute: from an empty chat to a streamed answer."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.devices import PHONE, on, on_both
from tests.browser.tab import Tab
from tests.serving import Client

pytestmark = pytest.mark.usefixtures("tidy")


def test_the_composer_has_the_focus_and_typing_prepares_the_engine_once(tab: Tab) -> None:
    expect(tab.composer).to_be_focused()

    with tab.page.expect_request("**/api/chat/prepare"):
        tab.page.keyboard.type("H")
    tab.page.keyboard.type("ello there, quite a lot of text")
    tab.page.keyboard.press("Enter")
    tab.wait_for_answer()

    assert len(tab.watch.asked_for("/api/chat/prepare")) == 1


def test_enter_sends_and_shift_enter_breaks_the_line(tab: Tab) -> None:
    tab.composer.press_sequentially("one")
    tab.composer.press("Shift+Enter")
    tab.composer.press_sequentially("two")
    expect(tab.composer).to_have_value("one\ntwo")
    expect(tab.said).to_have_count(0)

    tab.composer.press("Enter")

    expect(tab.said).to_have_text("one\ntwo", use_inner_text=True)
    expect(tab.composer).to_have_value("")
    tab.wait_for_answer()


def test_the_enter_that_chooses_a_word_of_an_input_method_does_not_send(tab: Tab) -> None:
    keyboard = tab.context.new_cdp_session(tab.page)
    tab.composer.focus()
    keyboard.send("Input.imeSetComposition", {"text": "にほん", "selectionStart": 3, "selectionEnd": 3})
    expect(tab.composer).to_have_value("にほん")

    # As an input method passes it on: a key that was pressed, without the character it would make.
    for kind in ("rawKeyDown", "keyUp"):
        keyboard.send("Input.dispatchKeyEvent", {"type": kind, "key": "Enter", "windowsVirtualKeyCode": 13})
    keyboard.send("Input.insertText", {"text": "日本"})
    expect(tab.composer).to_have_value("日本")
    expect(tab.said).to_have_count(0)

    tab.page.keyboard.press("Enter")
    expect(tab.said).to_have_text("日本")
    tab.wait_for_answer()


@on(PHONE)
def test_enter_on_a_phone_breaks_the_line_and_the_button_sends(tab: Tab) -> None:
    tab.composer.tap()
    tab.composer.press_sequentially("one")
    tab.composer.press("Enter")
    tab.composer.press_sequentially("two")
    expect(tab.composer).to_have_value("one\ntwo")

    tab.button("Send").tap()

    expect(tab.said).to_have_text("one\ntwo", use_inner_text=True)
    tab.wait_for_answer()


@on_both
def test_send_pressed_twice_sends_once(tab: Tab) -> None:
    tab.composer.fill("Only once")
    send = tab.button("Send")
    box = send.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for _ in range(2):
        tab.page.touchscreen.tap(x, y) if tab.phone else tab.page.mouse.click(x, y)

    tab.wait_for_answer()
    expect(tab.said).to_have_text(["Only once"])
    expect(tab.answers).to_have_count(1)


@on(PHONE)
def test_where_one_writes_stays_above_the_keyboard_of_a_phone(tab: Tab) -> None:
    tab.ask("Before")
    tab.composer.tap()
    tab.page.set_viewport_size({"width": 390, "height": 420})  # what an open keyboard leaves

    tab.composer.fill("a line\n" * 30)

    expect(tab.composer).to_be_in_viewport()
    expect(tab.button("Send")).to_be_in_viewport(ratio=1)
    expect(tab.page.get_by_role("heading", name="Before")).to_be_in_viewport(ratio=1)


@on_both
def test_the_message_is_there_at_once_the_answer_streams_and_the_list_names_it(tab: Tab) -> None:
    let_go = tab.hold("**/api/chat/start")

    tab.send("A walk in the woods\n@@pace 0.02\n@@text " + " ".join(f"step{n}" for n in range(80)))
    expect(tab.said).to_contain_text("A walk in the woods")
    expect(tab.composer).to_have_value("")
    expect(tab.button("Stop")).to_be_visible()
    assert tab.answers.count() == 1

    let_go()
    few = tab.wait_for_words(3)
    assert len(few) < 80
    assert tab.wait_for_words(len(few) + 5)[: len(few)] == few
    tab.open_sessions()
    expect(tab.row("A walk in the woods")).to_be_visible()
    tab.close_sessions()
    expect(tab.page.get_by_role("heading", name="A walk in the woods")).to_be_visible()
    tab.wait_for_answer()
    assert tab.words_shown() == [f"step{n}" for n in range(80)]
    assert tab.page.title() == "A walk in the woods · Fireside"


def test_a_chat_without_a_message_is_nowhere_until_it_has_one(tab: Tab, client: Client, state_dir: Path) -> None:
    def documents() -> set[str]:
        return {file.name for file in (state_dir / "sessions").glob("*.json")}

    def listed() -> set[str]:
        return {f"{row['session_id']}.json" for row in client.get("/api/sessions", limit=200)["sessions"]}

    before = documents()
    tab.sessions.get_by_role("link", name="New chat").click()
    tab.composer.fill("Not sent yet")
    other = tab.twin("/")
    expect(other.composer).to_be_visible()
    client.new_session()
    assert documents() == before
    assert listed() == before

    tab.composer.press("Enter")
    tab.wait_for_answer()

    assert documents() - before == {f"{tab.session_id}.json"}
    assert listed() == documents()
    expect(other.row("Not sent yet")).to_be_visible()


@on_both
def test_what_was_typed_survives_a_reload(tab: Tab) -> None:
    tab.composer.fill("Half a thought")

    tab.page.reload()

    expect(tab.composer).to_have_value("Half a thought")


@on_both
def test_a_suggestion_is_answered_and_a_new_chat_is_empty_again(tab: Tab) -> None:
    tab.touch(tab.page.get_by_role("list", name="Suggestions").get_by_role("button").first)
    expect(tab.said).to_contain_text("lighthouse keeper")
    expect(tab.wait_for_answer()).to_contain_text("lighthouse keeper")

    tab.new_chat()

    expect(tab.said).to_have_count(0)
    if not tab.phone:
        expect(tab.composer).to_be_focused()
    expect(tab.page.get_by_role("heading", name="What shall we talk about?")).to_be_visible()
