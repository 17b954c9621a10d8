"""Commands: where one writes, in the palette, and in the overview of them all."""

import re

from playwright.sync_api import Locator, expect

from tests.browser.devices import PHONE, PHONE_LIGHT, on, on_both
from tests.browser.tab import Tab
from tests.browser.test_for_everyone import serious
from tests.serving import Client


def offered(tab: Tab) -> Locator:
    return tab.page.get_by_role("listbox", name="Commands")


def palette(tab: Tab) -> Locator:
    return tab.page.get_by_role("dialog", name="Go to anything")


def open_palette(tab: Tab) -> Locator:
    tab.page.keyboard.press("Control+k")
    expect(palette(tab).get_by_role("combobox")).to_be_focused()
    return palette(tab)


def test_a_slash_offers_commands_which_tab_completes_with_a_hint(tab: Tab, client: Client) -> None:
    tab.ask("A question to name")
    tab.composer.press("/")
    expect(offered(tab).get_by_role("option")).to_have_count(len(client.get("/api/commands")["commands"]))
    tab.page.keyboard.type("re")
    expect(offered(tab).get_by_role("option")).to_have_count(2)
    assert serious(tab.page) == []

    tab.page.keyboard.press("ArrowDown")
    expect(offered(tab).get_by_role("option", selected=True)).to_contain_text("/retry")
    tab.page.keyboard.press("ArrowUp")
    tab.page.keyboard.press("Tab")

    expect(tab.composer).to_have_value("/rename ")
    expect(offered(tab)).to_have_count(0)
    expect(tab.page.get_by_role("status").filter(has_text="/rename <title>")).to_be_visible()
    tab.page.keyboard.type("Well named")
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("heading", name="Well named")).to_be_visible()
    expect(tab.row("Well named")).to_be_visible()
    expect(tab.composer).to_have_value("")


def test_escape_closes_the_list_and_keeps_the_text(tab: Tab) -> None:
    tab.composer.press("/")
    tab.page.keyboard.type("he")
    expect(offered(tab)).to_be_visible()

    tab.page.keyboard.press("Escape")

    expect(offered(tab)).to_have_count(0)
    expect(tab.composer).to_have_value("/he")
    tab.page.keyboard.type("l")
    expect(offered(tab).get_by_role("option")).to_have_count(1)
    tab.composer.fill("")


@on_both
def test_an_unknown_command_says_so_and_stays(tab: Tab) -> None:
    tab.watch.allow("status of 400")
    tab.send("/dance with me")

    expect(tab.page.get_by_role("status").filter(has_text="There is no command /dance.")).to_be_visible()
    expect(tab.composer).to_have_value("/dance with me")
    expect(tab.said).to_have_count(0)
    tab.composer.fill("")


def test_two_slashes_send_one(tab: Tab) -> None:
    tab.ask("//etc/hosts is a file")

    expect(tab.said).to_have_text("/etc/hosts is a file")


@on_both
def test_undo_brings_the_message_back_and_clear_empties(tab: Tab) -> None:
    tab.ask("First")
    tab.ask("Second")

    tab.send("/undo")
    expect(tab.composer).to_have_value("Second")
    expect(tab.said).to_have_text(["First"])

    tab.send("/clear")
    expect(tab.said).to_have_count(0)
    expect(tab.toast("messages were taken away")).to_be_visible()


def test_retry_answers_anew_and_stop_ends_it(tab: Tab, client: Client) -> None:
    tab.ask("Say it again\n@@pace 0.1\n@@text One two three four five six")
    tab.send("/retry")
    expect(tab.button("Stop")).to_be_visible()
    expect(tab.answers).to_have_count(1)
    expect(tab.wait_for_answer()).to_contain_text("six")

    tab.send("Begin\n@@text Begun.\n@@silence")
    expect(tab.button("Stop")).to_be_visible()
    expect(tab.answer).to_contain_text("Begun.")
    tab.send("/stop")
    expect(tab.answer).to_contain_text("Stopped.")


@on_both
def test_branch_opens_the_copy_and_new_begins_a_chat_with_words(tab: Tab) -> None:
    tab.ask("The trunk")
    trunk = tab.session_id

    tab.send("/branch The branch")
    expect(tab.page.get_by_role("heading", name="The branch")).to_be_visible()
    expect(tab.said).to_have_text("The trunk")
    assert tab.session_id != trunk

    tab.send("/new Something else")
    expect(tab.composer).to_have_value("Something else")
    expect(tab.said).to_have_count(0)
    tab.composer.fill("")


@on_both
def test_export_saves_a_file_and_theme_and_model_change_the_page(tab: Tab) -> None:
    tab.ask("Worth keeping")
    with tab.page.expect_download() as saved:
        tab.send("/export markdown")
    assert saved.value.suggested_filename.endswith(".md")
    assert "Worth keeping" in saved.value.path().read_text()

    tab.send("/theme midnight")
    expect(tab.page.locator("html")).to_have_attribute("data-theme", "midnight")
    tab.send("/theme plaid")
    expect(tab.toast("There is no theme “plaid”.")).to_be_visible()

    tab.send("/model")
    expect(tab.page.get_by_role("listbox", name="Choose a model")).to_be_visible()
    tab.page.keyboard.press("Escape")
    tab.send("/model mock")
    expect(tab.toast("mock-1 answers from now on.")).to_be_visible()


def test_help_and_the_question_mark_show_everything_there_is(tab: Tab) -> None:
    tab.send("/help")
    sheet = tab.page.get_by_role("dialog", name="Shortcuts and commands")
    expect(sheet.get_by_text("/background", exact=True)).to_be_visible()
    expect(sheet.get_by_text("Find in this conversation", exact=True)).to_be_visible()
    assert serious(tab.page) == []
    tab.page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)

    tab.composer.press("?")
    expect(tab.composer).to_have_value("?")
    tab.composer.fill("")
    tab.row("Worth keeping").first.focus() if tab.rows.count() else tab.button("Archived").focus()
    tab.page.keyboard.press("?")
    expect(sheet).to_be_visible()


def test_the_palette_finds_conversations_messages_commands_and_settings(tab: Tab) -> None:
    tab.ask("A word about lighthouses")
    tab.go("/")
    expect(tab.row("A word about lighthouses")).to_be_visible()
    expect(tab.composer).to_be_focused()

    box = open_palette(tab)
    expect(box.get_by_role("group").first).to_have_accessible_name("Recent conversations")
    assert serious(tab.page) == []
    tab.page.keyboard.type("lighthouses")
    expect(box.get_by_role("group", name="Conversations")).to_contain_text("A word about lighthouses")
    expect(box.get_by_role("group", name="Messages")).to_be_visible()
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("heading", name="A word about lighthouses")).to_be_visible()

    box = open_palette(tab)
    tab.page.keyboard.type("theme dark")
    expect(box.get_by_role("option")).to_have_text(["Theme: Dark"])
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator("html")).to_have_attribute("data-theme", "dark")

    box = open_palette(tab)
    tab.page.keyboard.type(">re")
    expect(box.get_by_role("group")).to_have_count(1)
    tab.page.keyboard.type("name")
    expect(box.get_by_role("option").first).to_contain_text("/rename <title>")
    tab.page.keyboard.press("Enter")
    expect(tab.composer).to_have_value("/rename ")
    expect(tab.composer).to_be_focused()
    tab.composer.fill("")

    open_palette(tab)
    tab.page.keyboard.press("Escape")
    expect(palette(tab)).to_have_count(0)
    expect(tab.composer).to_be_focused()


def test_the_palette_is_drawn_in_the_frame_that_follows_the_key(tab: Tab) -> None:
    open_palette(tab)
    tab.page.keyboard.press("Escape")
    expect(palette(tab)).to_have_count(0)
    drawn = tab.page.evaluate(
        """async () => {
            const frame = () => new Promise((done) => requestAnimationFrame(done));
            document.body.dispatchEvent(
                new KeyboardEvent("keydown", { key: "k", ctrlKey: true, bubbles: true, cancelable: true }));
            await frame();
            return document.querySelectorAll("dialog[open] [role=option]").length;
        }"""
    )
    assert drawn > 3


@on(PHONE_LIGHT, PHONE)
def test_a_phone_has_commands_by_touch(tab: Tab) -> None:
    tab.page.emulate_media(reduced_motion="reduce")
    tab.composer.tap()
    tab.page.keyboard.type("/he")
    expect(offered(tab)).to_be_in_viewport()
    assert serious(tab.page) == []

    offered(tab).get_by_role("option", name=re.compile("help Show all")).tap()

    sheet = tab.page.get_by_role("dialog", name="Shortcuts and commands")
    expect(sheet).to_be_visible()
    assert serious(tab.page) == []
    sheet.get_by_role("button", name="Close").tap()
    expect(sheet).to_have_count(0)
