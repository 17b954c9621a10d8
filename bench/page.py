"""The page in a real Chromium: how soon it is there, and how soon a long conversation is."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Page

from bench.figures import Figure, beside, figure
from bench.house import TOKEN
from tests.browser.chromium import chromium, new_context

MESSAGES = 10_000
LONG = "bench010000"
"""The session of so many messages, which is the newest of the list."""

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


def measure(house: str, bare: str) -> list[Figure]:
    """How soon it is there. `house` and `bare` are the addresses of Fireside and of a bare server."""
    with chromium() as browser:
        floor = _ready("an empty page", [_visit_bare(browser, bare) for _ in range(5)])
        visits = [_first_visit(browser, house) for _ in range(5)]
        return [
            beside(_ready("first load until one can type", [ready for ready, _, _ in visits], aim=400), floor),
            figure("the same, in size", "kB", [size / 1000 for _, size, _ in visits], aim=120),
            figure("the same, in requests", "", [count for _, _, count in visits], aim=10),
            beside(_last_screen(browser, house), floor),
        ]


def _ready(name: str, samples: list[float], aim: float | None = None) -> Figure:
    return figure(name, "ms", samples, aim=aim)


@contextmanager
def visitor(browser: Browser, address: str) -> Iterator[BrowserContext]:
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
    with visitor(browser, address) as context:
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
    with visitor(browser, address) as context:
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector(f'a[data-session="{LONG}"]')
        samples = []
        for _ in range(8):
            samples.append(page.evaluate(OPEN_LONG, [LONG, f"message {MESSAGES - 1} of {LONG}"]))
            page.get_by_role("link", name="New chat").click()
            page.wait_for_selector("article", state="detached")
    return figure("last screen of a 10,000-message chat", "ms", samples, aim=150)
