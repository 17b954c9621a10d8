"""MCP servers: added after their exact command was shown and the login given again, switched, used, removed."""

import sys
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.devices import on_both
from tests.browser.tab import Tab
from tests.fakes.provider import FakeProvider
from tests.serving import TOKEN, Client

FAKE = Path(__file__).parents[1] / "fakes/mcp_server.py"


@on_both
def test_a_server_is_added_with_the_login_its_tools_switched_one_used_and_all_removed(tab: Tab, client: Client) -> None:
    page = tab.page
    tab.watch.allow("status of 4")
    tab.go("/settings")
    tab.touch(tab.button("Add an MCP server"))
    expect(page.get_by_label("Name", exact=True).last).to_be_focused()
    page.keyboard.type("My Tools")
    page.get_by_label("Command", exact=True).fill(f"'{sys.executable}' {FAKE} '; touch canary'")
    page.get_by_label("Environment, if it needs one").fill("SECRET=hush-hush")
    tab.touch(tab.button("Show exactly what is added"))

    command = page.get_by_role("list", name="Command").get_by_role("listitem")
    expect(command).to_have_text([sys.executable, str(FAKE), "; touch canary"])
    proof = page.get_by_label("Who is asking?")
    expect(proof).to_be_focused()
    page.keyboard.type("not the token")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="neither the token")).to_be_visible()
    expect(proof).to_be_focused()
    page.keyboard.type(TOKEN)
    page.keyboard.press("Enter")

    card = page.get_by_role("listitem").filter(has_text="11 tools on")
    expect(card).to_contain_text("Fake 1.2")
    expect(card).to_contain_text("sets SECRET")
    expect(page.locator("body")).not_to_contain_text("hush")
    expect(tab.button("Add an MCP server")).to_be_focused()
    tab.touch(card.get_by_text("11 of 11 tools on"))
    tab.touch(card.get_by_role("button", name="Turn all off"))
    expect(card).to_contain_text("0 of 11 tools on")
    card.get_by_role("switch", name="echo").press("Space")
    expect(card).to_contain_text("1 of 11 tools on")
    tab.touch(tab.button("Check: my-tools"))
    expect(card.get_by_role("status")).to_have_text("It works: Fake 1.2.")

    with FakeProvider() as provider:
        saved = client.post("/api/providers/save", kind="openai_compatible", base_url=provider.url)
        tab.go("/")
        tab.send('@@tool my-tools__echo {"text": "Hello from afar."}\n@@next\n@@text Done here.')
        asked = page.get_by_role("region").filter(has_text="Hello from afar.")
        tab.touch(asked.get_by_role("button", name="Allow once", exact=True))
        expect(tab.answer).to_contain_text("Done here.")
        client.post("/api/providers/delete", id=saved["provider"]["id"])

    tab.go("/settings")
    tab.touch(tab.button("Remove: my-tools"))
    tab.touch(tab.button("Remove"))
    expect(card).to_have_count(0)
    expect(tab.button("Add an MCP server")).to_be_focused()
