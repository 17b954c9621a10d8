"""Agents that are programs: found, checked, added after their exact command was shown, talked to, removed."""

import re
import sys
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.devices import on_both
from tests.browser.tab import Tab
from tests.serving import TOKEN, Client

FAKE = Path(__file__).parents[1] / "fakes/acp_agent.py"
MCP_SERVER = FAKE.with_name("mcp_server.py")


@on_both
def test_an_agent_is_added_after_its_exact_command_was_shown_then_checked_talked_to_and_removed(tab: Tab) -> None:
    page = tab.page
    tab.go("/settings")
    tab.touch(tab.button("Add an agent"))
    expect(page.get_by_label("Name", exact=True).last).to_be_focused()
    page.keyboard.type("My agent")
    page.get_by_label("Command", exact=True).fill(f"'{sys.executable}' {FAKE} commands")
    page.get_by_label("Environment, if it needs one").fill("SECRET=hush-hush")
    tab.touch(tab.button("Show the exact command"))

    words = page.get_by_role("list", name="Command").get_by_role("listitem")
    expect(words).to_have_text([sys.executable, str(FAKE), "commands"])
    expect(tab.button("Add exactly this")).to_be_focused()
    tab.touch(tab.button("Add exactly this"))
    card = page.get_by_role("listitem").filter(has_text="added here")
    expect(card).to_contain_text("My agent")
    expect(card).to_contain_text("sets SECRET")
    expect(page.locator("body")).not_to_contain_text("hush")
    tab.touch(tab.button("Check: My agent"))
    expect(card.get_by_role("status")).to_have_text("It works: Fake Agent 1.2.3.")

    tab.go("/")
    tab.touch(tab.model_chip)
    page.keyboard.type("my agent")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    tab.ask('@@tool t execute {"command":"ls"} List the files\n@@progress t completed one\n@@text Done here.')
    answer = page.get_by_role("article", name="My agent answered")
    expect(answer).to_contain_text("Done here.")
    expect(answer.get_by_text("ls", exact=True)).to_be_visible()

    tab.composer.press("/")
    theirs = page.get_by_role("group", name="My agent’s own commands").get_by_role("option")
    expect(theirs).to_have_text([re.compile("^/init"), re.compile("^/review branch"), re.compile("^//help")])
    page.keyboard.type("rev")
    page.keyboard.press("Enter")
    expect(tab.composer).to_have_value("/review ")
    tab.ask("/review the branch")
    expect(page.get_by_role("article", name="My agent answered").last).to_contain_text("/review the branch")

    tab.go("/settings")
    tab.touch(tab.button("Remove: My agent"))
    tab.touch(tab.button("Remove"))
    expect(card).to_have_count(0)
    expect(tab.button("Add an agent")).to_be_focused()


@on_both
def test_an_agent_is_given_an_mcp_server_by_a_switch_on_its_card(tab: Tab, client: Client) -> None:
    tools = {"name": "tools", "command": sys.executable, "args": [str(MCP_SERVER)]}
    argv = client.post("/api/mcp/add", **tools)["argv"]
    client.post("/api/mcp/add", **tools, confirm=True, argv=argv, token=TOKEN)
    agent = {"name": "mine", "title": "My agent", "command": sys.executable, "args": [str(FAKE)]}
    argv = client.post("/api/agents/add", **agent)["argv"]
    client.post("/api/agents/add", **agent, confirm=True, argv=argv)

    tab.go("/settings")
    card = tab.page.get_by_role("listitem").filter(has_text="added here")
    tab.touch(card.get_by_text("MCP servers: 0 of 1 given"))
    expect(card).to_contain_text("keys included")
    tab.touch(card.get_by_role("switch", name="tools"))

    expect(card).to_contain_text("MCP servers: 1 of 1 given")
    assert [one["mcp"] for one in client.get("/api/agents")["agents"] if one["name"] == "mine"] == [["tools"]]
    client.post("/api/agents/remove", name="mine")
    client.post("/api/mcp/remove", name="tools")


@on_both
def test_what_cannot_be_added_is_said_and_what_was_typed_stays(tab: Tab) -> None:
    page = tab.page
    tab.watch.allow("status of 4")
    tab.go("/settings")
    tab.touch(tab.button("Add an agent"))
    page.get_by_label("Name", exact=True).last.fill("Mine")
    page.get_by_label("Command", exact=True).fill("no-such-program --acp")

    tab.touch(tab.button("Show the exact command"))

    expect(page.get_by_role("alert").filter(has_text="no-such-program")).to_be_visible()
    expect(page.get_by_label("Command", exact=True)).to_have_value("no-such-program --acp")
    tab.touch(tab.button("Cancel"))
    expect(tab.button("Add an agent")).to_be_focused()


def test_a_known_agent_is_offered_to_be_installed_and_it_is_said_why_that_failed(tab: Tab) -> None:
    tab.go("/settings")
    card = tab.page.get_by_role("list", name="Can be installed here").get_by_role("listitem")
    expect(card).to_contain_text("150 MB")

    tab.touch(tab.button("Install: Hermes Agent"))

    # The server of the tests may download nothing.
    expect(card.get_by_role("status")).to_contain_text("It could not be installed.", timeout=60_000)
    expect(tab.button("Install: Hermes Agent")).to_be_enabled()
