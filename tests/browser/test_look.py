"""How the page looks and speaks: themes, density, languages, installed, offline, out of sight."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chromium import new_context
from tests.browser.conftest import Visit
from tests.browser.devices import DESK, PHONE, Device, on_both
from tests.browser.tab import Tab
from tests.browser.test_for_everyone import EVERYTHING, serious
from tests.browser.watch import Watch
from tests.fakes.provider import FakeProvider
from tests.serving import Client, ServerProcess


@pytest.mark.parametrize(
    ("theme", "device"), [("Paper", DESK), ("Midnight", DESK), ("Paper", PHONE)], indirect=["device"], ids=str
)
def test_a_theme_is_chosen_kept_and_readable(visit: Visit, client: Client, theme: str) -> None:
    session_id = client.new_session()
    client.answer(session_id, EVERYTHING)
    tab = visit("/settings")
    tab.touch(tab.page.get_by_text(theme, exact=True))
    tab.touch(tab.page.get_by_text("Compact", exact=True))
    tab.page.emulate_media(reduced_motion="reduce")
    found = {"settings": serious(tab.page)}

    tab.open_session(session_id)
    root = tab.page.locator("html")
    expect(root).to_have_attribute("data-theme", theme.lower())
    expect(root).to_have_attribute("data-density", "compact")
    expect(tab.page.locator(".hljs-comment")).to_be_visible()
    found["conversation"] = serious(tab.page)
    [inserted, around] = [
        tab.page.locator(part).evaluate("(node) => getComputedStyle(node).color")
        for part in (".hljs-subst", ".hljs-string")
    ]
    assert inserted != around, "what is put into a string looks like the string"
    tab.go("/")
    expect(tab.composer).to_be_visible()
    found["empty chat"] = serious(tab.page)
    assert {screen: said for screen, said in found.items() if said} == {}


MOVING = "document.getAnimations().filter((one) => one.effect.getComputedTiming().duration > 1).length"


@on_both
def test_nothing_moves_for_those_who_asked_for_that(tab: Tab) -> None:
    tab.page.emulate_media(reduced_motion="reduce")
    tab.send("Slowly\n@@text Begun.\n@@silence")
    expect(tab.answer).to_contain_text("Begun.")
    tab.open_sessions()
    assert tab.page.evaluate(MOVING) == 0

    tab.page.emulate_media(reduced_motion="no-preference")
    assert tab.page.evaluate(MOVING) > 0
    tab.close_sessions()
    tab.touch(tab.button("Stop"))
    tab.wait_for_answer()


@on_both
def test_a_language_is_chosen_spoken_at_once_and_kept(tab: Tab) -> None:
    tab.go("/settings")
    for language, word in {"Deutsch": "Einstellungen", "Français": "Réglages"}.items():
        tab.page.get_by_role("combobox").select_option(label=language)
        expect(tab.page.get_by_role("heading", name=word, exact=True)).to_be_visible()
    assert tab.page.title() == "Réglages · Fireside"

    tab.page.reload()

    expect(tab.page.get_by_role("heading", name="Réglages", exact=True)).to_be_visible()
    expect(tab.page.locator("html")).to_have_attribute("lang", "fr")
    tab.page.get_by_role("combobox").select_option(value="system")
    expect(tab.page.get_by_role("heading", name="Settings", exact=True)).to_be_visible()


@on_both
def test_what_the_server_says_is_said_in_the_language_that_is_spoken(tab: Tab, client: Client) -> None:
    tab.go("/settings")
    tab.page.get_by_role("combobox").select_option(label="Français")
    tab.watch.allow("status of 400")
    tab.go("/")
    field = tab.page.get_by_role("textbox", name="Message")
    field.fill("/rien")
    tab.touch(tab.page.get_by_role("button", name="Envoyer", exact=True))
    expect(tab.page.get_by_role("status").filter(has_text="Il n’y a pas de commande /rien.")).to_be_visible()

    field.fill("/help")
    tab.touch(tab.page.get_by_role("button", name="Envoyer", exact=True))
    sheet = tab.page.get_by_role("dialog", name="Raccourcis et commandes")
    commands = client.get("/api/commands")["commands"]
    expect(sheet.get_by_text("/btw")).to_be_visible()
    assert [one["name"] for one in commands if one["help"] in sheet.inner_text()] == [], "English among the French"
    assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the screen"


@pytest.fixture
def german(browser: Browser, server: ServerProcess, client: Client) -> Iterator[Tab]:
    context = browser.new_context(locale="de-AT", viewport={"width": 1280, "height": 800})
    watch = Watch(server.address)
    watch.over(context)
    yield Tab(context.new_page(), watch).go(client.post("/api/auth/link")["path"])
    watch.check()
    context.close()


def test_the_browser_s_language_is_spoken_and_no_other_is_loaded(german: Tab) -> None:
    expect(german.page.get_by_role("textbox", name="Nachricht", exact=True)).to_be_visible()

    expect(german.page.locator("html")).to_have_attribute("lang", "de")
    words = [one.url for one in german.watch.requests if re.search(r"/(?:en|de|fr)-[\w-]+\.js$", one.url)]
    assert {re.sub(r".*/|-.*", "", one) for one in words} == {"de"}


def test_it_can_be_installed(tab: Tab) -> None:
    manifest = tab.page.request.get(f"{tab.address}/manifest.webmanifest").json()

    for icon in manifest["icons"]:
        answer = tab.page.request.get(tab.address + icon["src"])
        assert (answer.status, answer.headers["content-type"]) == (200, icon["type"])
    assert {icon["sizes"] for icon in manifest["icons"]} >= {"192x192", "512x512"}


@pytest.fixture
def kept(browser: Browser, tmp_path: Path, device: Device) -> Iterator[tuple[Tab, ServerProcess]]:
    """A tab whose browser keeps the page, of a server that may be stopped."""
    with FakeProvider() as provider, ServerProcess(tmp_path / "state", provider_url=provider.url) as server:
        context = new_context(browser, phone=device.phone, dark=device.dark, keeps_page=True)
        watch = Watch(server.address)
        watch.over(context)
        tab = Tab(context.new_page(), watch, phone=device.phone)
        tab.go(server.client().post("/api/auth/link")["path"])
        tab.page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
        yield tab, server
        context.close()


@on_both
def test_offline_the_page_opens_and_says_so(kept: tuple[Tab, ServerProcess]) -> None:
    tab, _ = kept
    names = tab.page.evaluate(
        """async () => {
            const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
            const requests = (await Promise.all(caches_.map((one) => one.keys()))).flat();
            return requests.map((one) => new URL(one.url).pathname);
        }"""
    )
    assert "/" in names
    assert [name for name in names if name.startswith("/api/")] == []

    tab.context.set_offline(True)
    tab.page.reload()
    expect(tab.page.get_by_text("You are offline, or Fireside is not running.").first).to_be_visible()
    expect(tab.composer).to_be_visible()

    tab.context.set_offline(False)
    tab.page.reload()
    expect(tab.page.get_by_text("You are offline")).to_have_count(0)


def test_a_new_server_never_meets_an_old_page(kept: tuple[Tab, ServerProcess]) -> None:
    tab, _ = kept
    tab.page.evaluate(
        """async () => {
            const [name] = await caches.keys();
            await (await caches.open(name)).put("/", new Response("an old page"));
        }"""
    )

    tab.page.reload()

    expect(tab.composer).to_be_visible()
    expect(tab.page.get_by_text("an old page")).to_have_count(0)


OUT_OF_SIGHT = """
    window.__notices = [];
    window.Notification = class {
        static permission = "default";
        static async requestPermission() { window.__asked = true; return (Notification.permission = "granted"); }
        constructor(title, options) { window.__notices.push([title, options.tag]); }
        close() {}
    };
    window.__hidden = false;
    Object.defineProperty(document, "hidden", { get: () => window.__hidden });
    window.__hide = (hidden) => { window.__hidden = hidden; document.dispatchEvent(new Event("visibilitychange")); };
"""


@on_both
def test_an_answer_that_ends_out_of_sight_is_told_when_that_was_wished(visit: Visit) -> None:
    tab = visit("/settings", script=OUT_OF_SIGHT)
    assert tab.page.evaluate("window.__asked") is None
    tab.page.get_by_role("switch", name="Tell me when an answer is done or an agent asks").check()
    assert tab.page.evaluate("window.__asked") is True
    tab.new_chat()

    tab.send("A slow one\n@@pace 0.05\n@@text " + "word " * 40)
    tab.wait_for_words(3)
    tab.page.evaluate("window.__hide(true)")
    expect(tab.page).to_have_title(re.compile("^● "))

    assert tab.page.evaluate("window.__notices") == [["“A slow one” is answered", tab.session_id]]
    tab.page.evaluate("window.__hide(false)")
    expect(tab.page).to_have_title(re.compile("^A slow one"))
