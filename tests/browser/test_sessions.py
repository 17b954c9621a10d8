"""The column of sessions: everything in it by keyboard, and nothing lost by a slip."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visitor

pytestmark = pytest.mark.browser


@pytest.fixture
def page(visitor: Visitor) -> Page:
    client = visitor.server.client()
    for row in client.get("/api/sessions", limit=200)["sessions"]:
        client.post("/api/session/delete", session_id=row["session_id"])
    for title in ("first", "second", "third"):
        client.answer(client.new_session(), title)
    return visitor.open()


def rows(page: Page) -> list[str]:
    return page.get_by_role("navigation").locator("a[data-session] .title").all_inner_texts()


def link(page: Page, title: str) -> Locator:
    return page.get_by_role("navigation").get_by_role("link", name=title)


def test_the_newest_stands_first_and_the_arrows_walk_through_the_list(page: Page) -> None:
    expect(link(page, "third")).to_be_visible()
    assert rows(page) == ["third", "second", "first"]

    link(page, "third").focus()
    page.keyboard.press("ArrowDown")
    expect(link(page, "second")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("first")
    expect(link(page, "first")).to_have_attribute("aria-current", "page")


def test_f2_renames_in_place_and_escape_leaves_the_name(page: Page) -> None:
    link(page, "second").focus()
    page.keyboard.press("F2")
    expect(page.get_by_role("textbox", name="New title")).to_be_focused()
    page.keyboard.type("never")
    page.keyboard.press("Escape")
    expect(link(page, "second")).to_be_focused()

    page.keyboard.press("F2")
    page.keyboard.type("renamed")
    page.keyboard.press("Enter")

    expect(link(page, "renamed")).to_be_focused()
    page.reload()
    expect(link(page, "renamed")).to_be_visible()
    expect(link(page, "never")).to_have_count(0)


def test_a_pinned_session_stands_above_the_others(page: Page) -> None:
    link(page, "first").focus()
    page.keyboard.press("Shift+F10")
    page.get_by_role("menuitem", name="Pin").click()

    expect(page.get_by_role("heading", name="Pinned")).to_be_visible()
    assert rows(page) == ["first", "third", "second"]


def test_deleting_asks_nothing_and_can_be_undone(page: Page) -> None:
    link(page, "second").focus()
    page.keyboard.press("Delete")
    expect(link(page, "second")).to_have_count(0)
    expect(link(page, "first")).to_be_focused()

    page.get_by_role("button", name="Undo").click()

    expect(link(page, "second")).to_be_visible()
    assert rows(page) == ["third", "second", "first"]


def test_what_is_archived_lies_on_its_own_shelf_and_comes_back(page: Page) -> None:
    link(page, "second").hover()
    page.get_by_role("button", name="Actions for “second”").click()
    page.get_by_role("menuitem", name="Archive").click()
    expect(link(page, "second")).to_have_count(0)

    page.get_by_role("button", name="Archived").click()
    expect(link(page, "second")).to_be_visible()
    link(page, "second").hover()
    page.get_by_role("button", name="Actions for “second”").click()
    page.get_by_role("menuitem", name="Move to sessions").click()
    page.get_by_role("button", name="Back to sessions").click()

    expect(link(page, "second")).to_be_visible()


def test_what_another_tab_does_is_seen_at_once(page: Page, visitor: Visitor) -> None:
    other = visitor.open()
    expect(link(other, "second")).to_be_visible()
    link(page, "second").focus()

    page.keyboard.press("Delete")

    expect(link(other, "second")).to_have_count(0)


def test_a_running_session_has_a_live_dot(page: Page, visitor: Visitor) -> None:
    client = visitor.server.client()
    started = client.start(client.new_session(), "@@hang")

    expect(link(page, "is answering")).to_be_visible()
    client.post("/api/chat/cancel", stream_id=started["stream_id"])

    expect(link(page, "is answering")).to_have_count(0)


def test_deleting_the_open_session_leads_to_a_new_chat(page: Page) -> None:
    link(page, "third").click()
    expect(page).to_have_url(re.compile("/s/"))

    link(page, "third").focus()
    page.keyboard.press("Delete")

    expect(page.get_by_role("heading", name="What shall we talk about?")).to_be_visible()
