"""Settings, the door, and that every screen can be used by everyone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Visitor
from tests.fakes.provider import FakeProvider
from tests.serving import TOKEN

pytestmark = pytest.mark.browser

EVERYTHING = """\
@@think hm
@@tool shell {}
@@error no
# Head

```python
x = 1  # why
```

| a | b |
| - | - |
| 1 | 2 |

> [link](https://a.test) and `code`
@@fail broken It broke."""


def test_a_provider_is_tried_connected_used_and_disconnected(visitor: Visitor) -> None:
    with FakeProvider() as provider:
        page = visitor.open()
        page.get_by_role("button", name="Model:").click()
        page.get_by_role("button", name="Connect a model").click()
        page.get_by_label("Address", exact=True).fill(provider.url)
        page.get_by_label("Name", exact=True).fill("Mine")

        page.get_by_role("button", name="Test", exact=True).click()
        expect(page.get_by_text("It works: 2 models")).to_be_visible()
        page.get_by_role("button", name="Connect", exact=True).click()
        expect(page.get_by_text("Mine is connected.")).to_be_visible()

        page.get_by_role("link", name="New chat").first.click()
        page.get_by_role("button", name="Model:").click()
        page.keyboard.type("mock-2")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Model: mock-2")).to_be_visible()
        page.get_by_role("textbox", name="Message").fill("hello from the provider")
        page.keyboard.press("Enter")
        expect(page.get_by_role("article", name="answered")).to_contain_text("hello from the provider")

        page.get_by_role("link", name="Settings").click()
        page.get_by_role("button", name="Disconnect: Mine").click()
        page.get_by_role("group", name="Disconnect").get_by_role("button", name="Disconnect").click()
        expect(page.get_by_text("Mine is disconnected.")).to_be_visible()


def test_an_address_where_nobody_answers_is_said_and_not_saved(visitor: Visitor) -> None:
    page = visitor.open("/settings")
    page.get_by_label("Address", exact=True).fill("http://127.0.0.1:9/v1")

    page.get_by_role("button", name="Connect", exact=True).click()

    expect(page.get_by_role("status").filter(has_text="127.0.0.1:9")).to_be_visible()
    assert visitor.server.client().get("/api/providers")["providers"] == []


def test_a_chosen_theme_lasts(visitor: Visitor) -> None:
    page = visitor.open("/settings")

    page.get_by_role("radio", name="Dark").check(force=True)
    page.reload()

    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


def test_a_strange_browser_meets_the_door_and_the_token_opens_it(visitor: Visitor) -> None:
    page = visitor.new_context().new_page()
    page.goto(visitor.server.address)
    page.get_by_label("Link or token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).not_to_be_empty()

    page.get_by_label("Link or token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()

    page.get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Come in")).to_be_visible()


def test_a_used_link_says_so(visitor: Visitor) -> None:
    link = visitor.server.client().post("/api/auth/link")["path"]
    visitor.new_context().new_page().goto(visitor.server.address + link)
    page = visitor.new_context().new_page()
    page.goto(visitor.server.address + link)

    expect(page.get_by_role("alert").or_(page.get_by_role("textbox", name="Message"))).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_serious_on_any_screen(visitor: Visitor, size: dict[str, int], scheme: str) -> None:
    context = visitor.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    page = visitor.open(context=context)
    found = {"empty chat": serious(page)}

    page.get_by_role("textbox", name="Message").fill(EVERYTHING)
    page.get_by_role("button", name="Send").click()
    page.get_by_text("It broke.", exact=True).wait_for()
    page.locator(".hljs-comment").wait_for()
    found["conversation"] = serious(page)
    page.get_by_role("button", name="Model:").click()
    page.get_by_role("listbox").wait_for()
    found["models"] = serious(page)
    page.keyboard.press("Escape")
    if size is PHONE:
        page.get_by_role("button", name="Show sessions").click()
    page.get_by_role("navigation").get_by_role("link", name="@@think hm").first.focus()
    page.keyboard.press("Shift+F10")
    page.get_by_role("menuitem", name="Rename").wait_for()
    found["menu"] = serious(page)
    page.goto(f"{visitor.server.address}/settings")
    page.get_by_label("Address", exact=True).wait_for()
    found["settings"] = serious(page)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Come in").wait_for()
    found["door"] = serious(page)

    assert {screen: faults for screen, faults in found.items() if faults} == {}


def serious(page: Page) -> list[str]:
    results = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:150]} {node['any'][0]['message'] if node['any'] else ''}"
        for one in results
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
