"""What is typed and not sent: kept by the server, shared by all windows, and never lost or back again."""

import re
import signal
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import MODEL, Visit
from tests.browser.devices import on_both
from tests.browser.tab import Tab
from tests.browser.test_for_everyone import serious
from tests.browser.watch import AWAY
from tests.serving import Client, ServerProcess

ELSEWHERE = re.compile("^Another window changed this draft")


def conversation(tab: Tab, client: Client) -> str:
    session_id = client.new_session()
    client.answer(session_id, "Hello", model=MODEL)
    tab.open_session(session_id)
    expect(tab.answers).to_have_count(1)
    return session_id


def kept(client: Client, session_id: str) -> str:
    return client.get("/api/session/draft", session_id=session_id)["text"]


def write(tab: Tab, text: str) -> None:
    """Type, and wait until the server has it."""

    def has_it(answer: Any) -> bool:
        return answer.request.method == "POST" and answer.request.post_data_json["text"].endswith(text)

    with tab.page.expect_response(lambda one: one.url.endswith("/api/session/draft") and has_it(one)):
        tab.composer.press_sequentially(text)


def test_a_draft_is_there_after_a_reload_in_another_browser_and_after_a_kill(
    tab: Tab, visit: Visit, client: Client, server: ServerProcess
) -> None:
    session_id = conversation(tab, client)
    write(tab, "Half a thought")
    tab.page.reload()
    expect(tab.composer).to_have_value("Half a thought")
    assert tab.page.evaluate("Object.keys(localStorage).filter((key) => key.includes('draft'))") == []

    tab.watch.allow(AWAY)
    server.kill()
    server.start()

    expect(visit(f"/s/{session_id}").composer).to_have_value("Half a thought")


def test_another_tab_shows_what_is_typed_and_what_is_sent_goes_from_both_for_good(tab: Tab, client: Client) -> None:
    session_id = conversation(tab, client)
    other = tab.twin(f"/s/{session_id}")
    expect(other.answers).to_have_count(1)
    other.model_chip.focus()
    write(tab, "Shared")
    expect(other.composer).to_have_value("Shared")
    expect(other.model_chip).to_be_focused()
    write(other, ", and gone on with")
    expect(tab.composer).to_have_value("Shared, and gone on with")

    tab.submit()
    expect(tab.said).to_have_count(2)

    expect(other.composer).to_have_value("")
    tab.wait_for_answer()
    for one in (tab, other):
        one.page.reload()
        expect(one.said).to_have_count(2)
        expect(one.composer).to_have_value("")
    assert kept(client, session_id) == ""


@on_both
def test_what_two_tabs_type_at_once_is_shown_and_neither_is_lost(tab: Tab, client: Client) -> None:
    session_id = conversation(tab, client)
    other = tab.twin(f"/s/{session_id}")
    expect(other.answers).to_have_count(1)
    let_go = other.hold("**/api/session/draft")
    other.composer.press_sequentially("Typed there")
    write(tab, "Typed here")
    let_go()

    question = other.page.get_by_role("group", name=ELSEWHERE)
    expect(question).to_contain_text("Typed here")
    expect(other.composer).to_have_value("Typed there")
    assert serious(other.page) == []
    other.touch(question.get_by_role("button", name="Keep both"))

    expect(question).to_have_count(0)
    expect(other.composer).to_be_focused()
    for one in (tab, other):
        expect(one.composer).to_have_value("Typed there\n\nTyped here")


def test_what_is_typed_while_the_server_is_away_is_put_there_when_it_is_back(
    tab: Tab, client: Client, server: ServerProcess
) -> None:
    tab.watch.allow(AWAY)
    session_id = conversation(tab, client)
    server.stop(signal.SIGINT)
    tab.composer.press_sequentially("Typed alone")
    expect(tab.button("Try now")).to_be_visible()
    tab.new_chat()
    expect(tab.composer).to_have_value("")

    with tab.page.expect_response(lambda one: one.request.method == "POST" and one.url.endswith("/session/draft")):
        server.start()

    assert kept(client, session_id) == "Typed alone"


@on_both
def test_each_conversation_has_its_own_draft_and_going_elsewhere_keeps_it(tab: Tab, client: Client) -> None:
    first = conversation(tab, client)
    tab.composer.press_sequentially("For the first")
    second = conversation(tab, client)
    expect(tab.composer).to_have_value("")
    tab.composer.press_sequentially("For the second")

    tab.page.go_back()
    expect(tab.composer).to_have_value("For the first")
    tab.page.go_forward()
    expect(tab.composer).to_have_value("For the second")
    tab.page.reload()
    expect(tab.composer).to_have_value("For the second")
    assert (kept(client, first), kept(client, second)) == ("For the first", "For the second")


def test_the_draft_of_a_session_that_is_only_in_memory_outlives_the_server(
    tab: Tab, client: Client, server: ServerProcess, state_dir: Path
) -> None:
    tab.watch.allow(f"{AWAY}|status of 404")
    session_id = client.new_session()
    tab.go(f"/s/{session_id}")
    expect(tab.thread).to_be_visible()
    write(tab, "Begun")
    assert not list((state_dir / "drafts").glob(f"{session_id}*"))
    server.kill()
    server.start()

    tab.button("Start a new one").click()

    expect(tab.composer).to_have_value("Begun")


def test_what_is_typed_in_the_middle_of_a_draft_stands_there(tab: Tab) -> None:
    tab.composer.press_sequentially("Begun, ended")
    for _ in " ended":
        tab.composer.press("ArrowLeft")
    tab.composer.press_sequentially(" gone on,")
    expect(tab.composer).to_have_value("Begun, gone on, ended")


def test_typing_does_not_wait_for_the_server(tab: Tab, client: Client) -> None:
    session_id = conversation(tab, client)
    let_go = tab.hold("**/api/session/draft")
    tab.composer.press_sequentially("One")
    tab.composer.press_sequentially(" and two")
    expect(tab.composer).to_have_value("One and two")
    let_go()

    other = tab.twin(f"/s/{session_id}")

    expect(other.composer).to_have_value("One and two")


def test_what_is_typed_in_the_very_moment_of_leaving_is_kept(tab: Tab, visit: Visit, client: Client) -> None:
    session_id = conversation(tab, client)
    tab.composer.evaluate(
        """(field) => {
            field.value = "Last words";
            field.dispatchEvent(new InputEvent("input", { bubbles: true }));
            location.href = "about:blank";
        }"""
    )

    expect(visit(f"/s/{session_id}").composer).to_have_value("Last words")
