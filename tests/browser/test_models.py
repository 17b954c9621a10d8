"""Models and providers: chosen, connected, refused, and their keys never seen again."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Error, expect

from tests.browser.conftest import Visit
from tests.browser.devices import on_both
from tests.browser.tab import Tab
from tests.fakes.provider import FakeProvider
from tests.serving import Client

KEY = "sk-a-very-secret-key-that-nobody-may-see-7391"


@pytest.fixture
def locked() -> Iterator[FakeProvider]:
    """A provider that wants a key."""
    with FakeProvider(key=KEY, models=("oak", "elm", "yew")) as running:
        yield running


def everything_received(tab: Tab) -> str:
    """All that the server answered this browser, streams aside, which never end."""
    received = []
    for response in tab.watch.responses:
        received += [f"{name}: {value}" for name, value in response.headers.items()]
        if "text/event-stream" not in response.headers.get("content-type", ""):
            try:
                received.append(response.text())
            except Error:
                continue  # a page that was left took its answers along
    return "\n".join(received)


@on_both
def test_the_provider_of_the_environment_is_the_default(tab: Tab, client: Client) -> None:
    expect(tab.model_chip).to_have_text("mock-1")
    tab.ask("Hello")
    assert client.messages(tab.session_id)[-1]["model"] == "environment/mock-1"

    tab.go("/settings")
    card = tab.page.get_by_role("listitem").filter(has_text="set where the server was started")
    expect(card).to_contain_text("no key")
    expect(card.get_by_role("button")).to_have_count(0)


@on_both
def test_the_chip_lists_all_models_and_the_chosen_one_answers(tab: Tab, client: Client) -> None:
    tab.touch(tab.model_chip)
    options = tab.page.get_by_role("option")
    expect(options.filter(has_text="mock-1")).to_be_visible()
    expect(options.filter(has_text="SmolLM2")).to_contain_text("demo")
    expect(tab.page.get_by_role("listbox", name="Choose a model")).to_be_visible()

    tab.page.keyboard.type("ock-2")
    expect(options).to_have_count(1)
    tab.page.keyboard.press("Enter")

    expect(tab.model_chip).to_have_text("mock-2")
    if not tab.phone:
        expect(tab.composer).to_be_focused()
    tab.ask("Who are you?")
    assert client.messages(tab.session_id)[-1]["model"] == "environment/mock-2"
    expect(tab.page.get_by_role("article", name="mock-2 answered")).to_be_visible()


@on_both
def test_a_provider_is_tried_live_connected_used_changed_and_disconnected_and_its_key_never_shown(
    tab: Tab, locked: FakeProvider, client: Client
) -> None:
    page = tab.page
    tab.watch.allow("status of 4")
    tab.touch(tab.model_chip)
    tab.touch(tab.button("Connect a model …"))
    expect(page.get_by_role("heading", name="Connect a model you trust")).to_be_in_viewport()
    page.get_by_label("Address", exact=True).fill(locked.url)
    page.get_by_label("Name", exact=True).fill("The grove")
    form = page.get_by_role("status")

    page.get_by_label("API key, if it wants one").fill("not-the-key")
    for action in ("Test", "Connect"):
        tab.touch(tab.button(action))
        expect(form.filter(has_text="key")).to_be_visible()
        assert len(client.get("/api/providers")["providers"]) == 1

    page.get_by_label("API key, if it wants one").fill(KEY)
    tab.touch(tab.button("Test"))
    expect(form.filter(has_text="It works: 3 models")).to_contain_text("yew")
    tab.touch(tab.button("Connect"))
    card = page.get_by_role("listitem").filter(has_text="The grove")
    expect(card).to_contain_text("set ···· 7391")
    expect(page.get_by_label("API key, if it wants one")).to_have_value("")

    tab.new_chat()
    tab.choose_model("yew")
    expect(tab.ask("Are you a tree?")).to_contain_text("Are you a tree?")
    assert locked.chats[-1].json["model"] == "yew"

    tab.go("/settings")
    tab.touch(tab.button("Change: The grove"))
    card.get_by_label("Name", exact=True).fill("The wood")
    tab.touch(card.get_by_role("button", name="Save"))
    expect(page.get_by_text("The wood is saved.")).to_be_visible()
    assert locked.requests[-1].headers["authorization"] == f"Bearer {KEY}"

    assert KEY not in everything_received(tab)
    assert KEY not in page.content()
    assert KEY not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")

    tab.touch(tab.button("Disconnect: The wood"))
    expect(tab.button("Keep")).to_be_focused()
    tab.touch(page.get_by_role("group", name="Disconnect").get_by_role("button", name="Disconnect"))
    expect(page.get_by_text("The wood is disconnected.")).to_be_visible()
    assert [one["id"] for one in client.get("/api/providers")["providers"]] == ["environment"]


@pytest.mark.parametrize("mode", ["html", "shape", "missing", "broken"])
def test_an_address_that_is_no_provider_is_told_in_a_sentence_and_not_saved(
    tab: Tab, provider: FakeProvider, client: Client, mode: str
) -> None:
    tab.watch.allow("status of [45]")
    tab.go("/settings")
    tab.page.get_by_label("Address", exact=True).fill(f"{provider.origin}/{mode}/v1")

    tab.button("Connect").click()

    expect(tab.page.get_by_role("status").filter(has_text=".")).to_be_visible()
    sentence = tab.page.get_by_role("status").filter(has_text=".").inner_text()
    assert len(sentence.split()) > 5
    assert len(client.get("/api/providers")["providers"]) == 1


@on_both
def test_a_default_chosen_in_settings_is_that_of_new_conversations(visit: Visit, client: Client) -> None:
    tab = visit("/settings")
    chooser = tab.page.get_by_role("button").filter(has_text="mock-1")
    tab.touch(chooser)
    tab.touch(tab.page.get_by_role("option", name="mock-2"))
    expect(tab.page.get_by_role("button").filter(has_text="mock-2")).to_be_focused()

    tab.new_chat()
    expect(tab.model_chip).to_have_text("mock-2")
    expect(tab.twin("/").model_chip).to_have_text("mock-2")
    client.post("/api/models/default", model="environment/mock-1")
    expect(tab.model_chip).to_have_text("mock-1")


def test_why_a_provider_lists_no_models_is_said_in_the_language_that_is_spoken(tab: Tab, client: Client) -> None:
    with FakeProvider() as mortal:
        saved = client.post("/api/providers/save", kind="openai_compatible", base_url=mortal.url, name="Mortal")
    tab.go("/settings")
    tab.page.get_by_role("combobox").select_option(label="Deutsch")
    card = tab.page.get_by_role("listitem").filter(has_text="Mortal")

    with tab.page.expect_response("**/api/models*"):
        tab.page.reload()

    expect(card).to_contain_text("Der Anbieter ist nicht zu erreichen.")
    client.post("/api/providers/delete", id=saved["provider"]["id"])


@on_both
def test_a_provider_that_died_is_named_with_its_sentence(tab: Tab, client: Client) -> None:
    with FakeProvider() as mortal:
        saved = client.post("/api/providers/save", kind="openai_compatible", base_url=mortal.url, name="Mortal")
    model = saved["models"][0]["id"]
    session_id = client.new_session()
    client.start(session_id, "Anyone?", model=f"{saved['provider']['id']}/{model}")

    tab.open_session(session_id)

    card = tab.page.get_by_role("region", name="That did not work")
    expect(card).to_be_visible(timeout=30_000)
    assert len(card.inner_text().split()) > 5
    expect(card.get_by_role("button", name="Retry")).to_be_visible()
    client.post("/api/providers/delete", id=saved["provider"]["id"])
