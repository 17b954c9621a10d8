"""Talking in the page: a message in, an answer out, whatever happens in between."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import PHONE, Visitor
from tests.serving import ServerProcess

pytestmark = pytest.mark.browser

ANSWER = re.compile("answered|Answer")


def say(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Message").fill(text)
    page.get_by_role("button", name="Send").click()


def last_answer(page: Page) -> Locator:
    return page.get_by_role("article", name=ANSWER).last


def session_id_of(page: Page) -> str:
    expect(page).to_have_url(re.compile("/s/"))
    return page.url.rpartition("/")[2]


def test_a_message_is_answered_and_the_conversation_gets_an_address_and_a_title(visitor: Visitor) -> None:
    page = visitor.open()
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()

    page.keyboard.type("Hello **there**")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("friend")
    page.keyboard.press("Enter")

    expect(last_answer(page).locator("strong")).to_have_text("there")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello **there**")
    expect(page.get_by_role("textbox", name="Message")).to_have_value("")
    said = visitor.server.client().messages(session_id_of(page))
    assert said[0]["content"] == "Hello **there**\nfriend"
    assert visitor.complaints == []


def test_an_answer_goes_on_through_a_reload_and_in_a_second_tab_to_the_letter(visitor: Visitor) -> None:
    page = visitor.open()
    say(page, "@@pace 0.02\n@@text begin\n@@repeat 100 ember \n@@text the end")
    expect(last_answer(page)).to_contain_text("ember ember")

    page.reload()
    second = visitor.open(f"/s/{session_id_of(page)}")

    for tab in (page, second):
        expect(last_answer(tab)).to_contain_text("the end")
        expect(tab.get_by_role("button", name="Send")).to_be_visible()
    told = visitor.server.client().messages(session_id_of(page))[-1]["content"]
    shown = [last_answer(tab).locator(".markdown").inner_text() for tab in (page, second)]
    assert [" ".join(text.split()) for text in shown] == [" ".join(told.split())] * 2


def test_a_second_tab_sees_what_is_said_in_the_first(visitor: Visitor) -> None:
    page = visitor.open()
    say(page, "@@text one")
    expect(last_answer(page)).to_contain_text("one")
    second = visitor.open(f"/s/{session_id_of(page)}")
    expect(last_answer(second)).to_contain_text("one")

    say(page, "@@text two")

    expect(last_answer(second)).to_contain_text("two")
    expect(second.get_by_role("article", name="You said")).to_have_count(2)


def test_stop_keeps_what_was_shown_and_continue_goes_on_after_it(visitor: Visitor) -> None:
    page = visitor.open()
    say(page, "@@text kept\n@@hang\n@@text and more")
    expect(last_answer(page)).to_contain_text("kept")

    page.get_by_role("button", name="Stop").click()
    expect(last_answer(page).get_by_text("Stopped.")).to_be_visible()
    expect(last_answer(page)).to_contain_text("kept")
    page.get_by_role("button", name="Continue").click()

    expect(last_answer(page)).to_contain_text("and more")


def test_a_failed_answer_says_why_and_retry_asks_again(visitor: Visitor) -> None:
    page = visitor.open()
    say(page, "@@text half\n@@fail provider_refused The provider refused the key.")
    expect(last_answer(page).get_by_text("The provider refused the key.")).to_be_visible()
    first = visitor.server.client().messages(session_id_of(page))[-1]["run_id"]

    page.get_by_role("button", name="Retry").click()

    expect(last_answer(page).get_by_text("The provider refused the key.")).to_be_visible()
    expect(page.get_by_role("article", name=ANSWER)).to_have_count(1)
    assert visitor.server.client().messages(session_id_of(page))[-1]["run_id"] != first


def test_thinking_and_tools_are_lines_that_open(visitor: Visitor) -> None:
    page = visitor.open()
    say(page, '@@think A quiet thought\n@@tool list_files {"path": "."}\n@@result README.md\n@@text Done.')
    expect(last_answer(page)).to_contain_text("Done.")

    last_answer(page).get_by_text("Thought").click()
    last_answer(page).get_by_text("list_files").click()

    expect(last_answer(page).get_by_text("A quiet thought")).to_be_visible()
    expect(last_answer(page).get_by_text("README.md")).to_be_visible()


def test_enter_during_an_answer_keeps_the_text_and_says_so(visitor: Visitor) -> None:
    page = visitor.open()
    say(page, "@@text begun\n@@hang")
    expect(last_answer(page)).to_contain_text("begun")

    page.get_by_role("textbox", name="Message").fill("next thought")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Your text is kept.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Message")).to_have_value("next thought")
    page.get_by_role("button", name="Stop").click()
    expect(last_answer(page).get_by_text("Stopped.")).to_be_visible()


def test_a_draft_survives_a_reload(visitor: Visitor) -> None:
    page = visitor.open()
    page.get_by_role("textbox", name="Message").fill("half a thought")

    page.reload()

    expect(page.get_by_role("textbox", name="Message")).to_have_value("half a thought")


def test_a_word_chosen_with_enter_in_an_input_method_is_not_sent(visitor: Visitor) -> None:
    page = visitor.open()
    box = page.get_by_role("textbox", name="Message")
    box.fill("天")

    box.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True, "cancelable": True})

    expect(box).to_have_value("天")
    expect(page.get_by_role("article")).to_have_count(0)


def test_what_is_read_does_not_move_while_more_is_written(visitor: Visitor) -> None:
    page = visitor.open()
    say(page, "@@pace 0.01\n@@repeat 300 a line of the answer\\n\\n\n@@text the end")
    page.get_by_text("a line of the answer").nth(60).wait_for()
    page.mouse.move(640, 300)
    page.mouse.wheel(0, -600)
    page.wait_for_function("() => document.querySelector('button.jump') !== null")
    read = page.get_by_text("a line of the answer").nth(30)
    before = read.bounding_box()

    page.get_by_text("the end", exact=True).wait_for()

    assert read.bounding_box() == before
    page.get_by_role("button", name="Jump to the latest").click()
    expect(page.get_by_text("the end", exact=True)).to_be_in_viewport()


def test_a_message_that_the_server_does_not_take_comes_back_to_the_composer(visitor: Visitor) -> None:
    page = visitor.open()
    page.route("**/api/chat/start", lambda route: route.abort())

    say(page, "precious words")

    expect(page.get_by_role("textbox", name="Message")).to_have_value("precious words")
    expect(page.get_by_text("Fireside does not answer.")).to_be_visible()
    page.unroute("**/api/chat/start")
    page.get_by_role("button", name="Send").click()
    expect(last_answer(page)).to_contain_text("precious words")


def test_a_message_whose_acceptance_got_lost_is_not_sent_twice(visitor: Visitor) -> None:
    page = visitor.open()
    say(page, "first")
    expect(last_answer(page)).to_contain_text("first")

    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/api/chat/start", lose_the_answer, times=1)
    say(page, "only once")

    expect(last_answer(page)).to_contain_text("only once")
    expect(page.get_by_role("textbox", name="Message")).to_have_value("")
    told = visitor.server.client().messages(session_id_of(page))
    assert [m["content"] for m in told if m["role"] == "user"] == ["first", "only once"]


def test_the_phone_has_the_sessions_in_a_drawer(visitor: Visitor) -> None:
    page = visitor.open(context=visitor.new_context(viewport=PHONE))
    say(page, "@@text small screen")
    expect(last_answer(page)).to_contain_text("small screen")

    page.get_by_role("button", name="Show sessions").click()
    drawer = page.get_by_role("dialog", name="Sessions")
    expect(drawer.get_by_role("link", name="@@text small screen").first).to_be_visible()
    drawer.get_by_role("link", name="New chat").last.click()

    expect(drawer).to_be_hidden()
    expect(page.get_by_role("heading", name="What shall we talk about?")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_a_restarted_server_gives_the_conversation_back(tmp_path: Path, visitor: Visitor) -> None:
    with ServerProcess(tmp_path / "state") as server:
        server.port = int(server.address.rpartition(":")[2])
        server.client().post("/api/models/default", model="scripted/script")
        visitor.server = server
        page = visitor.open()
        say(page, "@@text before the storm\n@@hang")
        expect(last_answer(page)).to_contain_text("before the storm")

        server.kill()
        expect(page.get_by_text("Fireside is not answering.").first).to_be_attached()
        server.start()

        expect(page.get_by_text("Fireside is not answering.")).to_have_count(0, timeout=20_000)
        expect(page.get_by_role("button", name="Continue")).to_be_visible()
        expect(last_answer(page)).to_contain_text("before the storm")
