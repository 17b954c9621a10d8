"""Changing what was said: editing, quoting, branching, undoing, and choosing what stands there."""

import re

from playwright.sync_api import Locator, expect

from tests.browser.conftest import MODEL
from tests.browser.devices import PHONE, on, on_both
from tests.browser.tab import Tab
from tests.browser.test_for_everyone import serious
from tests.serving import Client


def opened(tab: Tab, client: Client, *texts: str) -> str:
    session_id = client.new_session()
    for text in texts:
        client.answer(session_id, text, model=MODEL)
    tab.open_session(session_id)
    expect(tab.answers).to_have_count(len(texts))
    return session_id


def editor(tab: Tab) -> Locator:
    return tab.page.get_by_role("textbox", name="Edit message")


def edit(tab: Tab, number: int) -> None:
    tab.press_on(tab.said.nth(number), "Edit")
    expect(editor(tab)).to_be_focused()


def more(tab: Tab, article: Locator, action: str) -> None:
    tab.press_on(article, "More actions")
    tab.pick(action)


def texts_of(client: Client, session_id: str) -> list[str]:
    return [one["content"] for one in client.messages(session_id)]


@on_both
def test_an_edited_message_is_answered_and_the_old_one_can_still_be_read(tab: Tab, client: Client) -> None:
    session_id = opened(tab, client, "First thought", "Second thought")
    edit(tab, 0)
    assert serious(tab.page) == []
    editor(tab).fill("Better thought")
    tab.touch(tab.button("Send again"))

    expect(tab.said).to_have_text(["Better thought"])
    expect(tab.wait_for_answer()).to_contain_text("Better thought")
    assert texts_of(client, session_id) == ["Better thought", "Better thought"]

    versions = tab.page.get_by_role("group", name="Versions")
    expect(versions).to_contain_text("2 of 2")
    tab.touch(versions.get_by_role("button", name="Earlier version"))
    expect(versions).to_contain_text("1 of 2")
    expect(tab.said).to_have_text(["First thought", "Second thought"])
    tab.page.reload()
    expect(tab.said).to_have_text(["First thought", "Second thought"])
    expect(versions).to_contain_text("1 of 2")
    tab.send("Third thought")
    expect(tab.said).to_have_count(3)
    tab.wait_for_answer()
    expect(versions).to_contain_text("1 of 2")
    tab.touch(versions.get_by_role("button", name="Later version"))
    expect(tab.said).to_have_text(["Better thought"])
    assert texts_of(client, session_id) == ["Better thought", "Better thought"]


def test_of_two_answers_either_can_stand_in_the_conversation_and_every_tab_shows_it(tab: Tab, client: Client) -> None:
    session_id = opened(tab, client, "@@flaky 0 500\n@@text An answer.")
    other = tab.twin(f"/s/{session_id}")
    first = client.messages(session_id)[1]["id"]
    tab.press_on(tab.answer, "Retry")
    versions = tab.page.get_by_role("group", name="Versions")

    expect(versions).to_contain_text("2 of 2")
    tab.wait_for_answer()
    tab.touch(versions.get_by_role("button", name="Earlier version"))
    for one in (tab, other):
        expect(one.page.get_by_role("group", name="Versions")).to_contain_text("1 of 2")
        expect(one.answers).to_have_count(1)
    assert client.messages(session_id)[1]["id"] == first
    tab.touch(versions.get_by_role("button", name="Later version"))
    expect(other.page.get_by_role("group", name="Versions")).to_contain_text("2 of 2")


def test_up_in_an_empty_composer_edits_the_last_message_and_escape_leaves_it(tab: Tab, client: Client) -> None:
    opened(tab, client, "One", "Two")
    tab.composer.press("ArrowUp")
    expect(editor(tab)).to_have_value("Two")

    editor(tab).press("Escape")
    expect(editor(tab)).to_have_count(0)
    expect(tab.composer).to_be_focused()

    tab.composer.press("ArrowUp")
    editor(tab).fill("Two and a half")
    editor(tab).press("Enter")
    expect(tab.said).to_have_text(["One", "Two and a half"])
    tab.wait_for_answer()
    expect(tab.composer).to_be_focused()


@on_both
def test_two_tabs_edit_the_same_message_and_nothing_is_lost(tab: Tab, client: Client) -> None:
    session_id = opened(tab, client, "Our message")
    other = tab.twin(f"/s/{session_id}")
    expect(other.said).to_have_text(["Our message"])
    edit(tab, 0)
    edit(other, 0)
    editor(other).fill("Theirs")
    editor(tab).fill("Mine")

    other.touch(other.button("Send again"))
    expect(tab.page.get_by_role("status").filter(has_text="changed in another window")).to_contain_text("Theirs")
    expect(editor(tab)).to_have_value("Mine")
    other.wait_for_answer()
    tab.wait_for_answer()

    tab.touch(tab.button("Send again"))
    expect(tab.said).to_have_text(["Mine"])
    tab.wait_for_answer()
    expect(other.said).to_have_text(["Mine"])
    versions = tab.page.get_by_role("group", name="Versions")
    expect(versions).to_contain_text("3 of 3")
    assert texts_of(client, session_id) == ["Mine", "Mine"]


def test_an_edit_that_was_overtaken_is_refused_shown_and_kept(tab: Tab, client: Client) -> None:
    """The other window's change is told late, so that the server is the first to say so."""
    session_id = opened(tab, client, "Overtaken")
    edit(tab, 0)
    editor(tab).fill("Too late")
    tab.watch.allow("status of 409|ERR_FAILED")
    tab.page.route(re.compile("/api/events"), lambda route: route.abort())
    old = client.messages(session_id)[0]["id"]

    def overtake(route: object) -> None:
        tab.page.unroute(re.compile("/api/chat/edit"))
        started = client.post("/api/chat/edit", session_id=session_id, message_id=old, message="Faster", model=MODEL)
        for _ in client.frames(started["stream_id"]):
            pass
        route.continue_()  # type: ignore[attr-defined]

    tab.page.route(re.compile("/api/chat/edit"), overtake)
    editor(tab).press("Enter")
    expect(tab.page.get_by_role("status").filter(has_text="It now says")).to_contain_text("Faster")
    expect(editor(tab)).to_have_value("Too late")

    editor(tab).press("Enter")
    expect(tab.said).to_have_text(["Too late"])
    tab.wait_for_answer()
    assert texts_of(client, session_id) == ["Too late", "Too late"]


@on_both
def test_the_text_of_an_edit_whose_message_is_gone_moves_into_the_composer(tab: Tab, client: Client) -> None:
    session_id = opened(tab, client, "Stays", "Goes")
    edit(tab, 1)
    editor(tab).fill("Worth keeping")

    client.post("/api/session/undo", session_id=session_id)
    expect(tab.composer).to_have_value("Worth keeping")
    expect(editor(tab)).to_have_count(0)
    expect(tab.said).to_have_text(["Stays"])


@on_both
def test_a_message_is_quoted_into_the_composer(tab: Tab, client: Client) -> None:
    opened(tab, client, "Quotable")
    tab.composer.fill("I say:")
    more(tab, tab.answer, "Quote")

    expect(tab.composer).to_have_value("I say:\n\n> Quotable\n\n")
    expect(tab.composer).to_be_focused()


@on(PHONE)
def test_the_buttons_of_a_message_come_and_go_without_moving_what_is_touched_next(tab: Tab, client: Client) -> None:
    opened(tab, client, "Touched first")
    tab.said.locator(".bubble").tap()
    expect(tab.said.get_by_role("button", name="Edit")).to_be_in_viewport()
    copy = tab.answer.get_by_role("button", name="Copy", exact=True)
    place = copy.bounding_box()

    copy.tap()

    expect(tab.answer.get_by_role("button", name="Copied")).to_be_visible()
    assert tab.answer.get_by_role("button", name="Copied").bounding_box() == place


@on_both
def test_a_branch_begins_like_its_conversation_and_leaves_it_alone(tab: Tab, client: Client) -> None:
    session_id = opened(tab, client, "Root", "Not in the branch")
    more(tab, tab.answers.nth(0), "Branch from here")

    expect(tab.said).to_have_text(["Root"])
    expect(tab.answers).to_have_count(1)
    assert tab.session_id != session_id
    assert len(texts_of(client, session_id)) == 4


@on_both
def test_the_last_message_is_undone_and_put_back(tab: Tab, client: Client) -> None:
    session_id = opened(tab, client, "Kept", "Regretted")
    more(tab, tab.said.nth(1), "Undo")
    expect(tab.said).to_have_text(["Kept"])
    assert len(texts_of(client, session_id)) == 2

    tab.touch(tab.toast("were taken back").get_by_role("button", name="Put back"))
    expect(tab.said).to_have_text(["Kept", "Regretted"])
    expect(tab.answers).to_have_count(2)
