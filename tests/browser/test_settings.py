"""What belongs to the whole page: its colours, its weight, and that it speaks to nobody else."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.devices import on_both
from tests.browser.tab import Tab
from tests.serving import Client

FIRST_LOAD_BYTES = 120_000
FIRST_LOAD_REQUESTS = 10
# Notes when the theme was set, to compare with when something was first painted.
WHEN_THEMED = """
window.themedAt = null;
new MutationObserver(() => {
    if (document.documentElement?.dataset.theme) window.themedAt ??= performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true });
"""


def surface(tab: Tab) -> int:
    """How light the page is, from 0 to 255."""
    colour = tab.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return max(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))


def test_light_dark_and_system_are_kept_over_a_reload(visit: Visit) -> None:
    tab = visit("/settings")
    group = tab.page.get_by_role("group", name="Theme")
    assert surface(tab) > 200

    for name, is_dark in (("Dark", True), ("Light", False), ("System", False)):
        group.get_by_text(name).click()
        tab.page.reload()
        expect(group.get_by_role("radio", name=name)).to_be_checked()
        assert (surface(tab) < 60) == is_dark, name

    tab.page.emulate_media(color_scheme="dark")
    assert surface(tab) < 60


def test_a_chosen_theme_is_there_before_the_first_paint(visit: Visit) -> None:
    tab = visit("/settings", script=WHEN_THEMED)
    tab.page.get_by_role("group", name="Theme").get_by_text("Dark").click()

    tab.go("/")
    expect(tab.composer).to_be_visible()

    themed, painted = tab.page.evaluate("[themedAt, performance.getEntriesByName('first-paint')[0]?.startTime]")
    assert themed is not None
    assert painted is not None
    assert themed < painted


def test_sending_with_ctrl_and_enter_leaves_enter_for_new_lines_and_the_overview_says_so(visit: Visit) -> None:
    tab = visit("/settings")
    tab.page.get_by_role("group", name="Send with").get_by_text("Ctrl + Enter").click()
    tab.page.get_by_role("link", name="Back").click()
    tab.page.reload()

    tab.composer.press_sequentially("one")
    tab.composer.press("Enter")
    tab.composer.press_sequentially("two")
    expect(tab.composer).to_have_value("one\ntwo")
    tab.composer.press("Control+Enter")
    expect(tab.said).to_have_text("one\ntwo", use_inner_text=True)
    tab.wait_for_answer()

    tab.rows.first.focus()
    tab.page.keyboard.press("?")
    sheet = tab.page.get_by_role("dialog", name="Shortcuts and commands")
    expect(sheet.get_by_text("Send; while an answer is written").locator("xpath=..")).to_contain_text("CtrlEnter")
    expect(sheet.get_by_text("Keep the changed text").locator("xpath=..")).to_contain_text("CtrlEnter")


@on_both
def test_the_settings_say_where_one_is_and_lead_back_to_the_conversation(visit: Visit, client: Client) -> None:
    session_id = client.new_session()
    client.answer(session_id, "Where I was")
    tab = visit(f"/s/{session_id}")
    expect(tab.answers).to_have_count(1)
    tab.touch(tab.open_sessions().get_by_role("link", name="Settings"))
    expect(tab.page.get_by_role("heading", name="Settings", exact=True)).to_be_visible()
    tab.open_sessions()
    expect(tab.page.get_by_role("link", name="Settings")).to_have_attribute("aria-current", "page")
    tab.close_sessions()

    tab.touch(tab.page.get_by_role("link", name="Back"))

    expect(tab.page).to_have_url(f"{tab.address}/s/{session_id}")
    expect(tab.said).to_have_text(["Where I was"])


def test_the_first_visit_is_light(visit: Visit) -> None:
    tab = visit()
    expect(tab.composer).to_be_focused()
    expect(tab.model_chip).to_have_text("mock-1")

    files = [one for one in tab.watch.responses if "/api/" not in one.url and not one.url.startswith("data:")]
    sizes = {one.url.removeprefix(tab.address): one.request.sizes()["responseBodySize"] for one in files}

    assert sum(sizes.values()) <= FIRST_LOAD_BYTES, sizes
    assert len(tab.watch.requests) <= FIRST_LOAD_REQUESTS + 4, [one.url for one in tab.watch.requests]
    compressed = {one.headers.get("content-encoding") for one in files if one.url.endswith((".js", ".css"))}
    assert compressed == {"gzip"}, "the big ones travel packed"
