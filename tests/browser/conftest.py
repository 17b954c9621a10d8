"""A server, a provider that follows scripts, and tabs to visit them in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chromium import NoBrowser, chromium, new_context
from tests.browser.devices import DESK, Device
from tests.browser.tab import READY_MS, Tab
from tests.browser.watch import Watch
from tests.fakes.provider import FakeProvider
from tests.serving import ROOT, Client, ServerProcess

MODEL = "environment/mock-1"

expect.set_options(timeout=READY_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


# Not for the whole session: while it runs, Playwright occupies the event loop that other tests need.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not (ROOT / "api/static/index.html").is_file():
        pytest.fail("The page is not built: `./run test` builds it, and so does `python3 web/build.py`.")
    try:
        with chromium() as running:
            yield running
    except NoBrowser as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the module's server keeps its data; a module that wants something there already overrides this."""
    return tmp_path_factory.mktemp("house") / "state"


@pytest.fixture(scope="module")
def server(state_dir: Path, provider: FakeProvider) -> Iterator[ServerProcess]:
    with ServerProcess(state_dir, provider_url=provider.url) as running:
        # From here on it keeps its port, because a page knows its server by that.
        running.port = int(running.address.rpartition(":")[2])
        yield running


@pytest.fixture(scope="module")
def client(server: ServerProcess) -> Client:
    """The same server, spoken to by a script."""
    return server.client()


@pytest.fixture
def device(request: pytest.FixtureRequest) -> Device:
    """What the test is walked on; see `devices`."""
    return getattr(request, "param", DESK)


@pytest.fixture
def tidy(client: Client) -> Iterator[None]:
    """What a test adds to the column is gone for the next, which may be the same on another device."""
    before = _listed(client)
    yield
    for session_id in _listed(client) - before:
        client.post("/api/session/delete", session_id=session_id)


def _listed(client: Client) -> set[str]:
    lists = [client.get("/api/sessions", limit=200, archived=archived) for archived in (0, 1)]
    return {row["session_id"] for one in lists for row in one["sessions"]}


class Visit(Protocol):
    """Opens a tab of a browser of its own, on the test's device; signed in, unless told otherwise."""

    def __call__(self, path: str = "/", *, signed_in: bool = True, script: str = "") -> Tab: ...


@pytest.fixture
def visit(browser: Browser, server: ServerProcess, client: Client, device: Device) -> Iterator[Visit]:
    tabs: list[Tab] = []

    def open_tab(path: str = "/", *, signed_in: bool = True, script: str = "") -> Tab:
        context = new_context(browser, phone=device.phone, dark=device.dark)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.address)
        if script:
            context.add_init_script(script)
        watch = Watch(server.address)
        watch.over(context)
        tab = Tab(context.new_page(), watch, phone=device.phone)
        tabs.append(tab)
        if signed_in:
            path += client.post("/api/auth/link")["path"].removeprefix("/")  # a printed link, of any page
        tab.go(path)
        return tab

    yield open_tab
    try:
        for tab in tabs:
            tab.watch.check()
    finally:
        for tab in tabs:
            tab.context.close()


@pytest.fixture
def tab(visit: Visit) -> Tab:
    """A signed-in tab with an empty chat."""
    tab = visit()
    expect(tab.composer).to_be_visible()
    return tab
