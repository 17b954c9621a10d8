"""An agent asks before it acts, and a person sees exactly what, says a word, and finds what was said."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit
from tests.browser.devices import PHONE, on, on_both
from tests.browser.tab import Tab
from tests.browser.test_beside import AT_REST
from tests.browser.test_for_everyone import serious
from tests.http.conftest import until
from tests.serving import Client, ServerProcess

PHONE_WIDTH = 390

pytestmark = pytest.mark.usefixtures("tidy")


def script(arguments: dict[str, Any], *, title: str = "Do it.", after: str = "Went on.") -> str:
    """An agent that runs a command once it may. Its result says that it ran."""
    call = json.dumps(arguments)
    return f"{title}\n@@tool shell {call}\n@@approval execute shell {call}\n@@result it ran\n@@text {after}"


def begun(client: Client, said: str) -> str:
    session_id = client.new_session()
    client.start(session_id, said)
    return session_id


def send(tab: Tab, said: str) -> None:
    tab.choose_model("Script")
    tab.send(said)


def card(tab: Tab, name: str = "May it run this command?") -> Locator:
    return tab.page.get_by_role("region", name=name)


def allow(tab: Tab, name: str) -> Locator:
    return card(tab).get_by_role("button", name=name, exact=True)


def results(client: Client, session_id: str) -> list[tuple[str, str | None]]:
    """What the tools of a session gave, and what was said about each."""
    messages = client.messages(session_id)
    return [(one["content"], one.get("approval")) for one in messages if one["role"] == "tool"]


def test_what_is_asked_is_reached_and_allowed_by_key_and_typing_allows_nothing(tab: Tab, client: Client) -> None:
    send(tab, script({"command": "rm -r build", "timeout_s": 30}))
    expect(card(tab)).to_contain_text("rm -r build")
    expect(card(tab)).to_contain_text("timeout_s")
    row = tab.row("Do it.")
    expect(row).to_have_accessible_name("Do it. , waits for your word")
    expect(allow(tab, "Allow once")).to_be_enabled()
    tab.composer.press("1")
    expect(tab.composer).to_have_value("1")
    tab.composer.press("Backspace")

    tab.composer.press("ArrowUp")
    expect(card(tab)).to_be_focused()
    tab.page.evaluate(AT_REST)
    assert serious(tab.page) == []
    tab.page.keyboard.press("1")

    expect(card(tab)).to_have_count(0)
    expect(tab.composer).to_be_focused()
    expect(tab.wait_for_answer()).to_contain_text("Went on.")
    expect(row).to_have_accessible_name("Do it.")
    assert results(client, tab.session_id) == [("it ran", "once")]


def test_the_agent_hears_a_word_with_a_no(tab: Tab, client: Client) -> None:
    send(tab, script({"command": "rm -r ."}))
    allow(tab, "Deny …").click()
    field = card(tab).get_by_role("textbox", name="A word to the agent")
    expect(field).to_be_focused()
    field.fill("Keep 1 of them.")
    field.press("Enter")

    expect(card(tab)).to_have_count(0)
    tab.wait_for_answer()
    assert results(client, tab.session_id) == [("Not allowed. Keep 1 of them.", "deny")]


@on(PHONE)
def test_nothing_of_what_is_asked_is_hidden_moved_or_left_out(visit: Visit, client: Client) -> None:
    command = "echo \u202egnp.exe\u2066 # \u200b\u200b\n" + "\n".join(f"line {n}" for n in range(1, 60)) + "\nrm -rf ~"
    tab = visit(f"/s/{begun(client, script({'command': command}))}")

    line = tab.answer.get_by_role("group").last.bounding_box()
    assert line and line["x"] + line["width"] <= PHONE_WIDTH, "what is long is cut in its line, not by the screen"
    for sign in ("U+202E", "U+2066", "U+200B ×2"):
        expect(card(tab).locator("pre").first).to_contain_text(sign)
    expect(card(tab)).to_contain_text("61 lines")
    shown = card(tab).locator("pre").first.text_content() or ""
    assert shown.endswith("line 59\nrm -rf ~")
    assert not set("\u202e\u2066\u200b") & set(card(tab).text_content() or "")
    card(tab).get_by_text("Exact arguments").click()
    expect(card(tab).locator("pre").last).to_have_text(json.dumps({"command": command}))
    assert all(box["height"] >= 44 for box in map(Locator.bounding_box, card(tab).get_by_role("button").all()) if box)
    tab.page.evaluate(AT_REST)
    assert serious(tab.page) == []
    tab.touch(allow(tab, "Allow once"))
    expect(tab.wait_for_answer()).to_contain_text("Went on.")


@on(PHONE)
def test_whatever_stands_above_where_one_writes_there_is_room_to_write(visit: Visit, client: Client) -> None:
    session_id = begun(client, script({"command": "make"}))
    question = "@@text " + "A long answer. " * 40
    client.post("/api/btw", session_id=session_id, question=question, model="scripted/script")
    for _ in range(3):
        client.post("/api/background", session_id=session_id, prompt="@@hang", model="scripted/script")
    tab = visit(f"/s/{session_id}")

    expect(tab.page.get_by_role("complementary", name="Asked aside")).to_be_visible()
    expect(tab.page.get_by_role("list", name="In the background").get_by_role("listitem")).to_have_count(3)
    expect(allow(tab, "Allow once")).to_be_enabled()
    for way in (allow(tab, "Allow once"), allow(tab, "Deny …"), tab.composer):
        expect(way).to_be_in_viewport(ratio=1)


@on_both
def test_where_nothing_holds_commands_a_person_is_told_before_they_allow_one(tab: Tab, client: Client) -> None:
    nothing = {"kind": "none", "why": "bubblewrap is not installed; Landlock does not work here", "network": False}
    tab.page.route("**/api/sandbox", lambda route: route.fulfill(json=nothing))
    tab.open_session(begun(client, script({"command": "rm -r build"})))
    expect(card(tab)).to_contain_text("Nothing holds it: it can do whatever you can.")
    tab.page.evaluate(AT_REST)
    assert serious(tab.page) == []

    tab.go("/settings")
    expect(tab.page.get_by_text("Nothing holds the commands that agents run here")).to_be_visible()
    expect(tab.page.get_by_text("Landlock does not work here")).to_be_visible()


def test_a_change_is_shown_line_by_line_with_its_signs(tab: Tab, client: Client) -> None:
    call = '{"path": "hello.py"}'
    diff = "--- a/hello.py\\n+++ b/hello.py\\n@@ -1,2 +1,2 @@\\n # Hello\\n-print(1)\\n+print(2)"
    lines = f"Change it.\n@@tool edit {call}\n@@diff {diff}\n@@approval edit edit {call}\n@@result changed"
    tab.open_session(begun(client, lines))

    asked = card(tab, "May it make this change?")
    expect(asked.locator("del")).to_have_text(["-print(1)"])
    expect(asked.locator("ins")).to_have_text(["+print(2)"])
    expect(asked).to_contain_text("+1 −1")


def test_a_card_outlives_a_reload_and_is_settled_by_another_browser(visit: Visit, client: Client) -> None:
    session_id = begun(client, script({"command": "make"}))
    here, there = visit(f"/s/{session_id}"), visit(f"/s/{session_id}")
    expect(allow(here, "Allow once")).to_be_enabled()
    here.page.reload()
    expect(card(here)).to_be_visible()

    allow(there, "Allow once").click()
    expect(card(there)).to_have_count(0)
    expect(card(here)).to_have_count(0)
    expect(here.wait_for_answer()).to_contain_text("Went on.")
    assert results(client, session_id) == [("it ran", "once")]


def test_what_came_too_late_is_told_where_it_was_asked(visit: Visit, client: Client) -> None:
    session_id = begun(client, script({"command": "make"}))
    tab = visit(f"/s/{session_id}")
    expect(allow(tab, "Allow once")).to_be_enabled()
    [asked] = [one for one in client.get("/api/approval/pending")["asking"] if one["session_id"] == session_id]
    approval = {name: asked["approvals"][0][name] for name in ("approval_id", "arguments_sha256")}
    tab.watch.allow("status of 40[49]")

    let_go = tab.hold("**/api/approval/respond")
    allow(tab, "Allow once").click()
    client.post("/api/approval/respond", **approval, choice="deny")
    let_go()

    expect(card(tab).get_by_role("alert")).to_be_visible()
    card(tab).get_by_role("button", name="Close").click()
    expect(card(tab)).to_have_count(0)
    assert results(client, session_id) == [("Not allowed.", "deny")]


def test_a_question_is_answered_by_an_option_or_in_ones_own_words(tab: Tab) -> None:
    asked = card(tab, "It asks you")
    send(tab, "Ask.\n@@ask Which one? | The small one | The large one\n@@ask And how? ")
    expect(asked).to_contain_text("Which one?")
    expect(asked.get_by_role("button", name="The large one")).to_be_enabled()
    tab.composer.press("ArrowUp")
    tab.page.keyboard.press("2")

    expect(asked).to_contain_text("And how?")
    asked.get_by_role("textbox", name="Your answer").fill("With 1 care")
    asked.get_by_role("button", name="Send answer").click()
    expect(tab.wait_for_answer()).to_contain_text("The large one With 1 care")


@on_both
def test_what_waits_is_told_and_marked_wherever_one_is(tab: Tab, client: Client) -> None:
    session_id = begun(client, "@@text At once.")
    tab.open_session(session_id)
    tab.wait_for_answer()
    tab.new_chat()
    client.post("/api/background", session_id=session_id, prompt=script({"command": "ls"}), model="scripted/script")

    tab.touch(tab.toast("waits for your word").get_by_role("button", name="Show"))
    expect(card(tab)).to_contain_text("in the background")
    expect(tab.page.get_by_role("list", name="In the background")).to_contain_text("waits for your word")
    tab.touch(allow(tab, "Allow for this chat"))
    expect(tab.answer).to_contain_text("Went on.")
    assert client.get("/api/approval/rules")["rules"][-1]["session_id"] == session_id


def test_what_waits_is_killed_with_the_server_asked_again_and_done_once(
    tab: Tab, client: Client, server: ServerProcess
) -> None:
    session_id = begun(client, script({"command": "make"}))
    tab.open_session(session_id)
    expect(card(tab)).to_be_visible()
    tab.watch.allow("ERR_|Failed to load|Unable to preload")

    server.kill()
    server.start()
    expect(tab.page.get_by_text("Fireside is not answering")).to_have_count(0, timeout=30_000)
    allow(tab, "Allow once").click()

    expect(tab.wait_for_answer()).to_contain_text("Went on.")
    assert results(client, session_id) == [("it ran", "once")]
    assert len(re.findall("Went on", tab.answer.text_content() or "")) == 1


def test_what_is_always_allowed_is_listed_and_asked_again_once_it_is_taken_back(tab: Tab, client: Client) -> None:
    said = script({"command": "make \u202eall"})
    tab.open_session(begun(client, said))
    allow(tab, "Always allow this exact call").click()
    expect(tab.wait_for_answer()).to_contain_text("Went on.")
    expect(tab.answer).to_contain_text("always allowed")
    elsewhere = client.new_session()
    client.answer(elsewhere, said)
    assert results(client, elsewhere) == [("it ran", None)]

    tab.go("/settings")
    rule = tab.page.get_by_role("list", name="Allowed without asking").get_by_role("listitem").filter(has_text="make")
    expect(rule).to_contain_text("In all conversations")
    expect(rule).to_contain_text('{"command": "make \\u202eall"}')
    assert serious(tab.page) == []
    rule.get_by_role("button", name="Remove").click()
    expect(rule).to_have_count(0)
    tab.open_session(begun(client, said))
    expect(card(tab)).to_be_visible()


def chosen(client: Client, session_id: str) -> tuple[str | None, str]:
    row = client.get("/api/session", session_id=session_id)["session"]
    return row["workspace"], row["approval_mode"]


@on_both
def test_a_chat_begins_with_the_folder_and_the_mode_that_were_chosen_for_it(
    tab: Tab, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "garden" / "beds").mkdir(parents=True)
    folder = tab.page.get_by_role("button", name="Folder: ")
    mode = tab.page.get_by_role("button", name="What it may do unasked: ")
    expect(folder).to_have_accessible_name("Folder: No folder")
    expect(mode).to_have_accessible_name("What it may do unasked: Ask first")

    tab.touch(folder)
    chooser = tab.page.get_by_role("dialog", name="Which folder may it work in?")
    expect(chooser.get_by_role("status")).to_contain_text("home folder")
    expect(chooser.get_by_role("button", name="Choose another")).to_be_disabled()
    chooser.get_by_role("textbox", name="Path of the folder").fill(str(tmp_path))
    tab.touch(chooser.get_by_role("button", name="Go there"))
    tab.touch(chooser.get_by_role("button", name="garden"))
    expect(chooser.get_by_role("button", name="beds")).to_be_visible()
    tab.page.evaluate(AT_REST)
    assert serious(tab.page) == []
    tab.touch(chooser.get_by_role("button", name="Work in garden"))
    expect(chooser).to_have_count(0)
    tab.touch(mode)
    tab.touch(tab.page.get_by_role("menuitemradio", name="Full access"))
    expect(mode).to_have_accessible_name("What it may do unasked: Full access")
    assert client.get("/api/sessions", q="Do it.")["sessions"] == []

    send(tab, script({"command": "make"}))
    expect(tab.wait_for_answer()).to_contain_text("Went on.")
    assert results(client, tab.session_id) == [("it ran", None)]
    tab.page.reload()
    expect(folder).to_have_accessible_name("Folder: garden")
    expect(mode).to_have_accessible_name("What it may do unasked: Full access")

    tab.touch(mode)
    tab.touch(tab.page.get_by_role("menuitemradio", name="Read only"))
    tab.touch(folder)
    tab.touch(chooser.get_by_role("button", name="No folder"))
    expect(folder).to_have_accessible_name("Folder: No folder")
    until(lambda: chosen(client, tab.session_id) == (None, "read"))  # shown at once, and told then
