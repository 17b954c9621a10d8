"""One tab of a browser, used as a person does: by what things are and what they are called."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.browser.watch import Watch

ANSWER = re.compile(r"answered$|^Answer$")
READY_MS = 10_000


@dataclass
class Tab:
    page: Page
    watch: Watch
    phone: bool = False

    @property
    def address(self) -> str:
        return self.watch.address

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def go(self, path: str) -> "Tab":
        self.page.goto(self.address + path)
        return self

    def open_session(self, session_id: str) -> "Tab":
        self.go(f"/s/{session_id}")
        expect(self.thread).to_be_visible(timeout=READY_MS)
        return self

    def twin(self, path: str = "/") -> "Tab":
        """Another tab of the same browser."""
        return Tab(self.context.new_page(), self.watch, phone=self.phone).go(path)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message", exact=True)

    @property
    def model_chip(self) -> Locator:
        return self.page.get_by_role("button", name=re.compile("^Model: "))

    @property
    def door(self) -> Locator:
        """The sign-in screen."""
        return self.page.get_by_role("heading", name="Come in")

    @property
    def thread(self) -> Locator:
        """The part that scrolls."""
        return self.page.get_by_role("region", name="Conversation")

    @property
    def said(self) -> Locator:
        return self.page.get_by_role("article", name="You said")

    @property
    def answers(self) -> Locator:
        return self.page.get_by_role("article", name=ANSWER)

    @property
    def answer(self) -> Locator:
        """The newest answer."""
        return self.answers.last

    @property
    def sessions(self) -> Locator:
        return self.page.get_by_role("navigation", name="Sessions")

    @property
    def rows(self) -> Locator:
        """The sessions listed, from the top; those far out of view are not in the page."""
        return self.sessions.get_by_role("list").get_by_role("link")

    def row(self, title: str) -> Locator:
        """A session of the list; while it streams or is unread, its name says so after the title."""
        return self.rows.filter(has=self.page.get_by_text(title, exact=True))

    @property
    def session_id(self) -> str:
        return self.page.url.rpartition("/s/")[2]

    @property
    def drawer(self) -> Locator:
        """What the column of sessions is on a phone, while it is open."""
        return self.page.get_by_role("dialog", name="Sessions")

    def touch(self, thing: Locator) -> None:
        """Click, or tap."""
        thing.tap() if self.phone else thing.click()

    def open_sessions(self) -> Locator:
        """Have the column of sessions in view, which on a phone is a drawer."""
        if self.phone and not self.drawer.is_visible():
            self.button("Show sessions").tap()
        expect(self.sessions).to_be_visible()
        return self.sessions

    def close_sessions(self) -> None:
        """Back to the conversation, on a phone."""
        if self.phone:
            self.button("Hide sessions").tap()
            expect(self.drawer).to_have_count(0)

    def new_chat(self) -> None:
        self.touch(self.open_sessions().get_by_role("link", name="New chat"))
        expect(self.drawer).to_have_count(0)

    def open_row(self, title: str) -> None:
        """Go to a session of the list."""
        self.open_sessions()
        self.touch(self.row(title))
        expect(self.drawer).to_have_count(0)

    def send(self, text: str) -> None:
        """Write a message and send it: with Enter, which on a phone breaks the line."""
        self.composer.fill(text)
        self.submit()

    def submit(self) -> None:
        """Send what is written."""
        if self.phone:
            self.page.locator("form").filter(has=self.composer).locator("button[type=submit]").tap()
        else:
            self.composer.press("Enter")

    def wait_for_answer(self, timeout_ms: float = 30_000) -> Locator:
        """Wait until the newest answer is whole."""
        expect(self.answer).to_have_attribute("aria-busy", "false", timeout=timeout_ms)
        expect(self.button("Send")).to_be_visible()
        return self.answer

    def ask(self, text: str) -> Locator:
        """Send a message and wait for the whole answer."""
        before = self.answers.count()
        self.send(text)
        expect(self.answers).to_have_count(before + 1)
        return self.wait_for_answer()

    def words_shown(self) -> list[str]:
        """The words of the newest answer, as they stand on the screen now."""
        return self.answer.locator(".markdown").all_text_contents()[-1].split()

    def wait_for_words(self, count: int) -> list[str]:
        """Wait until the newest answer has at least so many words."""
        self.page.wait_for_function(
            """(count) => {
                const texts = document.querySelectorAll("article:last-of-type .markdown");
                const text = texts[texts.length - 1]?.textContent ?? "";
                return text.split(/\\s+/).filter(Boolean).length >= count;
            }""",
            arg=count,
        )
        return self.words_shown()

    def actions(self, title: str) -> None:
        """Open the menu of a session."""
        self.open_sessions()
        if not self.phone:
            self.row(title).hover()
        self.touch(self.button(f"Actions for “{title}”"))

    def do(self, title: str, action: str) -> None:
        """Choose from the menu of a session."""
        self.actions(title)
        self.pick(action)

    def pick(self, action: str) -> None:
        """Choose from the menu that is open."""
        self.touch(self.page.get_by_role("menuitem", name=action, exact=True))

    def press_on(self, message: Locator, name: str) -> None:
        """Press a button of a message. Those of what was said are there once one points at it, or touches it."""
        bubble = message.locator(".bubble")
        if not self.phone:
            message.hover()
        elif bubble.count():
            bubble.tap()
        self.touch(message.get_by_role("button", name=name, exact=True))

    def choose_model(self, name: str) -> None:
        """Choose the model that the next message goes to."""
        self.touch(self.model_chip)
        self.touch(self.page.get_by_role("option", name=re.compile(f"^{re.escape(name)}")))

    def toast(self, text: str) -> Locator:
        return self.page.get_by_role("group").filter(has_text=text)

    def hold(self, address: str) -> Callable[..., None]:
        """Keep the next request for an address, a pattern, from arriving. Returns what lets it go, or answers it."""
        held: list[Route] = []
        self.page.route(address, lambda route: held.append(route), times=1)

        def let_go(**answer: Any) -> None:
            deadline = time.monotonic() + READY_MS / 1000
            while not held:
                assert time.monotonic() < deadline, f"nobody asked for {address}"
                self.page.evaluate("0")  # hears what the browser has to tell
            held[0].fulfill(**answer) if answer else held[0].continue_()

        return let_go
