"""Putting sessions in order: projects, tags, many at once, and files of them."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import MODEL
from tests.browser.devices import Device, on_both
from tests.browser.tab import Tab
from tests.browser.test_for_everyone import serious
from tests.http.conftest import until
from tests.serving import Client

pytestmark = pytest.mark.usefixtures("tidy")


def made(client: Client, *titles: str) -> list[str]:
    ids = [client.new_session() for _ in titles]
    for session_id, title in zip(ids, titles, strict=True):
        client.answer(session_id, title, model=MODEL)
    return ids


def dialog(tab: Tab, name: str) -> Locator:
    return tab.page.get_by_role("dialog", name=name)


def row_of(client: Client, session_id: str) -> dict[str, object]:
    return client.get("/api/session", session_id=session_id, messages=0)["session"]


def show(tab: Tab, what: str) -> None:
    tab.touch(tab.open_sessions().get_by_role("button", name="Showing:"))
    tab.pick(what)


def dropped(tab: Tab, text: str) -> None:
    """Drop a file onto the column."""
    tab.open_sessions().evaluate(
        """(column, text) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([text], "sessions.json", { type: "application/json" }));
            column.dispatchEvent(new DragEvent("dragover", { dataTransfer, bubbles: true, cancelable: true }));
            column.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        text,
    )


@on_both
def test_a_session_is_filed_under_a_new_project_that_the_column_then_shows(
    tab: Tab, client: Client, device: Device
) -> None:
    name = f"Garden of a {device}"
    first, _ = made(client, f"Roses {name}", f"Taxes {name}")
    tab.do(f"Roses {name}", "Move to project …")
    asked = dialog(tab, "Move to project")
    assert serious(tab.page) == []
    asked.get_by_role("textbox", name="New project").fill(name)
    tab.touch(asked.get_by_role("button", name="Create"))
    expect(tab.toast(f"Moved 1 session to “{name}”.")).to_be_visible()
    assert row_of(client, first)["project_id"]

    show(tab, name)
    expect(tab.rows).to_have_text([f"Roses {name}"])
    assert serious(tab.page) == []
    show(tab, "All sessions")
    expect(tab.row(f"Taxes {name}")).to_be_visible()


@on_both
def test_a_project_is_renamed_coloured_and_deleted_and_its_sessions_stay(tab: Tab, client: Client) -> None:
    project = client.post("/api/projects/create", name="Boat")["project"]
    (session_id,) = made(client, "Sails")
    client.post("/api/session/move", session_id=session_id, project_id=project["project_id"])
    show(tab, "Edit projects …")
    asked = dialog(tab, "Projects")

    asked.get_by_role("textbox", name="Name of Boat").fill("Ship")
    asked.get_by_role("textbox", name="Name of Boat").press("Tab")
    expect(asked.get_by_role("textbox", name="Name of Ship")).to_be_visible()
    asked.get_by_role("combobox", name="Colour of Ship").select_option("violet")
    expect(asked.get_by_role("combobox", name="Colour of Ship")).to_have_value("violet")
    assert serious(tab.page) == []
    tab.watch.allow("status of 4")
    asked.get_by_role("textbox", name="New project").fill("Ship")
    tab.touch(asked.get_by_role("button", name="Create"))
    expect(asked.get_by_role("alert")).to_be_visible()

    tab.touch(asked.get_by_role("button", name="Delete Ship"))
    expect(asked.get_by_role("textbox", name="Name of Ship")).to_have_count(0)
    tab.page.keyboard.press("Escape")
    expect(asked).to_have_count(0)
    tab.open_sessions()
    expect(tab.row("Sails")).to_be_visible()


@on_both
def test_tags_stand_in_the_list_and_are_taken_back(tab: Tab, client: Client) -> None:
    (session_id,) = made(client, "Tagged one")
    tab.do("Tagged one", "Tags …")
    dialog(tab, "Tags").get_by_role("textbox").fill("#home later")
    tab.page.keyboard.press("Enter")
    row = tab.rows.filter(has_text="Tagged one")
    expect(row).to_contain_text("#home #later")
    until(lambda: row_of(client, session_id)["tags"] == ["home", "later"])  # shown at once, and told then

    tab.touch(tab.toast("Tagged 1 session.").get_by_role("button", name="Undo"))
    expect(row).not_to_contain_text("#home")


@on_both
def test_a_word_with_its_sign_in_a_title_is_a_tag(tab: Tab, client: Client) -> None:
    (session_id,) = made(client, "Soup")
    tab.do("Soup", "Rename")
    tab.page.get_by_role("textbox", name="New title").fill("Soup for winter #kitchen")
    tab.page.keyboard.press("Enter")

    expect(tab.rows.filter(has_text="Soup for winter")).to_contain_text("#kitchen")
    until(lambda: row_of(client, session_id)["tags"] == ["kitchen"])


@on_both
def test_many_are_chosen_archived_and_brought_back_at_once(tab: Tab, client: Client) -> None:
    made(client, "Bulk one", "Bulk two", "Bulk three")
    if tab.phone:
        for title in ("Bulk three", "Bulk two", "Bulk one"):
            tab.do(title, "Select")
    else:
        tab.row("Bulk three").click(modifiers=["ControlOrMeta"])
        tab.row("Bulk one").click(modifiers=["Shift"])
    bar = tab.page.get_by_role("toolbar", name="3 selected")
    expect(bar).to_be_visible()
    assert serious(tab.page) == []

    tab.touch(bar.get_by_role("button", name="Archive"))
    for title in ("Bulk one", "Bulk two", "Bulk three"):
        expect(tab.row(title)).to_have_count(0)
    tab.touch(tab.toast("Archived 3 sessions.").get_by_role("button", name="Undo"))
    for title in ("Bulk one", "Bulk two", "Bulk three"):
        expect(tab.row(title)).to_be_visible()


def test_many_are_chosen_by_keyboard_and_deleted_with_one_undo(tab: Tab, client: Client) -> None:
    made(client, "Key one", "Key two")
    tab.row("Key two").focus()
    for key in ("Space", "ArrowDown", "Shift+Space"):
        tab.page.keyboard.press(key)
    bar = tab.page.get_by_role("toolbar", name="2 selected")
    bar.get_by_role("button", name="Delete").click()
    expect(tab.row("Key one")).to_have_count(0)
    expect(tab.row("Key two")).to_have_count(0)

    tab.toast("Deleted 2 sessions.").get_by_role("button", name="Undo").click()
    expect(tab.row("Key one")).to_be_visible()
    expect(tab.row("Key two")).to_be_visible()


@on_both
def test_a_session_is_branched_from_its_menu_and_goes_on_by_itself(tab: Tab, client: Client) -> None:
    (session_id,) = made(client, "The trunk")
    tab.do("The trunk", "Branch")
    expect(tab.page.get_by_role("heading", name="The trunk (branch)")).to_be_visible()
    expect(tab.answers).to_have_count(1)
    if not tab.phone:
        expect(tab.composer).to_be_focused()

    tab.ask("Only here")

    expect(tab.said).to_have_text(["The trunk", "Only here"])
    assert len(client.messages(session_id)) == 2


@on_both
def test_a_session_is_duplicated_and_cleared_with_undo(tab: Tab, client: Client) -> None:
    (session_id,) = made(client, "The original")
    tab.open_session(session_id)
    tab.do("The original", "Duplicate")
    expect(tab.page).not_to_have_url(tab.address + f"/s/{session_id}")
    expect(tab.said).to_have_text(["The original"])

    tab.open_session(session_id)
    tab.do("The original", "Clear")
    expect(tab.said).to_have_count(0)
    tab.touch(tab.toast("is empty now").get_by_role("button", name="Undo"))
    expect(tab.said).to_have_text(["The original"])


@on_both
def test_an_exported_session_comes_back_by_dropping_its_file(tab: Tab, client: Client, tmp_path: Path) -> None:
    made(client, "Travelling")
    with tab.page.expect_download() as begun:
        tab.do("Travelling", "Export as Markdown")
    begun.value.save_as(tmp_path / "travelling.md")
    assert "Travelling" in (tmp_path / "travelling.md").read_text()
    with tab.page.expect_download() as begun:
        tab.do("Travelling", "Export as JSON")
    begun.value.save_as(tmp_path / "travelling.json")
    text = (tmp_path / "travelling.json").read_text()

    with tab.page.expect_download() as begun:
        tab.do("Travelling", "Export as web page")
    begun.value.save_as(tmp_path / "travelling.html")
    page = (tmp_path / "travelling.html").read_text()
    assert "Travelling" in page
    assert re.search(r"<script|(?:src|href)=.(?!#|data:)", page) is None, "it asks others for something"

    dropped(tab, text)
    expect(tab.toast("Everything in this file is here already.")).to_be_visible()
    dropped(tab, json.dumps(json.loads(text) | {"title": "Arrived", "session_id": "from-elsewhere"}))
    tab.touch(tab.toast("Imported 1 session.").get_by_role("button", name="Show"))
    expect(tab.page.get_by_role("heading", name="Arrived")).to_be_visible()


@on_both
def test_a_broken_file_is_refused_with_a_sentence(tab: Tab, tmp_path: Path) -> None:
    tab.watch.allow("status of 400")
    broken = tmp_path / "broken.json"
    broken.write_text('{"session_id": ')
    with tab.page.expect_file_chooser() as chooser:
        show(tab, "Import …")
    chooser.value.set_files(broken)
    expect(tab.toast("This file is no JSON. Nothing was imported.")).to_be_visible()

    dropped(tab, "[1, 2]")
    expect(tab.toast("is no conversation")).to_be_visible()
