"""What an answer that comes fast costs the page in a real Chromium, and whether one can still type."""

import time

from playwright.sync_api import CDPSession, Page

from bench.figures import Figure, beside, figure
from bench.page import visitor
from tests.browser.chromium import chromium

TOKENS_PER_S = 200
MEASURED_S = 5
GROWN_S = 8
"""A single block has grown for so long when it is measured: what it costs must not grow with it."""

COUNT_FRAMES = """async (ms) => {
    const began = performance.now();
    let count = 0, now = began;
    while (now - began < ms) {
        await new Promise(requestAnimationFrame);
        now = performance.now();
        count += 1;
    }
    return (count * 1000) / (now - began);
}"""
WATCH_TYPING = """() => {
    window.keysMs = [];
    let pressed = 0;
    addEventListener("keydown", (event) => (pressed = event.timeStamp), true);
    addEventListener("input", async () => {
        for (let turn = 0; turn < 8; turn++) await null; // until the page has drawn what follows from it
        document.body.getBoundingClientRect();
        window.keysMs.push(performance.now() - pressed);
    });
}"""
"""Frames come when they come: it is counted until all is done that the next one needs, layout included."""
WORDS = "lorem ipsum dolor sit amet consectetur "
SECTION = (
    "## A heading\n\nA **paragraph** with `code`, a [link](https://example.org) and *more* words than it needs. "
    + "lorem ipsum dolor sit amet " * 12
    + "\n\n| one | two | three |\n| --- | --- | --- |\n| a | b | c |\n| d | e | f |\n\n"
    + "- first\n- second\n- third\n\n"
    + "```python\ndef answer(number: int) -> int:\n    return number * 42\n```\n\n"
)
"""Markdown of many kinds, about 120 words of it."""

ONE_BLOCK = {
    "list": "".join(f"- item **number** {n} with {WORDS}\n" for n in range(600)),
    "nested list": "".join(f"- item {n}\n  - below **it** {n}\n    - `x{n}` and words of it\n" for n in range(400)),
    "table": "| a | b |\n| - | - |\n" + "".join(f"| row {n} | `v{n}` and {WORDS} |\n" for n in range(500)),
    "code block": "```python\n"
    + "".join(f"value_{n} = compute({n})  # of some length\n" for n in range(900))
    + "```\n",
    "quote": "".join(f"> said {n} and **more** of it\n" for n in range(900)),
}


def measure(address: str) -> list[Figure]:
    """What comes at 200 tokens a second: Markdown of all kinds, and single blocks that have become long."""
    with chromium() as browser, visitor(browser, address) as context:
        page = context.new_page()
        page.goto(address)
        page.get_by_role("textbox", name="Message", exact=True).wait_for()
        protocol = context.new_cdp_session(page)
        protocol.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.evaluate(WATCH_TYPING)
        still, idle = page.evaluate(COUNT_FRAMES, 2000), _typed(page)
        send(page, SECTION * 50, 1 / TOKENS_PER_S)
        page.wait_for_selector("article:last-of-type .markdown table")
        frames, share, keys = page.evaluate(COUNT_FRAMES, MEASURED_S * 1000), _busy(page, protocol), _typed(page)
        _stop(page)
        blocks = [_grown(page, protocol, name) for name in ONE_BLOCK]
    shown = figure("frames while Markdown comes at 200 tokens/s", "/s", [frames], aim=60)
    return [
        beside(shown, figure("nothing going on", "/s", [still])),
        figure("main thread busy meanwhile", "%", [share], aim=15),
        beside(figure("a key typed meanwhile", "ms", keys, aim=16), figure("nothing going on", "ms", idle)),
        *blocks,
    ]


def _grown(page: Page, protocol: CDPSession, name: str) -> Figure:
    page.get_by_role("link", name="New chat").click()
    send(page, ONE_BLOCK[name], 1 / TOKENS_PER_S)
    page.wait_for_selector("article:last-of-type .markdown-block")
    page.wait_for_timeout(GROWN_S * 1000)
    share = _busy(page, protocol)
    _stop(page)
    return figure(f"the same, one long {name}", "%", [share], aim=15)


def send(page: Page, text: str, pace_s: float) -> None:
    """Have the provider say `text`, a word every `pace_s`."""
    composer = page.get_by_role("textbox", name="Message", exact=True)
    composer.fill(f"@@pace {pace_s}\n@@text " + text.replace("\n", "\\n"))
    composer.press("Enter")


def _stop(page: Page) -> None:
    button = page.get_by_role("button", name="Stop")
    assert button.is_visible(), "the answer ended before the measurement"
    button.click()
    page.wait_for_selector("article:last-of-type[aria-busy=false]")


def _busy(page: Page, protocol: CDPSession) -> float:
    """The share of processor time, in percent, that the main thread's tasks take while nobody touches the page.

    Not while frames are counted: whoever asks for every frame makes the page draw every frame.
    """
    before, began = _task_s(protocol), time.monotonic()
    page.wait_for_timeout(MEASURED_S * 1000)
    return 100 * (_task_s(protocol) - before) / (time.monotonic() - began)


def _task_s(protocol: CDPSession) -> float:
    metrics = protocol.send("Performance.getMetrics")["metrics"]
    return next(one["value"] for one in metrics if one["name"] == "TaskDuration")


def _typed(page: Page) -> list[float]:
    """Milliseconds from each key to the end of all that it brings."""
    page.evaluate("window.keysMs.length = 0")
    composer = page.get_by_role("textbox", name="Message", exact=True)
    composer.focus()
    page.keyboard.type("what is written while an answer comes in and goes on coming in", delay=60)
    keys = page.evaluate("window.keysMs")
    composer.fill("")
    return keys
