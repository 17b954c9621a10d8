"""Two browsers on one server: what is done in one is seen in the other while it goes on, and how long that takes.

Nothing is judged by a clock: each thing has to be seen in the second browser before the first one ends it. The times
are printed. On a desk only: what goes over the wire knows no device.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import MODEL, Visit
from tests.browser.tab import Tab
from tests.browser.test_queue import busy, waiting
from tests.http.conftest import until
from tests.serving import Client

SEE = """([selector, text]) => {
    window.seen = new Promise((resolve) => {
        const look = () => {
            const found = [...document.querySelectorAll(selector)];
            if (!found.some((one) => (one.value || one.textContent).includes(text))) return requestAnimationFrame(look);
            resolve(Date.now());
        };
        look();
    });
}"""


@pytest.fixture
def pair(visit: Visit, client: Client) -> tuple[Tab, Tab]:
    """The same conversation in two browsers, an answer being written in it."""
    here = visit()
    busy(here)
    there = visit(f"/s/{here.session_id}")
    there.wait_for_words(1)
    return here, there


def told(there: Tab, what: str, selector: str, text: str, act: Callable[[], None], here: Tab) -> None:
    """Print how long after `act` a text is seen in the other browser."""
    there.page.evaluate(SEE, [selector, text])
    began = here.page.evaluate("Date.now()")
    act()
    print(f"{what} seen in the other browser after {there.page.evaluate('window.seen') - began} ms")


def test_what_waits_and_what_is_typed_is_seen_in_the_other_browser_while_the_answer_is_written(
    pair: tuple[Tab, Tab],
) -> None:
    here, there = pair
    here.composer.fill("next, please")

    told(there, "a waiting message", "li", "next, please", lambda: here.composer.press("Enter"), here)
    here.composer.fill("and the")
    expect(there.composer).to_have_value("and the")
    told(there, "a draft", "textarea", "and then", lambda: here.composer.press("n"), here)
    waits = there.page.get_by_role("button", name="Take out: next, please")
    here.page.evaluate(SEE.replace("!found.some", "found.some"), ["li", "next, please"])
    began = there.page.evaluate("Date.now()")
    waits.click()
    print(f"its end seen after {here.page.evaluate('window.seen') - began} ms")

    expect(waiting(here)).to_have_count(0)
    for one in pair:
        expect(one.button("Stop")).to_be_visible()
    there.button("Stop").click()
    expect(here.wait_for_answer().get_by_text("Stopped.")).to_be_visible()


def test_an_answer_is_seen_in_the_other_browser_as_it_is_written(visit: Visit, client: Client) -> None:
    here = visit()
    here.ask("@@text Ready.")
    there = visit(f"/s/{here.session_id}")
    expect(there.said).to_have_count(1)
    here.composer.fill("@@text Begun.\n@@delay 2\n@@text Over.")

    told(there, "the first word", "article", "Begun.", lambda: here.composer.press("Enter"), here)

    expect(there.answer).to_have_attribute("aria-busy", "true")
    for one in (here, there):
        expect(one.wait_for_answer()).to_contain_text("Over.")


def test_what_arrives_is_unread_in_both_browsers_and_read_in_both_once_it_is_looked_at(
    visit: Visit, client: Client
) -> None:
    here, there = visit(), visit()
    session_id = client.new_session()
    client.answer(session_id, "Elsewhere", model=MODEL)
    for one in (here, there):
        expect(one.row("Elsewhere")).to_be_visible()
    client.post("/api/background", session_id=session_id, prompt="@@text Arrived.", model=MODEL)
    unread = [one.page.get_by_role("link", name=re.compile("^Elsewhere ?, unread$")) for one in (here, there)]
    for row in unread:
        expect(row).to_be_visible()

    here.row("Elsewhere").click()

    for row in unread:
        expect(row).to_have_count(0)


def test_a_tab_that_slept_while_answers_ended_and_began_shows_them_all_once_without_a_reload(
    visit: Visit, client: Client
) -> None:
    tab = visit()
    busy(tab, "@@text Before.\n@@delay 1\n@@text After.")
    session = tab.context.new_cdp_session(tab.page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    client.post("/api/chat/queue", session_id=tab.session_id, message="@@text While it slept.")
    until(lambda: len(client.messages(tab.session_id)) == 4)

    session.send("Page.setWebLifecycleState", {"state": "active"})

    expect(tab.said).to_have_count(2)
    expect(tab.wait_for_answer()).to_contain_text("While it slept.")
    expect(tab.answers).to_have_count(2)
    expect(tab.answers.first).to_contain_text("Before.After.")
    expect(waiting(tab)).to_have_count(0)
