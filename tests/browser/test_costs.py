"""What an answer takes, what it may take, and how a model is to answer: set, shown and held in the page."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.devices import on_both
from tests.browser.tab import Tab
from tests.fakes.provider import FakeProvider
from tests.serving import Client

pytestmark = pytest.mark.usefixtures("wide", "tidy")

TAKES = '@@usage {"prompt_tokens": 34000, "completion_tokens": 500, "total_tokens": 34500}\n@@text Done.'


@pytest.fixture
def wide(client: Client, provider: FakeProvider) -> Iterator[None]:
    """A provider that tells what its models can do; its `wide` is the default."""
    saved = client.post(
        "/api/providers/save", kind="openai_compatible", base_url=f"{provider.origin}/facts/v1", name="Barn"
    )
    client.post("/api/models/fallback", model=None)
    yield
    client.post("/api/budget")
    client.post("/api/models/hide", model="barn/narrow", is_hidden=False)
    client.post("/api/providers/delete", id=saved["provider"]["id"])


def choose_model(tab: Tab, name: str) -> None:
    tab.touch(tab.model_chip)
    tab.touch(tab.page.get_by_role("option", name=name))
    expect(tab.model_chip).to_have_text(name)


def usage(tab: Tab) -> Locator:
    return tab.page.locator("section").filter(has=tab.page.get_by_role("heading", name="Usage"))


@on_both
def test_a_chat_is_told_how_to_answer_and_the_ring_tells_how_full_its_context_is(
    tab: Tab, provider: FakeProvider
) -> None:
    choose_model(tab, "wide")
    tab.touch(tab.model_chip)
    tab.touch(tab.button("How it answers …"))
    tab.page.get_by_label("Instructions").fill("Speak like a pirate.")
    tab.page.get_by_label("Reasoning effort").select_option("high")
    tab.page.get_by_label("Temperature").fill("0.4")
    tab.touch(tab.button("Save"))
    tab.ask(TAKES)

    sent = provider.chats[-1].json
    assert (sent["temperature"], sent["reasoning_effort"]) == (0.4, "high")
    assert sent["messages"][0]["content"].startswith("Speak like a pirate.")
    expect(tab.answer).to_contain_text("34,500 tokens · price unknown")

    ring = tab.button("34% of the context")
    ring.focus()
    tab.page.keyboard.press("Enter")
    panel = tab.page.get_by_role("dialog", name="34% of the context")
    expect(panel).to_contain_text("34,000 tokens of 100,000 tokens")
    expect(panel).to_contain_text("Conversation")
    tab.page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(ring).to_be_focused()


@on_both
def test_a_budget_that_is_set_in_the_settings_stops_what_would_pass_it(tab: Tab) -> None:
    choose_model(tab, "wide")
    tab.ask(TAKES)
    address = tab.page.url.removeprefix(tab.address)

    tab.go("/settings")
    expect(usage(tab).get_by_role("row", name=re.compile("^Today"))).to_contain_text(",000")
    usage(tab).get_by_label("Tokens a conversation").fill("40000")
    tab.touch(tab.button("Save the budget"))
    expect(tab.page.get_by_text("The budget is saved.")).to_be_visible()

    tab.go(address)
    expect(tab.answers).to_have_count(1)
    tab.ask("And another one")
    expect(tab.answer).to_contain_text("the budget of 40,000 tokens for this session")


@on_both
def test_the_models_are_listed_with_what_is_known_and_one_can_be_hidden(tab: Tab) -> None:
    tab.go("/settings")
    tab.touch(tab.page.get_by_text(re.compile(r"^All \d+ models$")))
    rows = tab.page.locator("details").get_by_role("listitem")
    tab.page.get_by_label("Search, also for").fill("barn images")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("reads 4,000 tokens · images")
    offered = tab.page.get_by_role("checkbox", name="Offered: narrow")
    offered.uncheck()

    tab.go("/")
    tab.touch(tab.model_chip)
    expect(tab.page.get_by_role("option", name="wide")).to_be_visible()
    expect(tab.page.get_by_role("option", name="narrow")).to_have_count(0)


def test_another_model_steps_in_and_the_answer_says_so(tab: Tab) -> None:
    tab.go("/settings")
    tab.page.get_by_role("button", name="No other").click()
    tab.page.get_by_role("option", name="wide").click()
    expect(tab.page.get_by_role("button", name="wide")).to_be_visible()

    tab.go("/")
    tab.ask("@@flaky 1 404\n@@text Here I am.")
    expect(tab.answer).to_contain_text("mock-1 did not answer, so wide does.")
    expect(tab.answer).to_contain_text("Here I am.")


@on_both
def test_older_messages_are_summarised_for_the_model_and_stay_for_the_person(tab: Tab, provider: FakeProvider) -> None:
    choose_model(tab, "wide")
    for number in (1, 2, 3):
        tab.ask(f"@@text The boat is number {number}. {'It floats. ' * 60}")

    tab.send("/compact")
    expect(tab.toast("Older messages will be summarised")).to_be_visible()
    tab.ask("@@text Four it is.")

    expect(tab.answer).to_contain_text("summarised")
    expect(tab.said).to_have_count(4)
    expect(tab.thread).to_contain_text("The boat is number 1.")
    asked = [str(message["content"]) for message in provider.chats[-1].json["messages"]]
    assert not any(text.startswith("@@text The boat is number 1.") for text in asked)
