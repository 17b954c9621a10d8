"""Titles: a message's first words at once, a connected model's own later, and never over a name given by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from api.runs.naming import REQUEST
from tests.browser.devices import on_both
from tests.browser.tab import Tab
from tests.fakes.provider import FakeProvider
from tests.http.conftest import until
from tests.serving import Client, ServerProcess

QUESTION = "Why is the sky red at dusk?"
ASKED_FOR_A_TITLE = f"{REQUEST}\n\n> user: {QUESTION}\n> assistant: {QUESTION}"

pytestmark = pytest.mark.usefixtures("tidy")


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(scripts={ASKED_FOR_A_TITLE: "@@delay 1\n@@text Red skies at dusk"}) as running:
        yield running


@pytest.fixture(scope="module")
def server(state_dir: Path, provider: FakeProvider) -> Iterator[ServerProcess]:
    with ServerProcess(state_dir, provider_url=provider.url, titles="1") as running:
        yield running


@on_both
def test_a_conversation_is_named_by_its_first_message_and_then_by_the_model(tab: Tab) -> None:
    tab.send(QUESTION)
    heading = tab.page.get_by_role("heading", level=1)
    expect(heading).to_have_text(QUESTION)

    expect(heading).to_have_text("Red skies at dusk")
    tab.open_sessions()
    expect(tab.row("Red skies at dusk")).to_be_visible()


@on_both
def test_a_name_given_by_hand_meanwhile_stays(tab: Tab, provider: FakeProvider, client: Client) -> None:
    def named() -> int:
        return sum(one.answered for one in provider.chats if REQUEST in one.body)

    before = named()
    tab.ask(QUESTION)
    tab.send("/rename Mine")
    expect(tab.page.get_by_role("heading", name="Mine", exact=True)).to_be_visible()
    until(lambda: named() > before)

    tab.ask("And at dawn?")

    assert client.get("/api/session", session_id=tab.session_id)["session"]["title"] == "Mine"
    expect(tab.page.get_by_role("heading", name="Mine", exact=True)).to_be_visible()
