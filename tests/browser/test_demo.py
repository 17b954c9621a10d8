"""The model that is there at once: no key, no address, nothing connected."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from api.agents.embedded.agent import why_unavailable
from tests.browser.tab import Tab
from tests.serving import Client, ServerProcess

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.skipif(why_unavailable() is not None, reason=why_unavailable() or ""),
]


@pytest.fixture(scope="module")
def server(state_dir: Path) -> Iterator[ServerProcess]:
    with ServerProcess(state_dir, scripted=False) as running:
        yield running


def test_the_demo_answers_at_once_and_says_what_it_is(tab: Tab, client: Client) -> None:
    expect(tab.model_chip).to_have_text("SmolLM2 135M · on this machine · demo")
    expect(tab.page.get_by_text("You are talking to a small demo model.")).to_be_visible()
    expect(tab.button("Connect a model you trust")).to_be_visible()

    tab.send("Say hello.")
    tab.wait_for_words(1)

    answer = tab.wait_for_answer(120_000)
    message = client.messages(tab.session_id)[-1]
    assert message["outcome"] == "done"
    assert message["content"].strip()
    expect(answer).to_have_accessible_name("SmolLM2 135M answered")
