"""The conversation: how answers read, how they are stopped, how they fail, and what happens next."""

import json
import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.devices import PHONE, Device, on, on_both
from tests.browser.tab import Tab
from tests.fakes.provider import FakeProvider
from tests.serving import Client

CODE = """Look:

```python
def greet(name: str) -> str:
    return f"Hello, {name}"  # said with care
```

- one
- **two**
"""
WIDE_TABLE = "\n".join(
    ["|" + "|".join(f"a column called {n}" for n in range(12)) + "|", "|" + "---|" * 12, "|" + "cell|" * 12]
)


@on_both
def test_markdown_is_set_and_finished_code_is_coloured_and_copied(tab: Tab) -> None:
    answer = tab.ask(CODE)

    expect(answer.get_by_role("listitem")).to_have_text(["one", "two"])
    expect(answer.get_by_role("strong")).to_have_text("two")
    expect(answer.locator(".hljs-keyword").first).to_have_text("def")
    expect(answer.locator(".hljs-comment")).to_have_text("# said with care")
    keyword, plain = (
        answer.locator(one).first.evaluate("node => getComputedStyle(node).color") for one in (".hljs-keyword", "code")
    )
    assert keyword != plain

    tab.touch(answer.get_by_role("button", name="Copy").first)
    expect(answer.get_by_role("button", name="Copied")).to_be_visible()
    assert (
        tab.page.evaluate("navigator.clipboard.readText()").rstrip() == CODE.split("```")[1].partition("\n")[2].rstrip()
    )


def test_the_whole_answer_is_copied_as_it_was_written(tab: Tab) -> None:
    answer = tab.ask("Some **bold** words")

    answer.get_by_role("button", name="Copy", exact=True).last.click()

    assert tab.page.evaluate("navigator.clipboard.readText()") == "Some **bold** words"


@on(PHONE)
def test_a_wide_table_scrolls_in_its_own_box_on_a_phone(visit: Visit, client: Client) -> None:
    session_id = client.new_session()
    client.answer(session_id, WIDE_TABLE + "\n\n" + "unbroken" * 40, model="environment/mock-1")
    tab = visit(f"/s/{session_id}")
    table = tab.answer.get_by_role("table")
    expect(table).to_be_visible()

    box = table.locator("xpath=..").evaluate("box => [box.scrollWidth, box.clientWidth]")
    assert box[0] > box[1]
    assert tab.thread.evaluate("view => view.scrollWidth - view.clientWidth") == 0
    assert tab.page.evaluate("document.documentElement.scrollWidth") == 390


@on_both
def test_thinking_is_one_line_that_unfolds_and_folds(tab: Tab) -> None:
    answer = tab.ask("A riddle\n@@think Let me see, it must be the wind.\n@@text It is the wind.")
    thought = answer.get_by_text("Let me see, it must be the wind.")
    line = answer.get_by_text(re.compile("^Thought "))
    expect(answer.get_by_text("It is the wind.", exact=True)).to_be_visible()
    expect(thought).to_have_count(0)

    tab.touch(line)
    expect(thought).to_be_visible()
    line.press("Enter")
    expect(thought).to_have_count(0)


@on_both
def test_a_tool_call_is_one_line_that_opens_to_what_went_in_and_out(visit: Visit, client: Client) -> None:
    session_id = client.new_session()
    script = '@@tool list_files {"path": "garden"}\n@@output roses.txt\n@@result roses.txt\n@@text One file.'
    client.answer(session_id, script)
    tab = visit(f"/s/{session_id}")
    expect(tab.answer.get_by_text("One file.")).to_be_visible()
    expect(tab.answer.get_by_text("roses.txt")).to_have_count(0)

    tab.touch(tab.answer.get_by_text("Listed garden"))

    expect(tab.answer.get_by_role("definition")).to_have_text("garden")
    expect(tab.answer.get_by_text("roses.txt")).to_be_visible()


def test_many_steps_in_a_row_are_one_line_once_they_are_over_and_the_plan_is_kept_with_them(
    visit: Visit, client: Client
) -> None:
    session_id = client.new_session()
    steps = "".join(f'@@tool read_file {{"path": "{name}.py"}}\n@@result ok\n' for name in "abcd")
    stream_id = client.start(session_id, f"Go.\n@@plan completed Look | in_progress Read\n{steps}@@ask Enough?\n")[
        "stream_id"
    ]
    tab = visit(f"/s/{session_id}")
    expect(tab.answer.get_by_text("Read d.py")).to_be_visible()
    expect(tab.answer.get_by_role("listitem")).to_have_text([re.compile("Look"), re.compile("Read")])

    asked = tab.page.get_by_role("region", name="It asks you")
    asked.get_by_role("textbox").fill("Yes")
    asked.get_by_role("textbox").press("Enter")

    tab.wait_for_answer()
    assert "Yes" in "".join(frame.data["text"] for frame in client.frames(stream_id) if frame.name == "token")
    for _ in range(2):
        expect(tab.answer.get_by_role("button", name="4 steps")).to_have_attribute("aria-expanded", "false")
        expect(tab.answer.get_by_text("Read d.py")).to_have_count(0)
        expect(tab.answer.get_by_text("1 / 2")).to_be_visible()
        expect(tab.answer.get_by_role("listitem")).to_have_count(0)
        tab.page.reload()
    tab.answer.get_by_role("button", name="4 steps").click()
    expect(tab.answer.get_by_text("Read d.py")).to_be_visible()


@on_both
def test_stop_keeps_what_was_shown_and_continue_goes_on(tab: Tab, client: Client) -> None:
    tab.choose_model("Script")
    tab.send("Counting\n@@text One two three.\n@@hang\n@@text Four five six.")
    tab.wait_for_words(4)

    tab.touch(tab.button("Stop"))

    answer = tab.wait_for_answer()
    expect(answer).to_contain_text("One two three.")
    expect(answer.get_by_text("Stopped.")).to_be_visible()
    stopped = client.messages(tab.session_id)[-1]
    assert stopped["outcome"] == "cancelled"
    assert stopped["content"].split() == ["Counting", "One", "two", "three."]

    tab.touch(answer.get_by_role("button", name="Continue"))

    expect(tab.answer).to_contain_text("Four five six.")
    tab.wait_for_answer()
    expect(tab.page.get_by_role("button", name="Continue")).to_have_count(0)
    expect(tab.thread.get_by_role("paragraph").filter(has_text="One two three.")).to_be_visible()


@on_both
def test_a_refused_key_is_a_card_with_a_sentence_and_retry_answers(tab: Tab, device: Device) -> None:
    tab.send(f"A door that is locked for a {device}\n@@flaky 1 401\n@@text Come in.")
    card = tab.page.get_by_role("region", name="That did not work")
    expect(card).to_contain_text("key")
    assert tab.said.count() == 1

    tab.touch(card.get_by_role("button", name="Retry"))

    expect(tab.wait_for_answer()).to_contain_text("Come in.")
    expect(card).to_have_count(0)
    expect(tab.answers).to_have_count(1)


@on_both
def test_an_answer_that_failed_on_the_way_is_continued(tab: Tab) -> None:
    tab.choose_model("Script")
    tab.send("Two halves\n@@text Half of it.\n@@fail broken It broke in the middle.\n@@text The other half.")
    card = tab.page.get_by_role("region", name="That did not work")
    expect(card).to_contain_text("It broke in the middle.")

    tab.touch(card.get_by_role("button", name="Continue"))

    expect(tab.answer).to_contain_text("The other half.")
    expect(tab.thread).to_contain_text("Half of it.")
    tab.wait_for_answer()
    expect(tab.button("Continue")).to_have_count(0)


def test_nonsense_from_a_provider_is_a_card_and_what_came_before_stays(tab: Tab) -> None:
    card = tab.page.get_by_role("region", name="That did not work")
    for script, kept in (
        ("@@html", None),
        ("@@err 429 1", None),
        ("@@text Half of a\n@@cut", "Half of a"),
        ("@@text Some of it\n@@drop", "Some of it"),
        ("@@text First words\n@@badsse", "First words"),
    ):
        answer = tab.ask(script)
        expect(answer.get_by_role("region", name="That did not work"), script).to_be_visible()
        assert len(card.last.inner_text().split()) > 5, script
        if kept:
            expect(answer.get_by_text(kept)).to_be_visible()
    expect(card.get_by_role("button", name="Retry")).to_have_count(1)
    expect(tab.ask("And yet it lives")).to_contain_text("And yet it lives")


def test_a_silent_provider_is_stopped(tab: Tab, provider: FakeProvider) -> None:
    tab.send("@@silence")
    expect(tab.answer).to_have_attribute("aria-busy", "true")

    tab.button("Stop").click()

    expect(tab.wait_for_answer().get_by_text("Stopped.")).to_be_visible()
    assert json.loads(provider.chats[-1].body)["stream"] is True


@on_both
def test_a_message_that_the_server_refuses_stays_in_the_composer(tab: Tab) -> None:
    tab.watch.allow("status of 503")
    answer = {"error": "The disk is full. Nothing was lost.", "code": "disk_full"}
    tab.page.route("**/api/chat/start", lambda route: route.fulfill(status=503, json=answer), times=1)

    tab.send("Precious words")

    expect(tab.page.get_by_text("The disk is full. Nothing was lost.")).to_be_visible()
    expect(tab.composer).to_have_value("Precious words")
    expect(tab.composer).to_be_focused()
    tab.submit()
    expect(tab.wait_for_answer()).to_contain_text("Precious words")
    expect(tab.said).to_have_count(1)
