"""The column of sessions: found by date, named, pinned, put away and brought back."""

import re
import time
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import MODEL
from tests.browser.devices import PHONE, on, on_both
from tests.browser.documents import DAY_S, write_session
from tests.browser.tab import Tab
from tests.serving import Client

pytestmark = pytest.mark.usefixtures("tidy")

LONG_AGO_DAYS = 40
MANY = 130


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("house") / "state"
    sessions = state / "sessions"
    write_session(sessions, "Kept at the top", days_ago=3, pinned=True)
    write_session(sessions, "From this morning")
    write_session(sessions, "From the day before", days_ago=1)
    write_session(sessions, "From last week", days_ago=4)
    for number in range(MANY):
        write_session(sessions, f"Old one {number}", days_ago=LONG_AGO_DAYS + number / 10_000)
    return state


def month_of(days_ago: int) -> str:
    then = datetime.fromtimestamp(time.time() - days_ago * DAY_S)
    return then.strftime("%B") if then.year == datetime.now().year else then.strftime("%B %Y")


def new_session(client: Client, title: str) -> str:
    session_id = client.new_session()
    client.answer(session_id, title, model=MODEL)
    return session_id


def title_of(client: Client, session_id: str) -> str:
    return client.get("/api/session", session_id=session_id, messages=0)["session"]["title"]


@on_both
def test_sessions_stand_under_their_dates_with_the_pinned_ones_first(tab: Tab) -> None:
    tab.open_sessions()
    headings = tab.sessions.get_by_role("listitem").get_by_role("heading")

    expect(headings).to_have_text(["Pinned", "Today", "Yesterday", "Previous 7 days", month_of(LONG_AGO_DAYS)])
    for place, title in enumerate(["Kept at the top", "From this morning", "From the day before", "From last week"]):
        expect(tab.rows.nth(place)).to_have_text(title)


@on_both
def test_scrolling_to_the_end_finds_the_oldest_session(tab: Tab) -> None:
    tab.open_sessions()
    expect(tab.row("From this morning")).to_be_visible()
    # The list knows its height from what was loaded, and loads more near its end: so the end comes in steps.
    while not (oldest := tab.row(f"Old one {MANY - 1}")).count():
        last = tab.rows.last
        before = last.text_content() or ""
        last.scroll_into_view_if_needed()
        expect(tab.rows.last).not_to_have_text(before)
    oldest.scroll_into_view_if_needed()
    expect(oldest).to_be_visible()


@on_both
def test_a_session_is_pinned_and_unpinned(tab: Tab, client: Client) -> None:
    new_session(client, "Worth keeping")
    row = tab.row("Worth keeping")

    with tab.page.expect_response("**/api/session/pin"):
        tab.do("Worth keeping", "Pin")
    expect(tab.rows.nth(0)).to_have_text("Worth keeping")
    assert client.get("/api/sessions")["counts"]["pinned"] == 2

    tab.do("Worth keeping", "Unpin")
    expect(tab.rows.nth(0)).to_have_text("Kept at the top")
    expect(row).to_be_visible()


def test_a_session_is_renamed_where_it_stands_by_keyboard(tab: Tab, client: Client) -> None:
    session_id = new_session(client, "First name")
    field = tab.page.get_by_role("textbox", name="New title")
    tab.row("First name").focus()

    tab.page.keyboard.press("F2")
    expect(field).to_be_focused()
    expect(field).to_have_value("First name")
    tab.page.keyboard.type("Never mind")
    tab.page.keyboard.press("Escape")
    expect(tab.row("First name")).to_be_focused()

    tab.page.keyboard.press("F2")
    expect(field).to_be_focused()
    tab.page.keyboard.type("Second name")
    new_session(client, "Begun meanwhile")
    expect(tab.row("Begun meanwhile")).to_be_visible()
    expect(field).to_have_value("Second name")
    with tab.page.expect_response("**/api/session/rename"):
        tab.page.keyboard.press("Enter")
    expect(tab.row("Second name")).to_be_focused()
    expect(tab.row("First name")).to_have_count(0)
    tab.page.reload()
    expect(tab.row("Second name")).to_be_visible()
    assert title_of(client, session_id) == "Second name"


@on_both
def test_an_archived_session_comes_back_by_undo_and_from_the_archive(tab: Tab, client: Client) -> None:
    new_session(client, "Done with it")

    tab.do("Done with it", "Archive")
    expect(tab.row("Done with it")).to_have_count(0)
    tab.touch(tab.toast("Archived “Done with it”.").get_by_role("button", name="Undo"))
    expect(tab.row("Done with it")).to_be_visible()

    tab.do("Done with it", "Archive")
    expect(tab.row("Done with it")).to_have_count(0)
    tab.touch(tab.button("Archived"))
    expect(tab.rows).to_have_text(["Done with it"])
    tab.do("Done with it", "Move to sessions")
    expect(tab.rows).to_have_count(0)
    tab.touch(tab.button("Back to sessions"))
    expect(tab.row("Done with it")).to_be_visible()


@on_both
def test_a_deleted_session_is_gone_until_undo(tab: Tab, client: Client) -> None:
    session_id = new_session(client, "Regretted")
    tab.open_session(session_id)

    tab.do("Regretted", "Delete")
    expect(tab.row("Regretted")).to_have_count(0)
    expect(tab.page.get_by_role("heading", name="What shall we talk about?")).to_be_visible()
    tab.touch(tab.toast("Deleted “Regretted”.").get_by_role("button", name="Undo"))
    tab.open_row("Regretted")
    expect(tab.said).to_have_text("Regretted")

    with tab.page.expect_response("**/api/session/delete"):
        tab.do("Regretted", "Delete")
    expect(tab.row("Regretted")).to_have_count(0)
    tab.watch.allow("status of 404")
    tab.go(f"/s/{session_id}")
    expect(tab.page.get_by_text("There is no such conversation.")).to_be_visible()


@on_both
def test_another_tab_sees_a_new_session_its_dot_and_its_names(tab: Tab, client: Client) -> None:
    tab.open_sessions()
    session_id = client.new_session()
    started = client.start(session_id, "Seen from elsewhere\n@@text Begun.\n@@hang")
    running = tab.rows.filter(has_text="Seen from elsewhere")
    expect(running).to_have_accessible_name(re.compile("is answering"))

    client.post("/api/chat/cancel", stream_id=started["stream_id"])
    expect(running).not_to_have_accessible_name(re.compile("is answering"))

    client.post("/api/session/rename", session_id=session_id, title="Renamed elsewhere")
    expect(tab.row("Renamed elsewhere")).to_be_visible()
    client.post("/api/session/delete", session_id=session_id)
    expect(tab.row("Renamed elsewhere")).to_have_count(0)


def test_the_arrows_move_through_the_list_as_one_stop_of_the_tab_key(tab: Tab) -> None:
    expect(tab.rows.first).to_be_visible()
    tab.sessions.get_by_role("link", name="New chat").focus()

    tab.page.keyboard.press("Tab")
    expect(tab.page.get_by_role("searchbox", name="Find", exact=True)).to_be_focused()
    expect(tab.button("Pinned")).to_be_visible()
    first = tab.rows.nth(0)
    for _ in range(12):  # past the filters
        tab.page.keyboard.press("Tab")
        if first.evaluate("row => row === document.activeElement"):
            break
    expect(first).to_be_focused()
    tab.page.keyboard.press("ArrowDown")
    expect(tab.rows.nth(1)).to_be_focused()
    tab.page.keyboard.press("End")
    expect(tab.sessions.locator(":focus")).to_have_text(re.compile(r"^\s*Old one"))
    tab.page.keyboard.press("Home")
    expect(tab.rows.nth(0)).to_be_focused()
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("heading", name="Kept at the top")).to_be_visible()


@on(PHONE)
def test_sessions_are_a_drawer_on_a_phone(tab: Tab) -> None:
    drawer = tab.drawer
    expect(drawer).to_have_count(0)

    tab.button("Show sessions").tap()
    expect(drawer).to_be_visible()
    tab.button("Hide sessions").tap()
    expect(drawer).to_have_count(0)

    tab.button("Show sessions").tap()
    tab.row("From last week").tap()
    expect(drawer).to_have_count(0)
    expect(tab.page.get_by_role("heading", name="From last week")).to_be_visible()
    expect(tab.said).to_have_text("A question")


def test_the_column_is_hidden_and_stays_so(tab: Tab) -> None:
    tab.button("Hide sessions").click()
    expect(tab.sessions).to_have_count(0)

    tab.page.reload()
    expect(tab.composer).to_be_visible()
    expect(tab.sessions).to_have_count(0)

    tab.button("Show sessions").click()
    expect(tab.row("From this morning")).to_be_visible()
