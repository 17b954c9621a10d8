"""What is sent while an answer is written: it waits in order, in every window, or the agent is told it at work."""

import re

from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit
from tests.browser.devices import on_both
from tests.browser.tab import Tab
from tests.browser.test_for_everyone import serious
from tests.browser.watch import AWAY
from tests.serving import Client, ServerProcess

STEPS = "@@step 1\n@@text Looking.\n@@ask Go on?\n@@step 2\n@@text Found."


def waiting(tab: Tab) -> Locator:
    """The messages that wait, from the top."""
    return tab.page.get_by_role("list", name="Waiting to be sent").get_by_role("listitem")


def busy(tab: Tab, script: str = "@@text Busy.\n@@hang") -> None:
    """In the middle of an answer."""
    tab.choose_model("Script")
    tab.send(script)
    tab.wait_for_words(1)


def go_on(tab: Tab, client: Client) -> None:
    """Let an agent that asks whether to go on do so, by another way than the page."""
    [asking] = [one for one in client.get("/api/approval/pending")["asking"] if one["session_id"] == tab.session_id]
    question_id = asking["question"]["question_id"]
    client.post("/api/clarify/respond", stream_id=asking["stream_id"], question_id=question_id, text="Yes.")


def queue_up(tab: Tab, *texts: str) -> None:
    for count, text in enumerate(texts, start=waiting(tab).count() + 1):
        tab.send(text)
        expect(waiting(tab)).to_have_count(count)


def tell(tab: Tab, text: str) -> None:
    """Say something to the agent at work: with Control and Enter, or on a phone by the menu."""
    if tab.phone:
        tab.button("More ways to send").tap()
        tab.pick("Tell it at its next step")
        tab.send(text)
    else:
        tab.composer.fill(text)
        tab.composer.press("Control+Enter")


def grip(tab: Tab, place: int) -> Locator:
    return waiting(tab).nth(place).get_by_role("button", name=re.compile("^Move"))


@on_both
def test_a_message_sent_while_an_answer_is_written_waits_and_is_sent_next(tab: Tab, client: Client) -> None:
    busy(tab, "@@text Busy.\n@@ask Go on?\n@@text Done.")
    queue_up(tab, "second", "third")
    expect(tab.composer).to_have_value("")
    expect(tab.said).to_have_count(1)
    go_on(tab, client)

    expect(tab.said).to_have_count(3, timeout=15_000)
    tab.wait_for_answer()

    expect(waiting(tab)).to_have_count(0)
    expect(tab.said).to_have_text([re.compile("Busy"), "second", "third"])
    assert [one["content"] for one in client.messages(tab.session_id)][2:] == ["second", "second", "third", "third"]


def test_what_is_sent_before_a_new_conversation_has_its_address_waits_for_it(tab: Tab, client: Client) -> None:
    let_go = tab.hold("**/api/chat/start")
    tab.send("first")
    tab.send("second")
    expect(tab.composer).to_have_value("")
    let_go()

    expect(tab.said).to_have_text(["first", "second"])
    tab.wait_for_answer()
    assert [one["content"] for one in client.messages(tab.session_id) if one["role"] == "user"] == ["first", "second"]


def test_of_two_messages_sent_at_once_both_come_back_when_the_first_is_refused(tab: Tab) -> None:
    tab.watch.allow("status of 503")
    refuse = tab.hold("**/api/chat/start")
    tab.send("first")
    tab.send("second")
    expect(tab.composer).to_have_value("")
    refuse(status=503, json={"error": "The disk is full. Nothing was lost.", "code": "disk_full"})

    expect(tab.page.get_by_text("The disk is full. Nothing was lost.")).to_be_visible()
    expect(tab.composer).to_have_value("first\nsecond")
    tab.submit()
    expect(tab.said).to_have_text("first\nsecond")
    tab.wait_for_answer()


@on_both
def test_after_stop_the_page_asks_and_sends_or_discards_what_waits(tab: Tab) -> None:
    busy(tab)
    queue_up(tab, "second", "third")

    tab.touch(tab.button("Stop"))
    asked = tab.page.get_by_role("status").filter(has_text="2 messages wait.")
    expect(asked).to_be_visible()
    expect(tab.said).to_have_count(1)
    assert serious(tab.page) == []
    tab.touch(tab.button("Discard"))
    expect(waiting(tab)).to_have_count(0)
    tab.touch(tab.toast("2 messages were taken out.").get_by_role("button", name="Put back"))
    expect(waiting(tab)).to_have_count(2)

    tab.touch(tab.button("Send them"))
    expect(tab.said).to_have_count(3)
    tab.wait_for_answer()
    expect(asked).to_have_count(0)


def test_what_waits_is_changed_moved_and_taken_out_by_keyboard_alone(tab: Tab, client: Client) -> None:
    busy(tab)
    queue_up(tab, "one", "two", "three")

    grip(tab, 2).focus()
    tab.page.keyboard.press("ArrowUp")
    expect(waiting(tab)).to_have_text(["one", "three", "two"])
    expect(grip(tab, 1)).to_be_focused()
    expect(tab.page.get_by_role("status").filter(has_text="Now 2 of 3.")).to_be_attached()
    tab.page.keyboard.press("ArrowUp")
    expect(waiting(tab)).to_have_text(["three", "one", "two"])

    tab.page.get_by_role("button", name="Change: one").press("Enter")
    editor = tab.page.get_by_role("textbox", name="Waiting message")
    expect(editor).to_be_focused()
    editor.fill("uno")
    editor.press("Enter")
    expect(waiting(tab)).to_have_text(["three", "uno", "two"])
    tab.page.get_by_role("button", name="Take out: three").press("Enter")
    expect(waiting(tab)).to_have_text(["uno", "two"])
    expect(grip(tab, 0)).to_be_focused()

    kept = client.get("/api/chat/queue", session_id=tab.session_id)["queue"]["items"]
    assert [one["text"] for one in kept] == ["uno", "two"]


def test_the_focus_stays_with_its_message_when_another_window_moves_it_and_goes_on_when_it_is_sent(
    tab: Tab, client: Client
) -> None:
    busy(tab)
    queue_up(tab, "one", "two", "three")
    ids = [one["message_id"] for one in client.get("/api/chat/queue", session_id=tab.session_id)["queue"]["items"]]
    grip(tab, 2).focus()

    for before, order in ((ids[0], ["three", "one", "two"]), (None, ["one", "two", "three"])):
        client.post("/api/chat/queue/reorder", session_id=tab.session_id, message_id=ids[2], before=before)
        expect(waiting(tab)).to_have_text(order)
        expect(grip(tab, order.index("three"))).to_be_focused()
    client.post("/api/chat/queue/delete", session_id=tab.session_id, message_ids=[ids[2]])
    expect(grip(tab, 1)).to_be_focused()
    client.post("/api/chat/queue/delete", session_id=tab.session_id, message_ids=ids[:2])
    expect(tab.composer).to_be_focused()


@on_both
def test_a_message_is_dragged_to_another_place(visit: Visit, client: Client) -> None:
    session_id = client.new_session()
    client.start(session_id, "@@text Busy.\n@@hang")
    for text in ("one", "two", "three"):
        client.post("/api/chat/queue", session_id=session_id, message=text)
    tab = visit(f"/s/{session_id}")
    expect(waiting(tab)).to_have_count(3)

    start, target = grip(tab, 2).bounding_box(), grip(tab, 0).bounding_box()
    assert start is not None and target is not None
    tab.page.mouse.move(start["x"] + 8, start["y"] + 8)
    tab.page.mouse.down()
    tab.page.mouse.move(target["x"] + 8, target["y"] + 2, steps=6)
    with tab.page.expect_response("**/api/chat/queue/reorder"):
        tab.page.mouse.up()

    expect(waiting(tab)).to_have_text(["three", "one", "two"])
    tab.page.reload()
    expect(waiting(tab)).to_have_text(["three", "one", "two"])
    if tab.phone:
        assert min(box["height"] for box in [start, target]) >= 44


@on_both
def test_two_windows_share_the_queue_and_neither_loses_what_was_typed(tab: Tab) -> None:
    tab.watch.allow("status of 409")
    busy(tab)
    queue_up(tab, "ours")
    other = tab.twin(f"/s/{tab.session_id}")
    expect(waiting(other)).to_have_text(["ours"])
    for one in (tab, other):
        one.touch(one.button("Change: ours"))
    mine, theirs = (one.page.get_by_role("textbox", name="Waiting message") for one in (tab, other))
    mine.fill("mine")
    theirs.fill("theirs")

    other.touch(other.button("Keep the change"))
    expect(waiting(other)).to_have_text(["theirs"])
    tab.touch(tab.button("Keep the change"))
    expect(tab.page.get_by_role("alert")).to_contain_text("It now says: “theirs”")
    expect(mine).to_have_value("mine")
    tab.touch(tab.button("Keep the change"))

    for one in (tab, other):
        expect(waiting(one)).to_have_text(["mine"])


@on_both
def test_what_is_being_changed_when_it_is_sent_comes_back_to_where_one_writes(tab: Tab, client: Client) -> None:
    busy(tab)
    queue_up(tab, "second")
    tab.touch(tab.button("Change: second"))
    tab.page.get_by_role("textbox", name="Waiting message").fill("second thoughts")

    item = client.get("/api/chat/queue", session_id=tab.session_id)["queue"]["items"][0]
    client.post("/api/chat/queue/delete", session_id=tab.session_id, message_ids=[item["message_id"]])

    expect(tab.composer).to_have_value("second thoughts")
    expect(tab.page.get_by_text("That message waits no more")).to_be_visible()


@on_both
def test_the_agent_at_work_is_told_and_the_answer_shows_where_it_took_it(tab: Tab, client: Client) -> None:
    busy(tab, STEPS)
    tell(tab, "Only in Lisbon.")
    expect(waiting(tab)).to_contain_text(["told at the next step"])
    go_on(tab, client)

    expect(waiting(tab)).to_have_count(0)
    answer = tab.wait_for_answer()

    expect(answer.get_by_text("Only in Lisbon.").first).to_be_visible()
    expect(tab.said).to_have_count(1)
    in_order = re.compile(r"Looking\..*You said meanwhile.*Found\.", re.DOTALL)
    expect(answer).to_contain_text(in_order)
    tab.page.reload()
    expect(tab.answer).to_contain_text(in_order)


def test_an_agent_that_takes_no_word_answers_it_next_and_the_page_says_so(tab: Tab) -> None:
    busy(tab)
    queue_up(tab, "later")

    tell(tab, "first")

    expect(tab.page.get_by_text("Your message is the next one.")).to_be_visible()
    expect(waiting(tab)).to_have_text(["first", "later"])


def test_what_waits_survives_a_kill_and_is_asked_about_without_a_reload(
    tab: Tab, server: ServerProcess, client: Client
) -> None:
    tab.watch.allow(AWAY)
    busy(tab)
    queue_up(tab, "second")

    server.kill()
    expect(tab.page.get_by_text("Fireside is not answering.").first).to_be_visible()
    server.start()

    expect(tab.page.get_by_role("status").filter(has_text="1 message waits.")).to_be_visible(timeout=20_000)
    expect(tab.page.get_by_text("Fireside is not answering.")).to_have_count(0)
    tab.button("Send it").click()
    expect(tab.said).to_have_count(2)
    tab.wait_for_answer()
    assert [one["content"] for one in client.messages(tab.session_id)][-2:] == ["second", "second"]
