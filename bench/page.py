"""The page in a real Chromium: how soon it is there, and what a long conversation and a fast answer cost it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

from bench.figures import Figure, beside, figure
from bench.house import TOKEN
from tests.browser.chromium import chromium, new_context

MESSAGES = 10_000
LONG = "bench010000"
"""The session of so many messages, which is the newest of the list."""

TOKENS_PER_S = 200
MEASURED_S = 5
WATCH_THE_COMPOSER = """
    addEventListener("DOMContentLoaded", function look() {
        if (document.querySelector(SELECTOR)) requestAnimationFrame(() => (window.readyMs = performance.now()));
        else requestAnimationFrame(look);
    });"""
OPEN_LONG = """async ([link, last]) => {
    const began = performance.now();
    document.querySelector(`a[data-session="${link}"]`).click();
    const isThere = () => [...document.querySelectorAll("article")].at(-1)?.textContent.includes(last);
    while (!isThere()) await new Promise(requestAnimationFrame);
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    return performance.now() - began;
}"""
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
    const channel = new MessageChannel();
    let pressed = 0;
    channel.port1.onmessage = () => window.keysMs.push(performance.now() - pressed);
    addEventListener("keydown", (event) => (pressed = event.timeStamp), true);
    addEventListener("input", () => channel.port2.postMessage(0), true);
}"""


def measure(house: str, bare: str) -> list[Figure]:
    """All figures of the page. `house` and `bare` are the addresses of Fireside and of a bare server."""
    with chromium() as browser:
        floor = _ready("an empty page", [_visit_bare(browser, bare) for _ in range(5)])
        visits = [_first_visit(browser, house) for _ in range(5)]
        return [
            beside(_ready("first load until one can type", [ready for ready, _, _ in visits], aim=400), floor),
            figure("the same, in size", "kB", [size / 1000 for _, size, _ in visits], aim=120),
            figure("the same, in requests", "", [count for _, _, count in visits], aim=10),
            beside(_last_screen(browser, house), floor),
            *_fast_answer(browser, house),
        ]


def _ready(name: str, samples: list[float], aim: float | None = None) -> Figure:
    return figure(name, "ms", samples, aim=aim)


@contextmanager
def _visitor(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """A browser of someone who is signed in and was never here."""
    context = new_context(browser)
    answer = context.request.post(f"{address}/api/auth/login", data={"token": TOKEN}, headers={"Origin": address})
    assert answer.ok, answer.text()
    yield context
    context.close()


def _visit_bare(browser: Browser, address: str) -> float:
    context = new_context(browser)
    context.add_init_script(WATCH_THE_COMPOSER.replace("SELECTOR", '"p"'))
    page = context.new_page()
    page.goto(address)
    ready = _ready_ms(page)
    context.close()
    return ready


def _first_visit(browser: Browser, address: str) -> tuple[float, int, int]:
    """When one could type (ms), how many bytes came until then, in how many answers."""
    with _visitor(browser, address) as context:
        context.add_init_script(WATCH_THE_COMPOSER.replace("SELECTOR", '"textarea"'))
        page = context.new_page()
        protocol, sizes = context.new_cdp_session(page), []
        protocol.send("Network.enable")
        protocol.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        page.goto(address)
        ready = _ready_ms(page)
        page.wait_for_load_state("load")
        return ready, sum(sizes), len(sizes)


def _ready_ms(page: Page) -> float:
    page.wait_for_function("() => window.readyMs !== undefined")
    return page.evaluate("window.readyMs")


def _last_screen(browser: Browser, address: str) -> Figure:
    """From the click on a conversation in the list to the frame with its last message."""
    with _visitor(browser, address) as context:
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector(f'a[data-session="{LONG}"]')
        samples = []
        for _ in range(8):
            samples.append(page.evaluate(OPEN_LONG, [LONG, f"message {MESSAGES - 1} of {LONG}"]))
            page.get_by_role("link", name="New chat").click()
            page.wait_for_selector("article", state="detached")
    return figure("last screen of a 10,000-message chat", "ms", samples, aim=150)


def _fast_answer(browser: Browser, address: str) -> list[Figure]:
    with _visitor(browser, address) as context:
        page = context.new_page()
        page.goto(address)
        still = page.evaluate(COUNT_FRAMES, 2000)
        composer = page.get_by_role("textbox", name="Message", exact=True)
        composer.fill(f"@@pace {1 / TOKENS_PER_S}\n@@text {_markdown()}")
        composer.press("Enter")
        page.wait_for_selector("article:last-of-type .markdown table")
        protocol = context.new_cdp_session(page)
        frames = page.evaluate(COUNT_FRAMES, MEASURED_S * 1000)
        # Not while frames are counted: whoever asks for every frame makes the page draw every frame.
        protocol.send("Performance.enable", {"timeDomain": "threadTicks"})
        before, began = _busy(protocol), time.monotonic()
        page.wait_for_timeout(MEASURED_S * 1000)
        share = 100 * (_busy(protocol) - before) / (time.monotonic() - began)
        keys = _typed(page)
        assert page.get_by_role("button", name="Stop").is_visible(), "the answer ended before the measurement"
        page.get_by_role("button", name="Stop").click()
    shown = figure("frames while Markdown comes at 200 tokens/s", "/s", [frames], aim=60)
    return [
        beside(shown, figure("nothing going on", "/s", [still])),
        figure("main thread busy meanwhile", "%", [share], aim=15),
        figure("a key typed meanwhile", "ms", keys, aim=16),
    ]


def _typed(page: Page) -> list[float]:
    """Milliseconds from each key to the moment the page is free again after it."""
    page.evaluate(WATCH_TYPING)
    page.get_by_role("textbox", name="Message", exact=True).focus()
    page.keyboard.type("what is written while an answer comes in", delay=60)
    return page.evaluate("window.keysMs")


def _busy(protocol: CDPSession) -> float:
    """The seconds of processor time that the tasks of the page's main thread have taken."""
    metrics = protocol.send("Performance.getMetrics")["metrics"]
    return next(one["value"] for one in metrics if one["name"] == "TaskDuration")


def _markdown() -> str:
    """About 6,000 words of all kinds of blocks."""
    section = (
        "## A heading\n\nA **paragraph** with `code`, a [link](https://example.org) and *more* words than it needs. "
        + "lorem ipsum dolor sit amet " * 12
        + "\n\n| one | two | three |\n| --- | --- | --- |\n| a | b | c |\n| d | e | f |\n\n"
        + "- first\n- second\n- third\n\n"
        + "```python\ndef answer(number: int) -> int:\n    return number * 42\n```\n\n"
    )
    return (section * 50).replace("\n", "\\n")
