"""A conversation of ten thousand messages and a list of ten thousand sessions: little of it is drawn, nothing jumps."""

import json
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import ElementHandle, expect

from tests.browser.conftest import Visit
from tests.browser.devices import on_both
from tests.browser.documents import write_session
from tests.browser.tab import Tab

MESSAGES = 10_000
SESSIONS = 10_000
MOST_ARTICLES = 200
MOST_ROWS = 80
TOP = "node => node.getBoundingClientRect().top"


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("house") / "state"
    sessions = state / "sessions"
    write_session(sessions, "A long one", messages=[_text(number) for number in range(MESSAGES)])
    last = time.time() - 86_400 * 40
    for number in range(SESSIONS - 1):
        at = last - number
        messages = [{"id": "m0", "role": "user", "content": f"Question {number}", "timestamp": at}]
        document = {"session_id": f"s{number:05}", "title": f"Session {number}", "messages": messages}
        (sessions / f"s{number:05}.json").write_text(json.dumps(document | {"created_at": at, "updated_at": at}))
    return state


def _text(number: int) -> str:
    """Of different heights, as messages are."""
    return f"Message number {number}\n\n" + "More of it. " * (number * 7 % 60)


def numbers(tab: Tab) -> list[int]:
    texts = tab.thread.get_by_role("article").all_text_contents()
    return [int(re.findall(r"number (\d+)", text)[0]) for text in texts]


def first_in_view(tab: Tab) -> ElementHandle:
    handle = tab.thread.evaluate_handle(
        """view => {
            const edge = view.getBoundingClientRect().top + 60;
            return [...view.querySelectorAll("article")].find((one) => one.getBoundingClientRect().bottom > edge);
        }"""
    ).as_element()
    assert handle is not None
    return handle


def until_drawn_is_other(tab: Tab, before: list[int]) -> None:
    tab.page.wait_for_function(
        """([view, before]) => {
            const drawn = [...view.querySelectorAll("article")].map((one) => +/number (\\d+)/.exec(one.textContent)[1]);
            return drawn[0] !== before[0] || drawn.at(-1) !== before.at(-1);
        }""",
        arg=[tab.thread.element_handle(), [before[0], before[-1]]],
    )


def in_a_row(drawn: list[int]) -> bool:
    return drawn == list(range(drawn[0], drawn[0] + len(drawn)))


# On a desk only: hours of scrolling, of which the next two walk the parts on a phone.
def test_the_last_screen_comes_first_and_hours_of_reading_back_draw_a_few_hundred_messages(visit: Visit) -> None:
    tab = visit("/s/old-a-long-one")
    expect(tab.answers.last).to_contain_text(f"Message number {MESSAGES - 1}")
    assert tab.thread.get_by_role("article").count() <= 60
    oldest: list[int] = []

    for _ in range(10):
        drawn = numbers(tab)
        assert in_a_row(drawn) and len(drawn) <= MOST_ARTICLES
        oldest.append(drawn[0])
        read_up(tab, drawn)

    assert oldest == sorted(set(oldest), reverse=True)
    assert numbers(tab)[-1] < MESSAGES - 60  # what is far below was let go
    while (drawn := numbers(tab))[-1] < MESSAGES - 1:
        assert in_a_row(drawn) and len(drawn) <= MOST_ARTICLES
        read_down(tab, drawn)
    assert in_a_row(numbers(tab))


def read_up(tab: Tab, drawn: list[int]) -> None:
    """Scroll near the top; more comes in above, and what is read stands where it stood."""
    tab.thread.evaluate("view => { view.scrollTop = 1200 }")
    read = first_in_view(tab)
    tab.thread.hover()
    tab.page.mouse.wheel(0, -500)
    until_drawn_is_other(tab, drawn)
    assert_stands(tab, read)


def read_down(tab: Tab, drawn: list[int]) -> None:
    tab.thread.evaluate("view => { view.scrollTop = view.scrollHeight - view.clientHeight - 1200 }")
    read = first_in_view(tab)
    tab.thread.hover()
    tab.page.mouse.wheel(0, 500)
    until_drawn_is_other(tab, drawn)
    assert_stands(tab, read)


def assert_stands(tab: Tab, read: ElementHandle) -> None:
    """What was read is still there, moved by no more than the wheel moved it."""
    assert read.evaluate("node => node.isConnected")
    top = read.evaluate(TOP)
    assert -600 < top < 1400, top


@on_both
def test_what_is_read_does_not_move_by_a_pixel_when_a_page_comes_in_above_and_one_goes_below(visit: Visit) -> None:
    tab = visit("/s/old-a-long-one")
    expect(tab.answers.last).to_contain_text(f"Message number {MESSAGES - 1}")
    for _ in range(4):
        read_up(tab, numbers(tab))
    moves = tab.thread.evaluate(
        """async (view) => {
            const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
            const moves = [];
            for (let turn = 0; turn < 3; turn++) {
                view.scrollTop = 899;
                const edge = view.getBoundingClientRect().top;
                const isRead = (one) => one.getBoundingClientRect().bottom > edge;
                const read = [...view.querySelectorAll("article")].find(isRead);
                const [top, first] = [read.getBoundingClientRect().top, view.querySelector("article")];
                while (view.querySelector("article") === first) await frame();
                await frame();
                moves.push(Math.abs(read.getBoundingClientRect().top - top));
            }
            return moves;
        }"""
    )

    assert len(moves) == 3
    assert max(moves) < 1  # less than a pixel, which scrolling cannot settle


@on_both
def test_from_far_above_one_click_leads_back_to_the_end(visit: Visit) -> None:
    tab = visit("/s/old-a-long-one")
    expect(tab.answers.last).to_contain_text(f"Message number {MESSAGES - 1}")
    for _ in range(6):
        read_up(tab, numbers(tab))

    tab.touch(tab.button("Jump to the latest"))

    expect(tab.answers.last).to_contain_text(f"Message number {MESSAGES - 1}")
    expect(tab.answers.last).to_be_in_viewport()
    assert len(numbers(tab)) <= MOST_ARTICLES


# On a desk only: a phone scrolls to the end of a shorter list in `test_sessions_column`.
def test_ten_thousand_sessions_scroll_by_with_a_screenful_of_rows(visit: Visit) -> None:
    tab = visit()
    tab.open_sessions()
    expect(tab.row("A long one")).to_be_visible()
    column = tab.sessions.get_by_role("list")

    while not tab.row(f"Session {SESSIONS - 2}").count():
        assert 10 < tab.rows.count() < MOST_ROWS
        height = column.evaluate("list => list.clientHeight")
        column.evaluate("list => { list.parentElement.scrollTop = list.parentElement.scrollHeight }")
        tab.page.wait_for_function(
            """([list, height, last]) => list.clientHeight > height || list.textContent.includes(last)""",
            arg=[column.element_handle(), height, f"Session {SESSIONS - 2}"],
        )

    places = column.evaluate(
        """async (list) => {
            const view = list.parentElement, found = [];
            for (const part of [0, 0.25, 0.5, 0.75, 1]) {
                view.scrollTop = part * (view.scrollHeight - view.clientHeight);
                await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
                const box = view.getBoundingClientRect();
                const rows = [...list.querySelectorAll("a")];
                const seen = rows.filter((row) => {
                    const { top, bottom } = row.getBoundingClientRect();
                    return bottom > box.top && top < box.bottom;
                });
                found.push([rows.length, seen.length, Math.floor(view.clientHeight / 46)]);
            }
            return found;
        }"""
    )
    for drawn, seen, least in places:
        assert drawn < MOST_ROWS
        assert seen >= least - 1
