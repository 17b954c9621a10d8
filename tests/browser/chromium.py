"""Finding a Chromium, and opening it without its own calls home."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Playwright, ViewportSize, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}


class NoBrowser(Exception):
    """There is no Chromium on this machine. The text says what was looked for."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running Chromium without a window.

    Raises:
        NoBrowser: there is none.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_executable(playwright), args=list(SWITCHES))
        try:
            yield browser
        finally:
            browser.close()


def new_context(
    browser: Browser, *, phone: bool = False, dark: bool = False, scale: float = 1, keeps_page: bool = False
) -> BrowserContext:
    """A fresh profile on a desk or a phone. `keeps_page`: it may keep the page's own files, for when nobody answers."""
    return browser.new_context(
        viewport=PHONE if phone else DESKTOP,
        has_touch=phone,
        is_mobile=phone,
        color_scheme="dark" if dark else "light",
        locale="en-US",
        device_scale_factor=scale,
        service_workers="allow" if keeps_page else "block",
    )


def _executable(playwright: Playwright) -> str:
    own = playwright.chromium.executable_path
    found = [*(shutil.which(name) or "" for name in NAMES), own]
    for path in found:
        if path and Path(path).is_file():
            return path
    raise NoBrowser(f"No browser: neither {', '.join(NAMES)} on PATH nor Playwright's own at {own}.")
