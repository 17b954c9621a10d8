"""The page shows what a hostile model says, and does none of it."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor

pytestmark = pytest.mark.browser

HOSTILE = """\
<script>window.PWNED=1</script> <img src=x onerror="window.PWNED=1"> <svg/onload=window.PWNED=1>
<iframe src="javascript:parent.PWNED=1"></iframe> <style>body{display:none}</style>

[a](javascript:window.PWNED=1) [b](data:text/html,x) [c](//sink.test/c) [d](https://sink.test/d) [e](file:///etc/passwd)
![picture](https://sink.test/p.png?secret=1) ![x](x"onerror="window.PWNED=1)

<a href="https://sink.test/a" ping="https://sink.test/ping">a</a> <link rel="stylesheet" href="https://sink.test/s.css">
<div style="background:url(https://sink.test/bg)">b</div> <form action="https://sink.test"><button>f</button></form>

| <img src=x onerror=window.PWNED=1> | b |
| --- | --- |
| <script>window.PWNED=1</script> | `<b>` |

last words
"""


WITHOUT_SANITISER = "delete Element.prototype.setHTML"


@pytest.mark.parametrize("before", ["", WITHOUT_SANITISER], ids=["native", "fetched"])
def test_a_hostile_answer_runs_nothing_and_asks_nobody(visitor: Visitor, before: str) -> None:
    """Both where the browser sanitises by itself and where the page fetches what does."""
    visitor.context.add_init_script(before or "0")
    page = visitor.open()

    page.get_by_role("textbox", name="Message").fill(HOSTILE)
    page.get_by_role("button", name="Send").click()
    answer = page.get_by_role("article", name="answered")
    expect(answer).to_contain_text("last words")
    expect(page.get_by_role("button", name="Send")).to_be_visible()

    assert page.evaluate("window.PWNED") is None
    assert [url for url in visitor.asked if not url.startswith(visitor.server.address)] == []
    links = answer.get_by_role("link").evaluate_all("all => all.map(one => [one.href, one.rel, one.target])")
    safe = ["noopener noreferrer", "_blank"]
    assert links == [["https://sink.test/d", *safe], ["https://sink.test/p.png?secret=1", *safe]]
    assert answer.locator("img, iframe, style, form, link, script, svg[onload]").count() == 0


def test_nothing_of_the_page_is_refused_by_its_own_content_policy(visitor: Visitor) -> None:
    page = visitor.open()
    page.evaluate("""() => {
        window.violations = [];
        document.addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
    }""")

    page.get_by_role("textbox", name="Message").fill("```python\nprint(1)\n```\n\n| a |\n| - |\n| 1 |")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".hljs-built_in")).to_have_text("print")
    page.get_by_role("button", name="Model:").click()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()

    assert json.dumps(page.evaluate("window.violations")) == "[]"
    assert visitor.complaints == []
