"""An hour's stream in a minute or so: does the page's memory stay where it is? `python -m bench --hour`."""

import time

from playwright.sync_api import CDPSession, Page

from bench.figures import Figure, figure
from bench.page import visitor
from bench.streaming import SECTION, TOKENS_PER_S, send
from tests.browser.chromium import chromium

HOUR = TOKENS_PER_S * 3600
TURNS = 72
SETTLED = 10
"""After so many turns the page holds as much as it ever will; from there on the slope is taken."""
LEAST = 8
LONGEST_S = 90
"""On a slow machine fewer turns come in that time, and their slope is taken for that of all."""


def measure(address: str) -> list[Figure]:
    """What each turn of a long talk adds to the page, in which an hour's tokens come as fast as they can."""
    words = len(SECTION.split())
    with chromium() as browser, visitor(browser, address) as context:
        page = context.new_page()
        page.goto(address)
        protocol = context.new_cdp_session(page)
        protocol.send("Performance.enable")
        held, began = [], time.monotonic()
        while len(held) < SETTLED + LEAST or (len(held) < TURNS and time.monotonic() - began < LONGEST_S):
            held.append(_turn(page, protocol, HOUR // TURNS // words))
    heap, nodes = ([one[number] for one in held[SETTLED:]] for number in range(2))
    return [
        figure("turns of an hour's stream in that time", "", [len(held)], aim=TURNS),
        figure("heap of the page in an hour's stream", "MB", [one / 1e6 for one in heap]),
        figure("its growth over that hour", "MB", [slope(heap) * TURNS / 1e6], aim=0),
        figure("nodes of the page in that hour", "", nodes),
        figure("their growth over that hour", "", [slope(nodes) * TURNS], aim=0),
    ]


def _turn(page: Page, protocol: CDPSession, sections: int) -> tuple[float, float]:
    """The heap in bytes and the nodes that are left after one more question and its whole answer."""
    answers = page.get_by_role("article", name="answered")
    before = answers.last.get_attribute("data-entry") if answers.count() else None
    send(page, SECTION * sections, 0)
    page.wait_for_function(
        """(before) => {
            const last = [...document.querySelectorAll("article.answer[aria-busy=false]")].at(-1);
            return last && last.dataset.entry !== before;
        }""",
        arg=before,
        timeout=120_000,
    )
    for _ in range(3):  # what the first finds, the next may let go of
        protocol.send("HeapProfiler.collectGarbage")
    metrics = {one["name"]: one["value"] for one in protocol.send("Performance.getMetrics")["metrics"]}
    return metrics["JSHeapUsedSize"], metrics["Nodes"]


def slope(values: list[float]) -> float:
    """How much each value is above the one before it, by the straight line that lies closest to all."""
    middle, mean = (len(values) - 1) / 2, sum(values) / len(values)
    return sum((at - middle) * (value - mean) for at, value in enumerate(values)) / sum(
        (at - middle) ** 2 for at in range(len(values))
    )
