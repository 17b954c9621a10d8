"""Finding what was said: in all conversations, and in the one that is open."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit
from tests.browser.devices import PHONE, PHONE_LIGHT, on, on_both
from tests.browser.documents import write_session
from tests.browser.tab import Tab
from tests.browser.test_for_everyone import serious
from tests.serving import Client

LONG = 400
NEEDLE = 41


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("house") / "state"
    sessions = state / "sessions"
    texts = [f"Line {number} of a long talk.\n\nIt goes on for a while." for number in range(LONG)]
    texts[NEEDLE] = "Here the **marmalade** was first named."
    texts[LONG - 3] = "And here is marmalade again."
    write_session(sessions, "A very long talk", messages=texts, days_ago=1)
    write_session(sessions, "Marmalade recipes", messages=["How much sugar?", "As much as fruit."], days_ago=2)
    write_session(
        sessions, "Kept in mind", messages=["quince", "quince jelly"], days_ago=3, pinned=True, tags=["fruit"]
    )
    write_session(sessions, "Put away", messages=["quince", "quince pie"], days_ago=4, archived=True)
    return state


@pytest.fixture(scope="module", autouse=True)
def _indexed(client: Client, server: object) -> None:
    """What lies on the disk is read in the background after the start."""
    while not client.get("/api/sessions/search", q="jelly")["results"] or client.get("/api/sessions")["indexing"]:
        pass


def field(tab: Tab) -> Locator:
    return tab.page.get_by_role("searchbox", name="Find", exact=True)


def results(tab: Tab) -> Locator:
    return tab.page.get_by_role("region", name="What was found")


def find(tab: Tab, query: str) -> None:
    tab.open_sessions()
    field(tab).fill(query)


def in_view(tab: Tab, text: str) -> None:
    expect(tab.thread.get_by_text(text)).to_be_in_viewport()


def marked(tab: Tab) -> list[str]:
    """The words that are marked in the conversation, those of the shown message first."""
    return tab.page.evaluate(
        "['found-here', 'found'].flatMap((name) => [...(CSS.highlights.get(name) ?? [])].map(String))"
    )


def test_titles_come_first_then_messages_with_the_words_marked(tab: Tab) -> None:
    tab.page.keyboard.press("Control+Shift+F")
    expect(field(tab)).to_be_focused()

    tab.page.keyboard.type("marma")

    expect(results(tab).get_by_role("heading")).to_have_text(["Titles", "Messages"])
    expect(results(tab).get_by_role("link").first).to_have_text("Marmalade recipes")
    expect(results(tab).get_by_role("link", name=re.compile("^Answer: Here the"))).to_be_visible()
    expect(results(tab).locator("mark").first).to_have_text("Marma")
    assert serious(tab.page) == []


def test_the_arrows_lead_from_the_field_to_the_results_and_back(tab: Tab) -> None:
    field(tab).fill("marmalade")
    expect(results(tab).get_by_role("link")).to_have_count(4)

    tab.page.keyboard.press("ArrowDown")
    expect(results(tab).get_by_role("link").first).to_be_focused()
    tab.page.keyboard.press("ArrowUp")
    expect(field(tab)).to_be_focused()

    results(tab).get_by_role("link", name=re.compile("first named")).press("Enter")
    in_view(tab, "was first named")


@on_both
def test_a_result_opens_at_the_very_message_and_the_search_goes_on_from_there(tab: Tab) -> None:
    find(tab, "marmalade")
    expect(results(tab).get_by_role("link")).to_have_count(4)

    tab.touch(results(tab).get_by_role("link", name=re.compile("first named")))

    expect(tab.drawer).to_have_count(0)
    in_view(tab, "was first named")
    tab.page.wait_for_function("() => CSS.highlights.get('found-here')?.size === 1")
    assert marked(tab)[0] == "marmalade"
    bar = tab.page.get_by_role("search", name="Find in this conversation")
    expect(bar.get_by_role("status")).to_have_text("1 of 2")
    assert serious(tab.page) == []

    tab.touch(bar.get_by_role("button", name="Later match"))
    in_view(tab, "marmalade again")
    expect(bar.get_by_role("status")).to_have_text("2 of 2")

    tab.touch(bar.get_by_role("button", name="Close the search"))
    expect(bar).to_have_count(0)
    assert marked(tab) == []
    assert "#" not in tab.page.url


def test_an_address_of_a_message_leads_there_after_a_reload_and_one_can_scroll_both_ways(tab: Tab) -> None:
    tab.open_session(f"old-a-very-long-talk#message=msg-{NEEDLE}")
    in_view(tab, "was first named")
    tab.page.reload()
    in_view(tab, "was first named")

    tab.thread.focus()
    tab.page.keyboard.press("PageDown")
    expect(tab.thread.get_by_text(f"Line {NEEDLE + 6} of", exact=False)).to_be_in_viewport()
    tab.thread.evaluate("node => (node.scrollTop = 0)")
    expect(tab.thread.get_by_text(f"Line {NEEDLE - 20} of", exact=False)).to_be_attached()

    tab.button("Jump to the latest").click()
    in_view(tab, f"Line {LONG - 1} of")


@on_both
def test_a_message_sent_from_far_above_goes_to_the_end(visit: Visit, client: Client) -> None:
    tab = visit("/")
    expect(tab.composer).to_be_visible()
    tab.open_session(f"old-a-very-long-talk#message=msg-{NEEDLE}")
    in_view(tab, "was first named")

    tab.send("One more thing")

    expect(tab.said.last).to_have_text("One more thing")
    tab.wait_for_answer()
    expect(tab.said.last).to_be_in_viewport()
    client.post("/api/session/undo", session_id="old-a-very-long-talk")


def test_escape_empties_the_field_and_goes_back_to_the_composer(tab: Tab) -> None:
    expect(tab.composer).to_be_focused()
    tab.page.keyboard.type("half a thought")
    tab.page.keyboard.press("Control+Shift+F")
    tab.page.keyboard.type("quince")
    expect(results(tab).get_by_role("link").first).to_be_visible()

    tab.page.keyboard.press("Escape")

    expect(tab.composer).to_be_focused()
    expect(tab.composer).to_have_value("half a thought")
    expect(results(tab)).to_have_count(0)
    expect(tab.row("A very long talk")).to_be_visible()
    tab.composer.fill("")


@on_both
def test_chips_narrow_what_is_found(tab: Tab) -> None:
    find(tab, "quince")
    titles = results(tab).locator("a.title")
    expect(titles).to_have_count(2)

    for chip, left in (("Pinned", "Kept in mind"), ("Archived", "Put away"), ("#fruit", "Kept in mind")):
        button = results(tab).get_by_role("button", name=chip, exact=True)
        tab.touch(button)
        expect(titles).to_have_count(1)
        expect(titles).to_contain_text(left)
        expect(button).to_have_attribute("aria-pressed", "true")
        tab.touch(button)
        expect(titles).to_have_count(2)


@on_both
def test_nothing_found_and_a_search_that_fails_say_so(tab: Tab) -> None:
    find(tab, "zzzz")
    expect(results(tab)).to_contain_text("Nothing was found for “zzzz”.")

    tab.watch.allow("status of 500")
    tab.page.route("**/api/sessions/search*", lambda route: route.fulfill(status=500, json={"error": "It broke."}))
    field(tab).fill("quince")
    expect(results(tab)).to_contain_text("It broke.")
    tab.page.unroute("**/api/sessions/search*")
    tab.touch(results(tab).get_by_role("button", name="Try again"))
    expect(results(tab).get_by_role("link").first).to_be_visible()


@on_both
def test_whatever_is_looked_for_is_answered_with_results_or_a_sentence(tab: Tab) -> None:
    for query in ('"', "AND OR NOT", "NEAR(quince", "quince*) OR (", "title:quince -", "* ^ + {}", "x" * 10_000):
        find(tab, query)
        expect(results(tab).locator(".instead, a").first, query[:20]).to_be_visible()
    find(tab, "quince")
    expect(results(tab).get_by_role("link").first).to_be_visible()


@on_both
def test_the_open_conversation_is_searched_whole(tab: Tab) -> None:
    tab.open_session("old-a-very-long-talk")
    if tab.phone:
        tab.button("Find in this conversation").tap()
    else:
        tab.composer.focus()
        tab.page.keyboard.press("Control+g")
    sought = tab.page.get_by_role("searchbox", name="Find in this conversation")
    expect(sought).to_be_focused()

    tab.page.keyboard.type("marmalade")
    status = tab.page.get_by_role("search", name="Find in this conversation").get_by_role("status")
    expect(status).to_have_text("2 of 2")
    in_view(tab, "marmalade again")
    tab.page.keyboard.press("Enter")
    expect(status).to_have_text("1 of 2")
    in_view(tab, "was first named")

    sought.fill("nowhere-said")
    expect(status).to_have_text("Not found")
    tab.page.keyboard.press("Escape")
    expect(sought).to_have_count(0)
    if not tab.phone:
        expect(tab.composer).to_be_focused()


@on(PHONE_LIGHT, PHONE)
def test_a_phone_finds_in_its_drawer(tab: Tab) -> None:
    tab.page.emulate_media(reduced_motion="reduce")
    tab.open_sessions()
    field(tab).tap()
    field(tab).fill("marmalade")
    link = results(tab).get_by_role("link", name=re.compile("first named"))
    expect(link).to_be_visible()
    assert serious(tab.page) == []

    link.tap()

    expect(tab.page.get_by_role("dialog", name="Sessions")).to_have_count(0)
    in_view(tab, "was first named")
    assert serious(tab.page) == []
