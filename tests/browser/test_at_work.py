"""The built-in agent at work in a folder: seen, allowed, followed and undone in the page."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import MODEL, Visit
from tests.browser.devices import on_both
from tests.browser.tab import Tab
from tests.browser.test_beside import AT_REST
from tests.browser.test_for_everyone import serious
from tests.serving import Client


def call(tool: str, **arguments: Any) -> str:
    return f"@@tool {tool} {json.dumps(arguments)}"


REPAIR = "\n@@next\n".join(
    [
        "@@text I look first.\n" + call("read_file", path="sums.py"),
        call("edit_file", path="sums.py", old_text="a - b", new_text="a + b"),
        call("run_command", command="python3 test_sums.py"),
        "@@text It adds now.",
    ]
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project whose test fails."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "sums.py").write_text("def add(a, b):\n    return a - b\n")
    (folder / "test_sums.py").write_text("from sums import add\n\nassert add(2, 3) == 5\nprint('all is well')\n")
    return folder


def begin(client: Client, folder: Path, script: str) -> str:
    """A session in a folder whose agent is at work on a script."""
    session_id = client.post("/api/session/new", workspace=str(folder))["session"]["session_id"]
    client.start(session_id, script, model=MODEL)
    return session_id


def allow(tab: Tab) -> None:
    """Say yes to what is asked, once."""
    tab.button("Allow once").click()


@on_both
def test_a_repository_is_repaired_with_leave_and_put_back(tab: Tab, client: Client, project: Path) -> None:
    tab.open_session(begin(client, project, REPAIR))

    expect(tab.page.get_by_text("+ return a + b")).to_be_visible()
    allow(tab)
    expect(tab.page.get_by_text("python3 test_sums.py").first).to_be_visible()
    allow(tab)
    expect(tab.wait_for_answer()).to_contain_text("It adds now.")
    assert (project / "sums.py").read_text().endswith("a + b\n")

    changes = tab.answer.get_by_role("group").filter(has_text="1 file changed")
    changes.get_by_text("1 file changed").click()
    tab.button("Put the files back").click()
    expect(changes.get_by_text("1 file was put back.")).to_be_visible()
    assert (project / "sums.py").read_text().endswith("a - b\n")


def test_what_someone_changed_since_is_left_until_it_is_wanted(tab: Tab, client: Client, project: Path) -> None:
    tab.open_session(begin(client, project, REPAIR))
    allow(tab)
    expect(tab.page.get_by_text("python3 test_sums.py").first).to_be_visible()
    allow(tab)
    tab.wait_for_answer()
    (project / "sums.py").write_text("# mine\n")

    tab.answer.get_by_text("1 file changed").click()
    tab.button("Put the files back").click()
    expect(tab.answer.get_by_text("Changed since by someone else, and left: sums.py")).to_be_visible()
    assert (project / "sums.py").read_text() == "# mine\n"
    tab.button("Put them back all the same").click()
    expect(tab.answer.get_by_text("1 file was put back.")).to_be_visible()
    assert (project / "sums.py").read_text().endswith("a - b\n")


@on_both
def test_a_command_whose_file_changed_since_it_was_allowed_is_asked_about_again_and_says_why(
    tab: Tab, client: Client, project: Path
) -> None:
    tab.open_session(begin(client, project, call("run_command", command="python3 test_sums.py") + "\n@@next\n@@text ."))
    expect(tab.button("Allow once")).to_be_enabled()
    (project / "test_sums.py").write_text("print('anything')\n")
    allow(tab)

    asked = tab.page.get_by_role("region", name="May it run this command?")
    expect(asked).to_contain_text("It asks again, because since you allowed it this has changed: test_sums.py")
    tab.page.evaluate(AT_REST)
    assert serious(tab.page) == []
    allow(tab)
    tab.wait_for_answer()


@on_both
def test_each_sub_agent_has_a_card_with_its_own_work_and_what_it_answered(
    tab: Tab, client: Client, project: Path
) -> None:
    tests = "\n@@next\n".join(
        [call("read_file", path="test_sums.py"), call("run_command", command="ls"), "@@text It wants **five**."]
    )
    code = call("read_file", path="sums.py") + "\n@@next\n@@text It subtracts."
    both = call("delegate", title="The tests", task=tests) + "\n" + call("delegate", title="The code", task=code)
    tab.open_session(begin(client, project, f"{both}\n@@next\n@@text Both are back."))

    first, second = (tab.page.get_by_role("region", name=f"Sub-agent: {name}") for name in ("The tests", "The code"))
    expect(first.get_by_role("button").first).to_contain_text("waits for your word")
    expect(first).to_contain_text("test_sums.py")
    expect(second).not_to_contain_text("test_sums.py")
    allow(tab)
    expect(tab.wait_for_answer()).to_contain_text("Both are back.")
    tab.page.reload()
    tab.touch(tab.page.get_by_role("button", name="5 steps"))
    for card, answer in ((first, "five"), (second, "It subtracts.")):
        tab.touch(card.get_by_role("button").first)
        expect(card.get_by_text(answer, exact=True)).to_be_visible()
    expect(second.get_by_role("group")).to_have_count(1)
    assert serious(tab.page) == []


def test_a_line_that_waits_for_an_answer_says_so(tab: Tab, client: Client, project: Path) -> None:
    tab.open_session(begin(client, project, call("ask_person", question="Tabs?") + "\n@@next\n@@text Good."))

    expect(tab.answer.get_by_role("group").filter(has_text="Ask you")).to_contain_text("waits for your word")
    tab.page.get_by_role("textbox", name="Your answer").fill("Spaces")
    tab.button("Send answer").click()
    expect(tab.wait_for_answer()).to_contain_text("Good.")
    expect(tab.answer).not_to_contain_text("waits for your word")


def test_what_the_agent_remembers_is_read_and_changed_in_the_settings(visit: Visit, client: Client) -> None:
    tab = visit("/settings")
    memory = tab.page.get_by_role("textbox", name="Memory")
    memory.fill("Prefers tabs.")
    tab.touch(tab.button("Save the memory"))
    expect(tab.toast("The memory was kept.")).to_be_visible()

    assert client.get("/api/memory")["text"] == "Prefers tabs."
    tab.page.reload()
    expect(memory).to_have_value("Prefers tabs.")


def test_a_command_that_ran_is_shown_and_copied_as_it_was_and_the_memory_is_no_file_of_the_folder(
    visit: Visit, client: Client, project: Path
) -> None:
    command = "echo 'a\u202eb' &&\n  echo \"$HOME\""
    done = "\n@@next\n".join(
        [
            call("update_plan", entries=[{"text": "Say it", "status": "completed"}]),
            call("run_command", command=command, timeout_s=30),
            call("remember", add="They like it short."),
            call("write_file", path="said.txt", content="It was said.\n"),
            "@@text Said.",
        ]
    )
    session_id = client.post("/api/session/new", workspace=str(project), approval_mode="full")["session"]["session_id"]
    client.start(session_id, done, model=MODEL)
    tab = visit(f"/s/{session_id}")

    answer = tab.wait_for_answer()
    expect(answer.get_by_text("1 file changed")).to_be_visible()
    expect(answer.get_by_role("group").filter(has_text="1 / 1")).to_be_visible()
    expect(answer.get_by_text("Update the plan")).to_have_count(0)
    line = answer.get_by_role("group").filter(has_text="timeout_s")
    answer.get_by_text("Ran").click()
    expect(line).to_contain_text("echo 'aU+202Eb' &&\n  echo")
    expect(line.get_by_role("definition")).to_have_text("30")
    line.get_by_role("button", name="Copy").click()
    assert tab.page.evaluate("navigator.clipboard.readText()") == command
