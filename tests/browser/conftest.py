"""A headless Chromium before a real server with the scripted agent."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.serving import ROOT, ServerProcess

DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


def _chromium(playwright: Playwright) -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome") or playwright.chromium.executable_path
    if not Path(found).exists():
        pytest.skip("There is no Chromium: install Debian's package `chromium`.")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not (ROOT / "api/static/index.html").is_file():
        pytest.skip("The page is not built: run `python web/build.py`.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(playwright), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("page") / "state") as server:
        server.client().post("/api/models/default", model="scripted/script")
        yield server


class Visitor:
    """Opens tabs that are signed in as a person signs in: by a link. Remembers what the page asked of whom."""

    def __init__(self, browser: Browser, server: ServerProcess) -> None:
        self._browser = browser
        self.server = server
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self._contexts: list[BrowserContext] = []
        self.context = self.new_context()

    def new_context(self, **options: object) -> BrowserContext:
        context = self._browser.new_context(**({"viewport": DESK} | options))  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        context.on("request", lambda request: self.asked.append(request.url))
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        self._contexts.append(context)
        return context

    def open(self, path: str = "/", context: BrowserContext | None = None) -> Page:
        """A tab at `path`, signed in."""
        page = (context or self.context).new_page()
        link = self.server.client().post("/api/auth/link")["path"]
        page.goto(self.server.address + link)
        page.get_by_role("textbox", name="Message").wait_for()
        if path != "/":
            page.goto(self.server.address + path)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def visitor(browser: Browser, server: ServerProcess) -> Iterator[Visitor]:
    visitor = Visitor(browser, server)
    yield visitor
    visitor.close()
