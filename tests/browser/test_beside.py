"""What goes on beside a conversation: questions asked aside, and tasks in the background."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import MODEL
from tests.browser.devices import on_both
from tests.browser.tab import Tab
from tests.browser.test_for_everyone import serious
from tests.browser.watch import AWAY
from tests.fakes.provider import FakeProvider
from tests.http.conftest import until
from tests.serving import Client, ServerProcess

pytestmark = pytest.mark.usefixtures("tidy")

SLOW = "@@pace 0.02\n@@text " + " ".join(f"word{n}" for n in range(2000))

AT_REST = """Promise.allSettled(
    document.getAnimations()
        .filter((one) => one.effect.getComputedTiming().iterations !== Infinity)
        .map((one) => one.finished),
)"""


def aside(tab: Tab, question: str) -> Locator:
    return tab.page.get_by_role("region", name=f"Asked aside: {question}")


def task(tab: Tab, prompt: str) -> Locator:
    return tab.page.get_by_role("list", name="In the background").get_by_role("listitem").filter(has_text=prompt)


def begin(tab: Tab, way: str, text: str) -> None:
    """Send something by another way than as a message."""
    tab.touch(tab.button("More ways to send"))
    tab.pick(way)
    expect(tab.composer).to_be_focused()
    tab.send(text)


def opened(tab: Tab, client: Client, title: str) -> str:
    session_id = client.new_session()
    client.answer(session_id, title, model=MODEL)
    tab.open_session(session_id)
    expect(tab.answers).to_have_count(1)
    return session_id


def said_in(client: Client, session_id: str) -> list[str]:
    return [one["content"] for one in client.messages(session_id)]


@on_both
def test_a_question_is_asked_aside_while_the_answer_streams_and_dropped(tab: Tab, client: Client) -> None:
    tab.send(f"The main thing\n{SLOW}")
    before = len(tab.wait_for_words(3))

    tab.touch(tab.answer.get_by_role("button", name="Ask aside"))
    tab.send("What was that?")
    card = aside(tab, "What was that?")
    expect(card).to_have_attribute("aria-busy", "false")
    expect(card.locator(".markdown")).to_have_text("What was that?")
    tab.wait_for_words(before + 3)
    expect(card.get_by_role("button", name="Keep in conversation")).to_be_disabled()
    tab.page.evaluate(AT_REST)
    assert serious(tab.page) == []

    tab.touch(card.get_by_role("button", name="Drop"))
    expect(card).to_have_count(0)
    tab.touch(tab.button("Stop"))
    tab.wait_for_answer()
    assert len(said_in(client, tab.session_id)) == 2
    assert client.get("/api/session", session_id=tab.session_id)["asides"] == []


@on_both
def test_an_aside_survives_a_reload_in_the_middle_and_is_kept(tab: Tab, client: Client) -> None:
    session_id = opened(tab, client, "To be kept")
    begin(tab, "Ask aside", "Slowly\n@@pace 0.02\n@@text " + "so " * 60 + "done")
    card = tab.page.get_by_role("region", name=re.compile("^Asked aside: Slowly"))
    expect(card).to_have_attribute("aria-busy", "true")
    expect(card.locator(".markdown")).to_contain_text("so so")

    tab.page.reload()
    expect(card.locator(".markdown")).to_contain_text("so so")
    expect(card).to_have_attribute("aria-busy", "false")
    expect(card.locator(".markdown")).to_have_text("so " * 60 + "done")
    assert len(said_in(client, session_id)) == 2

    tab.touch(card.get_by_role("button", name="Keep in conversation"))
    expect(card).to_have_count(0)
    expect(tab.said).to_have_count(2)
    expect(tab.answer).to_contain_text("done")
    assert len(said_in(client, session_id)) == 4


@on_both
def test_several_asides_stand_side_by_side_fold_to_chips_and_are_stopped(tab: Tab, client: Client) -> None:
    opened(tab, client, "Many questions")
    begin(tab, "Ask aside", "First question")
    expect(aside(tab, "First question")).to_be_visible()
    begin(tab, "Ask aside", "Second question\n@@text Begun.\n@@silence")
    second = tab.page.get_by_role("region", name=re.compile("^Asked aside: Second question"))
    expect(aside(tab, "First question")).to_be_visible()
    expect(second.locator(".markdown")).to_have_text("Begun.")

    tab.touch(aside(tab, "First question").get_by_role("button", name="Put aside"))
    expect(aside(tab, "First question")).to_have_count(0)
    if not tab.phone:  # where the focus would open a keyboard
        expect(tab.composer).to_be_focused()
    tab.touch(tab.button("Show again: First question"))
    expect(aside(tab, "First question")).to_be_visible()

    tab.touch(second.get_by_role("button", name="Stop"))
    expect(second).to_have_attribute("aria-busy", "false")
    expect(second).to_contain_text("Stopped.")


@on_both
def test_an_aside_of_a_session_that_is_deleted_meanwhile_goes_with_it(tab: Tab, client: Client) -> None:
    session_id = opened(tab, client, "Soon gone")
    begin(tab, "Ask aside", "Still there?\n@@text Begun.\n@@silence")
    card = tab.page.get_by_role("region", name=re.compile("^Asked aside: Still there"))
    expect(card.locator(".markdown")).to_have_text("Begun.")

    tab.watch.allow("status of 404|INCOMPLETE_CHUNKED")
    client.post("/api/session/delete", session_id=session_id)
    expect(card).to_have_count(0)
    begin(tab, "Ask aside", "And now?")
    expect(tab.composer).to_have_value("And now?")
    expect(tab.page.get_by_role("status").filter(has_text="no such")).to_be_visible()


def test_a_task_lives_through_a_reload_and_a_restart_and_arrives_once(
    tab: Tab, client: Client, server: ServerProcess, provider: FakeProvider
) -> None:
    session_id = opened(tab, client, "Work meanwhile")
    begin(tab, "Work in the background", "Count it all\n@@pace 0.05\n@@text " + "one " * 60 + "all")
    card = task(tab, "Count it all")
    expect(card).to_contain_text("Working for")
    tab.touch(card.get_by_role("button", name=re.compile("^Show what is said so far")))
    expect(card.locator(".markdown")).to_contain_text("one one")

    tab.watch.allow(AWAY)
    tab.page.reload()
    expect(card).to_contain_text("Working for")
    server.kill()
    server.start()
    expect(card).to_contain_text("Working for", timeout=30_000)

    expect(tab.answer).to_contain_text("Worked on in the background: Count it all", timeout=30_000)
    expect(card).to_have_count(0)
    expect(tab.answers).to_have_count(2)
    assert len(said_in(client, session_id)) == 3


@on_both
def test_a_task_is_given_up_and_what_it_said_arrives(tab: Tab, client: Client) -> None:
    opened(tab, client, "Given up")
    begin(tab, "Work in the background", "Too much\n@@text Half of it.\n@@silence")
    expect(task(tab, "Too much")).to_contain_text("Half of it.")

    tab.touch(task(tab, "Too much").get_by_role("button", name=re.compile("^Give up")))
    expect(tab.answer).to_contain_text("Half of it.")
    expect(task(tab, "Too much")).to_have_count(0)


@on_both
def test_of_many_tasks_some_wait_for_their_turn(tab: Tab, client: Client) -> None:
    session_id = opened(tab, client, "Much to do")
    for number in range(3):
        prompt = f"Task {number}\n@@text Begun.\n@@silence"
        client.post("/api/background", session_id=session_id, prompt=prompt, model=MODEL)
    begin(tab, "Work in the background", "One more\n@@text Begun.\n@@silence")
    expect(task(tab, "One more")).to_contain_text("Waiting for its turn")

    tab.touch(task(tab, "Task 0").get_by_role("button", name=re.compile("^Give up")))

    expect(task(tab, "One more")).to_contain_text("Working for")


@on_both
def test_an_answer_that_arrives_elsewhere_is_told_and_marked_until_it_is_seen(tab: Tab, client: Client) -> None:
    session_id = opened(tab, client, "Left alone")
    row = tab.rows.filter(has_text="Left alone")
    tab.new_chat()
    tab.open_sessions()
    expect(row).to_have_accessible_name("Left alone")

    client.post("/api/background", session_id=session_id, prompt="Quick work", model=MODEL)
    expect(row).to_have_accessible_name("Left alone , unread")
    tab.touch(tab.toast("has arrived in “Left alone”").get_by_role("button", name="Show"))
    expect(tab.answer).to_contain_text("Worked on in the background: Quick work")
    tab.open_sessions()
    expect(row).to_have_accessible_name("Left alone")
    tab.page.reload()
    tab.open_sessions()
    expect(row).to_have_accessible_name("Left alone")


@on_both
def test_typed_commands_ask_aside_and_work_in_the_background_while_the_answer_streams(tab: Tab, client: Client) -> None:
    tab.send(f"The main thing\n{SLOW}")
    tab.wait_for_words(3)
    tab.send("/btw What was typed?")
    card = aside(tab, "What was typed?")
    expect(card).to_have_attribute("aria-busy", "false")
    expect(card.locator(".markdown")).to_have_text("What was typed?")
    expect(tab.composer).to_have_value("")
    if not tab.phone:
        expect(tab.composer).to_be_focused()

    tab.send("/background Typed work")
    expect(task(tab, "Typed work")).to_be_visible()
    expect(tab.composer).to_have_value("")
    before = len(tab.words_shown())
    tab.wait_for_words(before + 3)
    tab.touch(tab.button("Stop").first)

    expect(tab.answers).to_have_count(2)
    expect(tab.answer).to_contain_text("Worked on in the background: Typed work")
    assert said_in(client, tab.session_id).count("The main thing\n" + SLOW) == 1
    until(lambda: client.get("/api/session/draft", session_id=tab.session_id)["text"] == "")


def test_a_part_of_the_page_that_could_not_be_fetched_comes_when_the_server_is_back(
    tab: Tab, client: Client, server: ServerProcess
) -> None:
    session_id = opened(tab, client, "Cards come late")
    tab.watch.allow("ERR_|Failed to load|Unable to preload")
    tab.page.route(re.compile(r"/assets/TaskCards-"), lambda route: route.abort())
    with tab.page.expect_event("requestfailed"):
        client.post("/api/background", session_id=session_id, prompt="Late\n@@text Begun.\n@@silence", model=MODEL)
    assert task(tab, "Late").count() == 0

    tab.page.unroute_all()
    server.stop()
    server.start()

    expect(task(tab, "Late")).to_be_visible(timeout=30_000)
