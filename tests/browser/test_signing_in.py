"""The door: the printed link, the token, and being shown out."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.devices import on_both
from tests.browser.tab import Tab
from tests.serving import TOKEN, Client, ServerProcess


def test_the_printed_link_signs_in_once_and_leaves_the_address(visit: Visit, server: ServerProcess) -> None:
    printed = re.search(r"http://\S+(/#code=\S+)", server.log())
    assert printed, server.log()

    first = visit(printed[1], signed_in=False)
    expect(first.composer).to_be_focused()
    assert first.page.url == f"{server.address}/"
    first.page.go_back()
    assert "code" not in first.page.url

    second = visit(printed[1], signed_in=False)
    second.watch.allow("status of 401")
    expect(second.door).to_be_visible()
    expect(second.page.get_by_role("alert")).to_contain_text("That link was used already or is too old.")
    assert second.page.url == f"{server.address}/"


@on_both
def test_a_stranger_gets_the_door_and_comes_in_by_token(visit: Visit) -> None:
    tab = visit("/settings", signed_in=False)
    tab.watch.allow("status of 401")
    field = tab.page.get_by_label("Link or token")
    expect(field).to_be_focused()

    field.fill("not the token of this server")
    field.press("Enter")
    expect(tab.page.get_by_role("alert")).to_have_text("That is not the token of this server.")

    field.fill(TOKEN)
    tab.touch(tab.button("Sign in"))
    expect(tab.page.get_by_role("heading", name="Settings")).to_be_visible()


def test_a_pasted_link_signs_in_as_well(visit: Visit, client: Client) -> None:
    tab = visit("/", signed_in=False)
    tab.watch.allow("status of 401")
    link = tab.address + client.post("/api/auth/link")["path"]

    tab.page.get_by_label("Link or token").fill(link)
    tab.page.keyboard.press("Enter")

    expect(tab.composer).to_be_focused()


def test_signing_out_closes_every_tab_of_this_browser(tab: Tab) -> None:
    tab.watch.allow("status of 401")
    other = tab.twin("/settings")
    other.button("Sign out").click()
    expect(other.door).to_be_visible()

    tab.button("Archived").click()

    expect(tab.door).to_be_visible()
    tab.page.reload()
    expect(tab.door).to_be_visible()
