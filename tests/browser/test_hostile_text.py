"""Whatever anyone says, the page shows it, and does none of it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Error, expect

from tests.browser.conftest import MODEL, Visit
from tests.browser.devices import DESK, PHONE, on, on_both
from tests.browser.documents import write_session
from tests.browser.hostile import giants, payloads
from tests.browser.tab import Tab
from tests.fakes.provider import FakeProvider
from tests.serving import Client

ALLOWED = """
    a b blockquote br button code del div em h1 h2 h3 h4 h5 h6 hr i img kbd li mark ol p pre span strong sub sup
    table tbody td th thead tr u ul iframe
    math semantics mrow mi mn mo mtext mspace mfrac mstyle merror mpadded msub msup
"""
# A browser that cannot sanitise by itself gets a library that does.
WITHOUT_SANITISER = "delete Element.prototype.setHTML; delete window.Sanitizer;"
BATCH = 12
MEGABYTE = "@@repeat 64 " + "0123456789abcdef" * 1024
WIDER = "document.documentElement.scrollWidth > innerWidth"


class Sink:
    """A server elsewhere that counts who asks it for anything."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sink.hits.append(self.path)
                self.send_response(204)
                self.end_headers()

            do_POST = do_HEAD = do_OPTIONS = do_GET

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: the hits are what counts."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Sink":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with Sink() as running:
        httpx2.get(f"{running.address}/works", trust_env=False)
        assert running.hits.pop() == "/works"
        yield running


@pytest.fixture(scope="module")
def texts(sink: Sink) -> list[str]:
    return payloads(sink.address)


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> Path:
    """Sessions in which both sides say every payload, and a few sessions that are called by them."""
    state = tmp_path_factory.mktemp("house") / "state"
    said_by_both = [text for payload in texts for text in (payload, payload)]
    for first in range(0, len(said_by_both), 2 * BATCH):
        messages = said_by_both[first : first + 2 * BATCH]
        write_session(state / "sessions", f"Batch {first // (2 * BATCH)}", messages=messages)
    for number, title in enumerate(texts):
        name = write_session(state / "sessions", f"Named {number}", days_ago=1)
        file = state / "sessions" / f"{name}.json"
        file.write_text(file.read_text().replace(f'"Named {number}"', json.dumps(title)))
    return state


def assert_harmless(tab: Tab, sink: Sink) -> None:
    """Nothing ran, nothing was fetched, and nothing is in the page that could still do either."""
    assert tab.page.evaluate("window.__pwned") is None
    assert tab.page.evaluate("Object.keys(Object.prototype)") == []
    found = tab.page.evaluate(
        """() => {
            const all = [...document.querySelectorAll(".markdown *")];
            const attributes = all.flatMap((node) => [...node.attributes].map((one) => one.name));
            return {
                elements: [...new Set(all.map((node) => node.localName))],
                handlers: attributes.filter((name) => /^on|style|^id$|^name$|ping|srcset/.test(name)),
                links: all.filter((node) => node.localName === "a").map((node) => [node.protocol, node.rel]),
                pictures: all.filter((node) => node.localName === "img").map((node) => node.src),
            };
        }"""
    )
    assert set(found["elements"]) <= set(ALLOWED.split())
    assert found["handlers"] == []
    assert {protocol for protocol, _ in found["links"]} <= {"http:", "https:", "mailto:"}
    assert {rel for _, rel in found["links"]} <= {"noopener noreferrer"}
    assert [src for src in found["pictures"] if not src.startswith("data:image/")] == []
    assert sink.hits == []
    tab.watch.check()


def test_there_are_enough_of_them(texts: list[str]) -> None:
    assert len(set(texts)) == len(texts) >= 120


@pytest.mark.parametrize(
    ("script", "device"),
    [("", DESK), (WITHOUT_SANITISER, PHONE)],
    ids=["own-sanitiser", "library-phone"],
    indirect=["device"],
)
def test_what_either_side_said_runs_nothing_and_asks_nobody(
    visit: Visit, sink: Sink, texts: list[str], script: str
) -> None:
    tab = visit(script=script)
    for batch in range(0, (len(texts) + BATCH - 1) // BATCH):
        last = texts[batch * BATCH : (batch + 1) * BATCH]
        tab.open_row(f"Batch {batch}")
        expect(tab.answers).to_have_count(len(last))
        expect(tab.said).to_have_count(len(last))
        assert [one.strip() for one in tab.said.all_text_contents()] == [one.strip() for one in last]
        assert tab.page.evaluate(WIDER) is False
        assert tab.thread.evaluate("view => view.scrollWidth > view.clientWidth") is False
        assert_harmless(tab, sink)
    tab.go("/")
    expect(tab.ask("Are you still there?")).to_contain_text("Are you still there?")


def test_an_answer_that_grows_out_of_all_of_them_runs_nothing(tab: Tab, sink: Sink, texts: list[str]) -> None:
    """Cut off at every word, half a tag is another text than the whole one."""
    # One of them is a diagram with a handler in it, which its frame's own policy forbids, if it comes into view at all.
    tab.watch.allow(r"inline event handler violates .* \(.*/diagram/mermaid\.js\)")
    for first in range(0, len(texts), 35):
        tab.ask("\n\n".join(texts[first : first + 35]))
        assert_harmless(tab, sink)
    tab.page.mouse.move(640, 400)
    assert_harmless(tab, sink)


@on_both
def test_titles_run_nothing(tab: Tab, sink: Sink, texts: list[str], client: Client) -> None:
    tab.open_sessions()
    lines = tab.sessions.get_by_role("listitem")
    total = client.get("/api/sessions")["counts"]["active"]
    while (place := lines.last.get_attribute("aria-posinset")) != str(total):
        tab.rows.last.scroll_into_view_if_needed()
        expect(lines.last).not_to_have_attribute("aria-posinset", place or "")
    assert_harmless(tab, sink)

    title = next(one for one in texts if one.startswith("<svg onload"))
    tab.go("/s/old-named-" + str(texts.index(title)))
    expect(tab.page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    assert tab.page.title() == f"{title} · Fireside"
    assert tab.page.evaluate(WIDER) is False
    client.post("/api/session/pin", session_id=tab.session_id, pinned=True)
    tab.do(title, "Delete")
    expect(tab.toast(f"Deleted “{title}”.")).to_be_visible()
    assert_harmless(tab, sink)
    tab.touch(tab.toast(f"Deleted “{title}”.").get_by_role("button", name="Undo"))
    tab.open_sessions()
    expect(tab.row(title)).to_be_visible()


def test_the_names_of_models_run_nothing(tab: Tab, sink: Sink, texts: list[str]) -> None:
    with FakeProvider(models=tuple(texts)) as provider:
        tab.go("/settings")
        tab.page.get_by_label("Address", exact=True).fill(provider.url)
        tab.page.get_by_label("Name", exact=True).fill(texts[0])
        tab.button("Test").click()
        expect(tab.page.get_by_text("It works:")).to_be_visible()
        tab.button("Connect").click()
        expect(tab.page.get_by_text(f"{texts[0]} is connected.")).to_be_visible()
        assert_harmless(tab, sink)

        tab.go("/")
        tab.model_chip.click()
        expect(tab.page.get_by_role("option").nth(50)).to_be_attached()
        name = "<svg onload=window.__pwned=1>"
        tab.page.get_by_role("option", name=name, exact=True).click()
        expect(tab.model_chip).to_have_text(name)
        expect(tab.ask("Which one are you?")).to_contain_text("Which one are you?")
        assert_harmless(tab, sink)


@on(PHONE)
def test_a_megabyte_on_one_line_is_no_wider_than_the_phone(tab: Tab, client: Client) -> None:
    session_id = client.new_session()
    client.answer(session_id, MEGABYTE, model=MODEL)
    tab.open_session(session_id)
    expect(tab.answer).to_have_attribute("aria-busy", "false")

    assert tab.thread.evaluate("view => view.scrollWidth > view.clientWidth") is False
    expect(tab.ask("Still there?")).to_contain_text("Still there?")


# On a desk only: a minute's work for the parser, which knows no device.
def test_what_is_hard_to_read_does_not_stop_the_page(tab: Tab, client: Client) -> None:
    answers = giants() | {"a megabyte on one line": MEGABYTE}
    for kind, text in answers.items():
        session_id = client.new_session()
        client.answer(session_id, text, model=MODEL)
        tab.open_session(session_id)
        expect(tab.answer, kind).to_have_attribute("aria-busy", "false")
        assert len(tab.answer.text_content() or "") > 100, kind
        expect(tab.composer).to_be_focused()
    expect(tab.ask("Still there?")).to_contain_text("Still there?")


@pytest.mark.parametrize("name", ["anything", "svelte-trusted-html", "fireside-worker"])
def test_nothing_but_the_page_itself_may_vouch_for_html_or_scripts(tab: Tab, name: str) -> None:
    tab.watch.allow("Creating a TrustedTypePolicy")
    tab.watch.allow("requires 'TrustedHTML'")
    vouch = "(name) => { trustedTypes.createPolicy(name, { createHTML: (text) => text }) }"
    insert = "() => { document.body.innerHTML = '<b>x</b>' }"

    with pytest.raises(Error, match=r"disallowed|already exists"):
        tab.page.evaluate(vouch, name)
    with pytest.raises(Error, match="TrustedHTML"):
        tab.page.evaluate(insert)
