"""What is watched while it is written looks in the end like what is opened later.

On a desk only: what is compared is what is in the page, whatever it looks like.
"""

import random

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.tab import Tab
from tests.browser.test_rendering import lines

PIECES = [
    "A paragraph with **bold**, `code` and a [link](https://example.org) in it.\n\n",
    "Two lines\nof *one* paragraph with [a name] that is explained later\n\n",
    "# Heading\n",
    "Setext\n======\n\n",
    "- one\n- two\n  - nested **deep**\n    - deeper\n\n",
    "1. first\n\n   loose\n2. second with\n   more\n",
    "".join(f"- item {n} of `many`\n" for n in range(14)) + "\n",
    "".join(f"- item {n}\n" for n in range(12)) + "\n- and one that makes all of them loose\n\n",
    "- a list with code\n\n  ```python\n  x = 1\n  y = 2\n  ```\n- and more\n\n",
    "```python\nprint('a')\n\nx = 1\n```\n",
    "~~~\nno language\n~~~\n\n",
    "    indented code\n\n    goes on\n\n",
    "> quote\n> goes **on**\n>\n> - with a list\n>   of its own\n\n",
    "| a | b |\n| - | :-: |\n" + "".join(f"| row {n} | *{n}* |\n" for n in range(11)) + "\n",
    "Said[^1] and said[^n].\n\n[^1]: A note\n[^n]: and another\n\n",
    "Euler: $e^{i}$ and\n\n$$\\frac{a}{b}$$\n\n",
    "---\n\n",
    "- [ ] open\n- [x] done\n",
    "Text right after\n",
    "[a name]: https://example.org/named\n\n",
]
SHAPE = """node => [...node.querySelectorAll('.markdown-block')].map((block) => {
    const copy = block.cloneNode(true);
    for (const code of copy.querySelectorAll('pre code')) code.textContent = code.textContent;
    return copy.outerHTML;
})"""
"""The blocks of an answer without the colours of its code, which come when there is time."""


def shape(answer: Locator) -> list[str]:
    # What sets formulas is fetched with the first one.
    expect(answer.locator("code.formula")).to_have_count(0)
    return answer.evaluate(SHAPE)


@pytest.mark.parametrize("seed", range(3))
def test_what_was_watched_growing_is_what_is_opened_later(tab: Tab, seed: int) -> None:
    chance = random.Random(seed)
    text = "".join(chance.choices(PIECES, k=24)) + "\n\nThe very end."
    print(f"seed {seed}")

    tab.send(f"@@pace 0.002\n{lines(text)}")
    expect(tab.answer).to_have_attribute("aria-busy", "false", timeout=30_000)
    expect(tab.answer).to_contain_text("The very end.")
    watched = shape(tab.answer)
    tab.page.reload()
    expect(tab.answer).to_contain_text("The very end.")

    assert watched == shape(tab.answer)
