"""What answers are written in, as it stands on the screen: long, with formulas, diagrams, notes and code."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import MODEL, Visit
from tests.browser.devices import DESK, PHONE, on, on_both
from tests.browser.tab import Tab
from tests.browser.test_hostile_text import WITHOUT_SANITISER, Sink
from tests.serving import Client

LONGEST_BLOCK = 24_000  # a block is cut at 16,000 characters, and read in pieces of 4,000


COLOUR = "node => getComputedStyle(node).color"


def lines(text: str) -> str:
    """Words that a script of the provider says with line breaks in them."""
    return "@@text " + text.replace("\n", "\\n")


TABLE = "| a | b |\n| - | - |\n" + "\n".join(f"| row {n} | `v{n}` |" for n in range(5000))
ITEMS = "\n".join(f"- item **number** {n} of many, which all are of some length" for n in range(1800))
CODE = "```python\n" + "\n".join(f"value_{n} = compute({n})  # of some length" for n in range(2200)) + "\n```"
WORDS = "several **bold** words of it, " * 3400
HUGE = {"table": TABLE, "list": ITEMS, "code": CODE, "paragraph": WORDS}
PARTS = {"table": "tbody tr", "list": "li", "code": "pre code", "paragraph": "p"}


def show(tab: Tab, client: Client, text: str) -> Locator:
    """The answer `text`, given already and looked at now."""
    session_id = client.new_session()
    client.answer(session_id, lines(text), model=MODEL)
    tab.open_session(session_id)
    expect(tab.answer).to_have_attribute("aria-busy", "false")
    return tab.answer


@pytest.mark.parametrize("kind", HUGE)
def test_a_huge_block_is_drawn_in_parts_none_of_which_is_long(tab: Tab, client: Client, kind: str) -> None:
    answer = show(tab, client, HUGE[kind])

    tab.page.wait_for_function(
        "() => document.querySelectorAll('.markdown-block').length > 3 && !document.querySelector('.markdown-rest')"
    )
    last = {"table": "row 4999", "list": "number 1799", "code": "value_2199", "paragraph": "of it,"}[kind]
    expect(answer.locator(PARTS[kind]).last).to_contain_text(last, timeout=30_000)
    longest = answer.locator(".markdown-block:not(:has(pre)), pre > code").evaluate_all(
        "all => Math.max(...all.map((one) => one.textContent.length))"
    )
    assert longest < LONGEST_BLOCK
    assert answer.locator("pre").count() == (1 if kind == "code" else 0), "code that scrolls in several pieces"
    counted = {"table": 5000, "list": 1800}.get(kind)
    if counted:
        assert answer.locator(PARTS[kind]).count() == counted


def test_while_a_table_of_5000_rows_grows_each_row_is_drawn_about_once(tab: Tab) -> None:
    tab.page.evaluate(
        """() => {
            window.__drawn = 0;
            const put = Element.prototype.setHTML;
            Element.prototype.setHTML = function (html, options) {
                window.__drawn += html.length;
                return put.call(this, html, options);
            };
        }"""
    )
    tab.send(lines(TABLE))
    expect(tab.answer.locator(".markdown-block").last).to_contain_text("row 4999", timeout=60_000)

    drawn = tab.page.evaluate("window.__drawn")
    assert drawn < 40 * len(TABLE), "what is drawn grows with the square of what is written"
    assert tab.answer.locator("tbody tr").count() == 5000


def test_code_that_was_cut_is_copied_and_downloaded_whole(tab: Tab, client: Client) -> None:
    answer = show(tab, client, CODE)
    expect(answer.locator("pre code").last).to_contain_text("value_2199", timeout=30_000)
    wanted = CODE.removeprefix("```python\n").removesuffix("\n```")

    expect(answer.get_by_role("button", name="Download", exact=True)).to_have_count(1)
    with tab.page.expect_download() as downloading:
        answer.get_by_role("button", name="Download", exact=True).click()
    assert downloading.value.suggested_filename == "code.py"
    assert Path(downloading.value.path()).read_text() == wanted
    answer.locator(".code-copy").click()
    expect(answer.locator(".code-copy")).to_have_text("Copied")
    assert tab.page.evaluate("navigator.clipboard.readText()") == wanted


@on(PHONE)  # on a desk the walk above, of code that was cut
def test_code_is_downloaded_by_touch(tab: Tab) -> None:
    answer = tab.ask(lines("```python\nprint(1)\n```"))

    with tab.page.expect_download() as downloading:
        answer.get_by_role("button", name="Download", exact=True).tap()

    assert downloading.value.suggested_filename == "code.py"
    assert Path(downloading.value.path()).read_text() == "print(1)"


@on_both
def test_long_lines_of_code_wrap_when_wanted(tab: Tab) -> None:
    answer = tab.ask(lines("```\n" + "long " * 200 + "\n```"))
    scrolls = "node => node.scrollWidth > node.clientWidth"
    body = answer.locator("pre")
    assert body.evaluate(scrolls)

    tab.touch(answer.get_by_role("button", name="Wrap"))

    expect(answer.get_by_role("button", name="Wrap", pressed=True)).to_be_visible()
    assert not body.evaluate(scrolls)


@pytest.mark.parametrize(
    ("script", "device"),
    [("", DESK), ("", PHONE), (WITHOUT_SANITISER, DESK)],
    ids=["own-sanitiser", "own-sanitiser-phone", "library"],
    indirect=["device"],
)
def test_formulas_are_set_and_prices_are_not(visit: Visit, script: str) -> None:
    tab = visit(script=script)
    answer = tab.ask(lines("Euler: $e^{i\\pi} = -1$. It costs $5 or $10.\n\n$$\\frac{a}{b}$$"))

    expect(answer.locator("math")).to_have_count(2)
    expect(answer.locator("math[display=block] mfrac")).to_have_count(1)
    expect(answer).to_contain_text("It costs $5 or $10.")
    assert answer.locator("annotation, [style]").count() == 0
    text, formula = (answer.locator(one).first for one in (".markdown p", "math"))
    assert text.evaluate(COLOUR) == formula.evaluate(COLOUR)


def test_hostile_formulas_run_nothing_and_stop_nothing(tab: Tab) -> None:
    with Sink() as sink:
        hostile = [
            f"\\href{{javascript:window.__pwned=1}}{{x}} \\includegraphics{{{sink.address}/a.png}}",
            f"\\htmlStyle{{background:url({sink.address}/b.png)}}{{y}} \\url{{{sink.address}/c}}",
            "\\def\\a{\\a\\a}\\a",
            "\\rule{1000000em}{1000000em}",
            "{" * 1500 + "}" * 1500,
            "\\text{</math><img src=x onerror=window.__pwned=1>}",
        ]
        answer = tab.ask(lines("\n\n".join(f"$${one}$$" for one in hostile) + "\n\n$x^2$ to the end"))
        expect(answer.locator("math msup")).to_have_count(1)

        assert tab.page.evaluate("window.__pwned") is None
        assert answer.locator("math a, math img, math [href], math [style], math [src]").count() == 0
        assert answer.evaluate("node => node.scrollWidth <= node.clientWidth + 1")
        assert sink.hits == []


@on_both
def test_footnotes_lead_to_their_text_and_back(tab: Tab) -> None:
    answer = tab.ask(
        lines("So it is said[^who], and more[^2]. An open bracket[^none].\n\n[^who]: By **me**.\n[^2]: Twice.")
    )

    call = answer.get_by_role("button", name="Footnote 1", exact=True)
    back = answer.get_by_role("button", name="Back to where footnote 1 is called")
    tab.touch(call)
    expect(back).to_be_focused()
    tab.touch(back)
    expect(call).to_be_focused()
    expect(answer).to_contain_text("An open bracket[^none].")
    expect(answer.locator(".footnote").first.locator("strong")).to_have_text("me")


@on_both
def test_text_from_right_to_left_begins_at_the_right(tab: Tab) -> None:
    answer = tab.ask(lines("שלום עולם\n\nHello world 👩‍🚀"))

    directions = answer.locator(".markdown-block").evaluate_all(
        "all => all.map((one) => getComputedStyle(one).direction)"
    )
    assert directions == ["rtl", "ltr"]


@on_both
def test_the_button_copies_the_markdown_itself(tab: Tab) -> None:
    text = "# A $x^2$\n\n- [x] done\n\n| a |\n| - |\n| ~~b~~ |\n\nNote[^1].\n\n[^1]: Here."
    answer = tab.ask(lines(text))

    tab.touch(answer.get_by_role("button", name="Copy", exact=True).last)

    expect(answer.get_by_role("button", name="Copied")).to_be_visible()
    assert tab.page.evaluate("navigator.clipboard.readText()") == text


def diagram(source: str) -> str:
    return lines(f"Look:\n\n```mermaid\n{source}\n```\n\nThat is all.")


@on_both
def test_a_diagram_is_drawn_in_a_frame_that_is_nobody(tab: Tab) -> None:
    assert tab.watch.asked_for("/diagram/mermaid.js") == []
    answer = tab.ask(diagram("graph TD\n  A[Wood] --> B[Fire]"))

    frame = answer.locator("iframe[sandbox='allow-scripts']")
    expect(frame).to_be_visible(timeout=30_000)
    expect(frame.content_frame.locator("svg").first).to_contain_text("Fire")
    expect(answer.locator("pre")).to_be_hidden()
    tab.touch(answer.get_by_role("button", name="Source", exact=True))
    expect(answer.locator("pre")).to_contain_text("A[Wood] --> B[Fire]")
    assert tab.page.frames[-1].evaluate("self.origin") == "null"


@on_both
def test_what_is_no_diagram_stays_as_it_was_written(tab: Tab) -> None:
    answer = tab.ask(diagram("this is -> no diagram at all {"))

    expect(answer.locator("iframe")).to_have_count(0, timeout=30_000)
    expect(answer.locator("pre")).to_contain_text("this is -> no diagram at all {")


def test_hostile_diagrams_run_nothing_and_ask_nobody(tab: Tab) -> None:
    tab.watch.allow("Content Security Policy")
    with Sink() as sink:
        run = "parent.__pwned=1"
        hostile = [
            f'graph TD; A["<img src={sink.address}/a.png onerror={run}>"] --> B; click A "javascript:{run}"',
            f'%%{{init: {{"securityLevel": "loose", "themeCSS": "@import url({sink.address}/b.css);"}} }}%%\n'
            f"graph TD; A-->B; style A fill:url({sink.address}/c)",
            f'graph TD; A["<iframe src={sink.address}/d></iframe><script>{run}</script>"]\n'
            f'click A href "{sink.address}/e"',
        ]
        for source in hostile:
            answer = tab.ask(diagram(source))
            tab.page.wait_for_function(
                "() => { const all = document.querySelectorAll('article:last-of-type .code.drawing');"
                " return all.length === 0 && document.querySelector('article:last-of-type .code'); }",
                timeout=30_000,
            )
            expect(answer).to_contain_text("That is all.")

        assert tab.page.evaluate("window.__pwned") is None
        assert sink.hits == []
