"""Reading while an answer grows: what is being read never moves."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit
from tests.browser.devices import on_both
from tests.browser.documents import write_session
from tests.browser.tab import Tab

LONG = 200
TOP = "node => node.getBoundingClientRect().top"

UNTIL_STILL = """async (view) => {
    const frame = () => new Promise(requestAnimationFrame);
    for (let top = NaN; top !== view.scrollTop; await frame(), await frame()) top = view.scrollTop;
}"""


def growing(title: str, paragraphs: int) -> str:
    """A message that is answered at length, a word at a time."""
    text = "\\n\\n".join(f"Paragraph {n}: about nothing in particular, at some length." for n in range(paragraphs))
    return f"{title}\n@@pace 0.002\n@@text {text}"


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("house") / "state"
    messages = [f"Message number {n}\n\n" + "It has a second paragraph. " * (n % 7) for n in range(LONG)]
    write_session(state / "sessions", "A long one", messages=messages)
    return state


def place_of(tab: Tab, node: Locator) -> tuple[float, float]:
    """Where a thing stands on the screen, and how far the conversation is scrolled, in pixels."""
    top = node.evaluate(TOP)
    return round(top, 1), round(tab.thread.evaluate("view => view.scrollTop"), 1)


def from_end(tab: Tab) -> float:
    return tab.thread.evaluate("view => view.scrollHeight - view.scrollTop - view.clientHeight")


def grow(tab: Tab, words: int = 150) -> None:
    """Wait until the answer has grown by so many words."""
    tab.wait_for_words(len(tab.words_shown()) + words)


@on_both
def test_the_view_follows_the_end_and_never_moves_what_is_read_above(tab: Tab) -> None:
    tab.send(growing("A long walk", 400))
    tab.wait_for_words(400)
    expect(tab.button("Jump to the latest")).to_have_count(0)
    assert from_end(tab) < 60

    scroll_up(tab, 600)
    read = tab.answer.get_by_text("Paragraph 12:")
    before = place_of(tab, read)
    grow(tab)
    assert place_of(tab, read) == before
    expect(tab.answer).to_have_attribute("aria-busy", "true")

    tab.touch(tab.button("Jump to the latest"))
    expect(tab.button("Jump to the latest")).to_have_count(0)
    grow(tab, 60)
    assert from_end(tab) < 60
    tab.touch(tab.button("Stop"))
    tab.wait_for_answer()


def test_what_is_read_stays_when_the_answer_ends(tab: Tab) -> None:
    tab.send(growing("Nearly done", 120))
    tab.wait_for_words(400)
    scroll_up(tab, 500)
    read = tab.answer.get_by_text("Paragraph 30:")
    before = place_of(tab, read)

    tab.wait_for_answer()

    assert place_of(tab, read) == before


@on_both
def test_older_messages_come_in_above_without_a_jump(visit: Visit) -> None:
    tab = visit("/s/old-a-long-one")
    newest = tab.answers.last
    expect(newest).to_contain_text(f"Message number {LONG - 1}")
    assert from_end(tab) < 2
    let_go = tab.hold("**/api/session?*msg_before*")
    first = entries(tab).first
    top = first.text_content()
    with tab.page.expect_request("**/api/session?*msg_before*"):
        tab.thread.hover()
        tab.page.mouse.wheel(0, -100_000)
    expect(first).to_be_in_viewport()
    read = entries(tab).nth(2).element_handle()
    before = read.evaluate(TOP)

    let_go()
    expect(entries(tab).first).not_to_have_text(top or "")

    assert abs(read.evaluate(TOP) - before) < 1  # less than a pixel, which scrolling cannot settle


def test_scrolling_up_reaches_the_first_message_of_a_long_conversation(visit: Visit) -> None:
    tab = visit("/s/old-a-long-one")
    expect(tab.answers.last).to_contain_text(f"Message number {LONG - 1}")
    loaded = entries(tab).count()
    assert loaded < LONG

    while entries(tab).count() < LONG:
        before = entries(tab).count()
        tab.thread.evaluate("view => { view.scrollTop = 0 }")
        tab.page.wait_for_function(COUNT_ABOVE, arg=before)

    numbers = [re.findall(r"number (\d+)", text) for text in entries(tab).all_text_contents()]
    assert numbers == [[str(number)] for number in range(LONG)]


COUNT_ABOVE = "(before) => document.querySelectorAll('[role=region] article').length > before"


def entries(tab: Tab) -> Locator:
    return tab.thread.get_by_role("article")


def scroll_up(tab: Tab, pixels: int) -> None:
    """As with a wheel or a finger, by hand, until it stands still."""
    tab.thread.hover()
    tab.page.mouse.wheel(0, -pixels)
    expect(tab.button("Jump to the latest")).to_be_visible()
    tab.thread.evaluate(UNTIL_STILL)
