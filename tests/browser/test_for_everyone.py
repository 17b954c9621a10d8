"""That everyone can use it: without a mouse, and with a screen reader."""

import re
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import MODEL, Visit
from tests.browser.devices import DESK, DESK_DARK, PHONE, PHONE_LIGHT, on
from tests.browser.tab import Tab
from tests.serving import TOKEN, Client

EVERYTHING = """\
@@think A thought worth folding.
@@tool shell {"command": "ls"}
@@output garden
@@error It was locked.
# A heading

Some **bold** text with `code` and a [link](https://example.org), then ~~gone~~.

```python
answer = 42  # of course
print(f"It is {answer}.")
```

| a | b |
| --- | --- |
| 1 | 2 |

> Said by someone else.

- [x] done
@@fail broken It broke in the middle.
"""


def serious(page: Page) -> list[str]:
    """What axe holds against a screen, when it is serious or worse."""
    violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:120]} {(node['any'] or [{}])[0].get('message', '')}"
        for one in violations
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


TOO_SMALL = """() => {
    const reaches = (node, x, y) => {
        const found = document.elementFromPoint(x, y);
        return found !== null && (node.contains(found) || [...(node.labels ?? [])].some((one) => one.contains(found)));
    };
    const height = (node) => {
        const box = node.getBoundingClientRect();
        const [x, middle] = [box.x + box.width / 2, box.y + box.height / 2];
        if (!reaches(node, x, middle)) return Infinity;  // out of view, or under something
        let [top, bottom] = [middle, middle];
        while (top > 0 && reaches(node, x, top - 1)) top -= 1;
        while (bottom < innerHeight - 1 && reaches(node, x, bottom + 1)) bottom += 1;
        return top <= 1 || bottom >= innerHeight - 2 ? Infinity : bottom - top + 1;
    };
    const all = document.querySelectorAll("button, a, select, input, textarea, label:has(input), [role=option]");
    const isCut = (node) => {
        const scroller = node.closest(".scroller, .results");
        if (!scroller) return false;
        const [outer, inner] = [scroller.getBoundingClientRect(), node.getBoundingClientRect()];
        return inner.top < outer.top || inner.bottom > outer.bottom;
    };
    return [...all]
        .filter((node) => node.checkVisibility() && !isCut(node) && height(node) < 43)
        .map((node) => `${height(node)} pixels: ${node.ariaLabel ?? node.textContent.trim()}`);
}"""


def wrong_with(tab: Tab) -> list[str]:
    return serious(tab.page) + out_of_reach(tab)


def out_of_reach(tab: Tab) -> list[str]:
    """What a finger hardly hits on a phone, and what leads out of its screen."""
    if not tab.phone:
        return []
    wide = tab.page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [*tab.page.evaluate(TOO_SMALL), *(["wider than the screen"] if wide else [])]


@on(DESK, DESK_DARK, PHONE, PHONE_LIGHT)
def test_axe_finds_nothing_serious_on_any_screen(tab: Tab, client: Client) -> None:
    session_id = client.new_session()
    client.answer(session_id, EVERYTHING)
    tab.page.emulate_media(reduced_motion="reduce")
    expect(tab.composer).to_be_visible()
    found = {"empty chat": wrong_with(tab)}

    tab.open_session(session_id)
    expect(tab.page.locator(".hljs-comment")).to_be_visible()
    tab.answer.get_by_text("Thought briefly").click()
    tab.answer.get_by_text("Running ls").click()
    found["conversation"] = wrong_with(tab)

    tab.model_chip.click()
    expect(tab.page.get_by_role("listbox")).to_be_visible()
    found["models"] = wrong_with(tab)
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("listbox")).to_have_count(0)

    tab.open_sessions()
    found["sessions"] = wrong_with(tab)
    tab.rows.first.focus()
    tab.page.keyboard.press("Shift+F10")
    expect(tab.page.get_by_role("menuitem", name="Rename")).to_be_focused()
    found["menu"] = wrong_with(tab)

    tab.go("/settings")
    expect(tab.page.get_by_label("Address", exact=True)).to_be_visible()
    found["settings"] = wrong_with(tab)
    tab.button("Sign out").click()
    expect(tab.door).to_be_visible()
    found["sign-in"] = wrong_with(tab)
    assert {screen: said for screen, said in found.items() if said} == {}


@on(DESK_DARK, PHONE)
def test_axe_finds_nothing_serious_in_the_dark_beside_a_conversation_in_filing_and_in_finding(
    visit: Visit, client: Client, tidy: None
) -> None:
    session_id = client.new_session()
    client.answer(session_id, "Something dark", model=MODEL)
    client.post("/api/btw", session_id=session_id, question="Asked in the dark", model=MODEL)
    client.post("/api/background", session_id=session_id, prompt="Lasting\n@@text Begun.\n@@silence", model=MODEL)
    tab = visit(f"/s/{session_id}")
    tab.page.emulate_media(reduced_motion="reduce")
    card = tab.page.get_by_role("region", name="Asked aside: Asked in the dark")
    expect(card).to_have_attribute("aria-busy", "false")
    found = {"asked aside": wrong_with(tab)}
    card.get_by_role("button", name="Put aside").click()
    tab.page.get_by_role("button", name=re.compile("^Show what is said so far: Lasting")).click()
    found["in the background"] = wrong_with(tab)

    tab.button("Find in this conversation").click()
    tab.page.get_by_role("searchbox", name="Find in this conversation").fill("dark")
    expect(tab.page.get_by_role("search", name="Find in this conversation").get_by_role("status")).to_have_text(
        "2 of 2"
    )
    found["found here"] = wrong_with(tab)
    tab.page.keyboard.press("Escape")

    tab.open_sessions()
    tab.page.get_by_role("searchbox", name="Find", exact=True).fill("dark")
    expect(tab.page.locator("mark").first).to_be_visible()
    found["found anywhere"] = wrong_with(tab)
    tab.page.keyboard.press("Escape")

    for action, name in (("Tags …", "Tags"), ("Move to project …", "Move to project")):
        tab.do("Something dark", action)
        expect(tab.page.get_by_role("dialog", name=name)).to_be_visible()
        found[name] = wrong_with(tab)
        tab.page.keyboard.press("Escape")
    tab.do("Something dark", "Select")
    expect(tab.page.get_by_role("toolbar", name="1 selected")).to_be_visible()
    found["selected"] = wrong_with(tab)
    assert {screen: said for screen, said in found.items() if said} == {}


NAME_OF_FOCUSED = """() => {
    const node = document.activeElement;
    return (node.ariaLabel ?? node.labels?.[0]?.textContent ?? node.textContent).trim();
}"""


def press(tab: Tab, *keys: str) -> None:
    for key in keys:
        tab.page.keyboard.press(key)


def tab_to(tab: Tab, name: str, key: str = "Tab", at_most: int = 40) -> None:
    """Go on with the Tab key until the thing with this name has the focus."""
    for _ in range(at_most):
        tab.page.keyboard.press(key)
        if tab.page.evaluate(NAME_OF_FOCUSED) == name:
            return
    raise AssertionError(f"{name!r} is not reached by {key}")


def test_everything_is_done_without_a_mouse(visit: Visit) -> None:
    tab = visit(signed_in=False)
    tab.watch.allow("status of 401")
    keyboard = tab.page.keyboard
    expect(tab.page.get_by_label("Link or token")).to_be_focused()
    keyboard.type(TOKEN)
    press(tab, "Enter")

    expect(tab.composer).to_be_focused()
    keyboard.type("By hand")
    press(tab, "Enter")
    tab.wait_for_answer()
    expect(tab.composer).to_be_focused()

    tab_to(tab, "By hand", "Shift+Tab")
    press(tab, "Tab")
    expect(tab.button("Actions for “By hand”")).to_be_focused()
    press(tab, "Enter")
    expect(tab.page.get_by_role("menuitem", name="Rename")).to_be_focused()
    press(tab, "Enter")
    expect(tab.page.get_by_role("textbox", name="New title")).to_be_focused()
    keyboard.type("Renamed by hand")
    press(tab, "Enter")
    expect(tab.row("Renamed by hand")).to_be_focused()

    press(tab, "Shift+F10", "ArrowDown", "ArrowDown")
    expect(tab.page.get_by_role("menuitem", name="Archive")).to_be_focused()
    press(tab, "Enter")
    expect(tab.row("Renamed by hand")).to_have_count(0)
    tab_to(tab, "Settings")
    tab_to(tab, "Archived", "Shift+Tab")  # the one below the list; a search can be narrowed to them too
    press(tab, "Enter")
    expect(tab.row("Renamed by hand")).to_be_visible()
    tab_to(tab, "Back to sessions", "Shift+Tab")
    press(tab, "Enter")

    tab_to(tab, "Settings")
    press(tab, "Enter")
    expect(tab.page.get_by_role("heading", name="Settings")).to_be_visible()
    tab_to(tab, "System")
    press(tab, "ArrowRight")
    expect(tab.page.get_by_role("radio", name="Light")).to_be_checked()

    tab_to(tab, "New chat", "Shift+Tab")
    press(tab, "Enter")
    expect(tab.composer).to_be_focused()


def test_escape_closes_what_is_open_and_gives_the_focus_back(tab: Tab) -> None:
    tab.ask("Something")
    tab.rows.first.focus()
    press(tab, "Shift+F10", "Escape")
    expect(tab.page.get_by_role("menu")).to_be_hidden()
    expect(tab.rows.first).to_be_focused()

    tab.model_chip.focus()
    press(tab, "Enter")
    expect(tab.page.get_by_role("combobox")).to_be_focused()
    press(tab, "Escape")
    expect(tab.page.get_by_role("listbox")).to_have_count(0)
    expect(tab.composer).to_be_focused()


def test_what_was_put_away_is_answered_late_and_leaves_the_focus_where_one_went(visit: Visit) -> None:
    tab = visit()
    tab.ask("Put away slowly")
    let_go = tab.hold("**/api/session/archive")
    tab.row("Put away slowly").focus()
    press(tab, "Shift+F10", "ArrowDown", "ArrowDown", "Enter")
    expect(tab.row("Put away slowly")).to_have_count(0)
    tab_to(tab, "Archived")

    let_go()
    expect(tab.toast("Archived “Put away slowly”.")).to_be_visible()
    expect(tab.button("Archived")).to_be_focused()
