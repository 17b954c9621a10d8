"""The trash: what was deleted comes back, or goes for good, by mouse and by keyboard."""

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit
from tests.browser.devices import PHONE, on, on_both
from tests.browser.documents import write_session
from tests.browser.tab import Tab
from tests.serving import Client

pytestmark = pytest.mark.usefixtures("tidy")

TITLES = ("Kept for long", "Thrown away", "Very last")


@pytest.fixture
def deleted(client: Client) -> Iterator[None]:
    """Three deleted sessions, and no others. The trash is emptied afterwards."""
    empty_trash(client)
    for title in TITLES:
        delete(client, title)
    yield
    empty_trash(client)


def empty_trash(client: Client) -> None:
    for item in client.get("/api/trash")["items"]:
        client.post("/api/trash/remove", session_id=item["session_id"])


def delete(client: Client, title: str) -> str:
    messages = [{"role": "user", "content": "A question"}, {"role": "assistant", "content": "An answer"}]
    session_id = secrets.token_hex(16)
    client.post("/api/session/import", session_id=session_id, title=title, messages=messages)
    client.post("/api/session/delete", session_id=session_id)
    return session_id


def lines(tab: Tab) -> Locator:
    return tab.page.get_by_role("list", name="Trash").get_by_role("listitem")


@on_both
def test_a_deleted_conversation_is_restored_and_shown(tab: Tab, deleted: None) -> None:
    tab.touch(tab.open_sessions().get_by_role("link", name="Trash"))
    line = lines(tab).filter(has_text="Kept for long")
    expect(line).to_contain_text("2 messages")
    expect(line).to_contain_text("30 days left")

    tab.touch(tab.button("Restore: Kept for long"))

    expect(line).to_have_count(0)
    tab.touch(tab.toast("is back").get_by_role("button", name="Show"))
    expect(tab.answer).to_contain_text("An answer")
    tab.open_sessions()
    expect(tab.row("Kept for long")).to_be_visible()


def test_deleting_for_good_is_asked_about_and_done_by_keyboard(visit: Visit, client: Client, deleted: None) -> None:
    tab = visit("/trash")
    expect(lines(tab)).to_have_count(3)
    tab.button("Delete for good: Thrown away").focus()
    tab.page.keyboard.press("Enter")
    expect(tab.button("Keep")).to_be_focused()
    tab.page.keyboard.press("Enter")
    expect(tab.button("Delete for good: Thrown away")).to_be_focused()
    expect(lines(tab)).to_have_count(3)

    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("Enter")

    expect(lines(tab)).to_have_count(2)
    expect(lines(tab).get_by_role("button").filter(has=tab.page.locator(":scope:focus"))).to_have_count(1)
    left = {item["title"] for item in client.get("/api/trash")["items"]}
    assert left == {"Kept for long", "Very last"}


@on(PHONE)
def test_what_is_deleted_elsewhere_appears_and_an_empty_trash_says_so(visit: Visit, client: Client) -> None:
    empty_trash(client)
    tab = visit("/trash")
    expect(tab.page.get_by_text("The trash is empty.")).to_be_visible()

    other = delete(client, "From another tab")

    expect(lines(tab)).to_have_count(1)
    for button in lines(tab).get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44, "too small for a finger"
    client.post("/api/trash/remove", session_id=other)
    expect(lines(tab)).to_have_count(0)


@on_both
def test_a_file_that_cannot_be_shown_is_named_with_its_reason_and_downloads(visit: Visit, state_dir: Path) -> None:
    path = state_dir / "sessions" / "broken <b>.json"
    path.write_bytes(b'{"messages": [{"role": "user", "content": "still there"}, {"role": "us')
    (state_dir / "sessions" / "cut.json").write_bytes(path.read_bytes())
    tab = visit("/settings")
    files = tab.page.get_by_role("list", name=re.compile("2 files that cannot be shown")).get_by_role("listitem")
    expect(files).to_have_count(2)
    expect(files.filter(has_text="cut.json")).to_contain_text("not valid JSON")

    with tab.page.expect_download() as download:
        tab.touch(tab.page.get_by_role("link", name="Download: cut.json"))

    assert download.value.path().read_bytes() == path.read_bytes()
    expect(files.filter(has_text="cut.json")).to_contain_text("1 message can still be read.")
    tab.touch(tab.button("Recover: cut.json"))
    tab.touch(tab.page.get_by_role("link", name="Show what was recovered"))
    expect(tab.said).to_contain_text("still there")
    for name in ("broken <b>.json", "cut.json"):
        (state_dir / "sessions" / name).unlink()


def test_what_another_program_writes_into_an_open_conversation_is_shown(visit: Visit, state_dir: Path) -> None:
    session_id = write_session(state_dir / "sessions", "Written by hand")
    tab = visit(f"/s/{session_id}")
    expect(tab.answer).to_contain_text("An answer")
    path = state_dir / "sessions" / f"{session_id}.json"
    document = json.loads(path.read_bytes())
    document["messages"][1]["content"] = "Edited in an editor"

    path.write_text(json.dumps(document))

    expect(tab.answer).to_contain_text("Edited in an editor")
