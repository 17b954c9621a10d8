"""The same transcript and the same running stream, whatever happens on the way: reloads, tabs, networks, restarts."""

import random
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import MODEL, Visit
from tests.browser.devices import DESK, PHONE, on_both
from tests.browser.tab import Tab
from tests.browser.watch import AWAY
from tests.serving import Client, ServerProcess

pytestmark = pytest.mark.usefixtures("tidy")

WORDS = [f"word{n}" for n in range(1500)]


def numbered(title: str, count: int = 400, pace_s: float = 0.004) -> str:
    """A message that is answered with so many different words, one at a time."""
    return f"{title}\n@@pace {pace_s}\n@@text {' '.join(WORDS[:count])}"


def documented(client: Client, session_id: str) -> list[str]:
    """The words of the answers of a session, as the server has them."""
    messages = client.messages(session_id)
    return [word for one in messages if one["role"] == "assistant" for word in one["content"].split()]


@pytest.fixture
def living(server: ServerProcess) -> Iterator[ServerProcess]:
    """The server, which is there again for the next test whatever this one does to it."""
    yield server
    if server.process.poll() is not None:
        server.start()


def test_a_long_stream_reloaded_at_five_random_points_comes_out_exact(tab: Tab, client: Client) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")  # said by pytest where it fails
    points = sorted(random.Random(seed).sample(range(1, 900), 5))
    tab.send(numbered("Five reloads", 1000, 0.003))

    for point in points:
        shown = tab.wait_for_words(point)
        assert shown == WORDS[: len(shown)]
        tab.page.reload()
        again = tab.wait_for_words(len(shown))
        assert again == WORDS[: len(again)]

    tab.wait_for_answer()
    assert tab.words_shown() == WORDS[:1000] == documented(client, tab.session_id)
    expect(tab.said).to_have_count(1)
    expect(tab.answers).to_have_count(1)


def test_a_second_tab_joins_in_the_middle_and_both_see_the_same(tab: Tab, client: Client) -> None:
    tab.send(numbered("Two tabs"))
    tab.wait_for_words(100)

    other = tab.twin(f"/s/{tab.session_id}")
    assert len(other.wait_for_words(101)) < 400

    for one in (tab, other):
        one.wait_for_answer()
        assert one.words_shown() == WORDS[:400] == documented(client, tab.session_id)
        expect(one.said).to_have_count(1)

    other.send("And from here?")
    expect(tab.said).to_have_count(2)
    expect(tab.wait_for_answer()).to_contain_text("And from here?")


def test_stop_in_one_tab_stops_the_answer_in_the_other(tab: Tab, client: Client) -> None:
    tab.send(numbered("Stopped elsewhere", 1500, 0.01))
    tab.wait_for_words(20)
    other = tab.twin(f"/s/{tab.session_id}")
    other.wait_for_words(20)

    other.touch(other.button("Stop"))

    for one in (tab, other):
        expect(one.wait_for_answer().get_by_text("Stopped.")).to_be_visible()
        assert one.words_shown() == documented(client, tab.session_id)


@on_both
def test_an_answer_goes_on_while_another_session_is_looked_at(tab: Tab, client: Client) -> None:
    elsewhere = client.new_session()
    client.answer(elsewhere, "Elsewhere", model=MODEL)
    tab.send(numbered("Left alone"))
    tab.wait_for_words(30)

    tab.open_row("Elsewhere")
    expect(tab.said).to_have_text("Elsewhere")
    tab.page.go_back()

    assert tab.wait_for_words(40)[:30] == WORDS[:30]
    tab.wait_for_answer()
    assert tab.words_shown() == WORDS[:400]


def test_a_network_that_goes_away_and_comes_back_leaves_no_gap(visit: Visit, client: Client) -> None:
    # Taking a tab's network away does not take that of the worker that it shares with others: this one has none.
    tab = visit(script="delete window.SharedWorker")
    tab.watch.allow("ERR_INTERNET_DISCONNECTED")
    tab.send(numbered("A tunnel", 800))
    tab.wait_for_words(50)
    tab.context.set_offline(True)
    expect(tab.page.get_by_text("You are offline").first).to_be_visible()
    cut = tab.words_shown()
    assert len(cut) < 800

    tab.context.set_offline(False)

    tab.wait_for_answer()
    assert tab.words_shown() == WORDS[:800] == documented(client, tab.session_id)
    expect(tab.page.get_by_text("Fireside is not answering.")).to_have_count(0)


def test_a_server_that_stands_still_for_a_while_is_waited_for(tab: Tab, living: ServerProcess, client: Client) -> None:
    tab.send(numbered("Holding its breath"))
    tab.wait_for_words(50)
    living.process.send_signal(signal.SIGSTOP)
    before = len(tab.words_shown())

    living.process.send_signal(signal.SIGCONT)

    tab.wait_for_answer()
    assert before < 400
    assert tab.words_shown() == WORDS[:400] == documented(client, tab.session_id)


@pytest.mark.parametrize(("end", "device"), [("kill -9", DESK), ("Ctrl-C", PHONE)], indirect=["device"], ids=str)
def test_a_restarted_server_shows_what_was_said_and_goes_on(
    tab: Tab, living: ServerProcess, client: Client, end: str
) -> None:
    tab.watch.allow(AWAY)
    tab.send(numbered(f"Until {end}", 1500, 0.01))
    shown = tab.wait_for_words(40)

    if end == "kill -9":
        living.kill()
        expect(tab.page.get_by_text("Fireside is not answering.").first).to_be_visible()
        assert tab.words_shown()[: len(shown)] == shown
    else:
        living.stop(signal.SIGINT)
    living.start()

    answer = tab.wait_for_answer()
    expect(answer.get_by_text("The server was restarted while this was being written.")).to_be_visible()
    kept = tab.words_shown()
    assert kept == WORDS[: len(kept)] == documented(client, tab.session_id)
    assert kept[: len(shown)] == shown
    assert client.messages(tab.session_id)[-1]["outcome"] == "interrupted"

    tab.touch(answer.get_by_role("button", name="Continue"))
    expect(tab.answer).to_have_attribute("aria-busy", "true")
    tab.touch(tab.button("Stop"))
    tab.wait_for_answer()
    expect(tab.answers).to_have_count(2)
    expect(tab.button("Continue")).to_have_count(1)
    assert documented(client, tab.session_id)[: len(kept)] == kept


@on_both
def test_what_is_written_while_the_server_is_away_is_kept_and_sent_when_it_is_back(
    tab: Tab, living: ServerProcess, client: Client
) -> None:
    tab.watch.allow(AWAY)
    living.kill()
    tab.send("Written into the void")
    expect(tab.page.get_by_text("Fireside does not answer. What you wrote is kept")).to_be_visible()
    expect(tab.composer).to_have_value("Written into the void")

    living.start()
    expect(tab.page.get_by_text("Fireside is not answering.")).to_have_count(0)
    tab.submit()

    tab.wait_for_answer()
    expect(tab.said).to_have_text("Written into the void")
    assert [one["role"] for one in client.messages(tab.session_id)] == ["user", "assistant"]


def test_a_message_whose_acceptance_got_lost_is_not_said_twice(tab: Tab, client: Client) -> None:
    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    tab.watch.allow("ERR_FAILED")
    tab.ask("First")
    tab.page.route("**/api/chat/start", lose_the_answer, times=1)
    tab.send("Only once")

    expect(tab.answer).to_contain_text("Only once")
    expect(tab.composer).to_have_value("")
    tab.wait_for_answer()
    expect(tab.said).to_have_text(["First", "Only once"])
    assert [one["content"] for one in client.messages(tab.session_id) if one["role"] == "user"] == [
        "First",
        "Only once",
    ]


def test_a_change_whose_answer_got_lost_is_made_once(tab: Tab, client: Client) -> None:
    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    tab.watch.allow("ERR_FAILED")
    tab.ask("First")
    tab.ask("Second")
    tab.page.route("**/api/commands/run", lose_the_answer, times=1)
    tab.composer.fill("/undo")
    tab.composer.press("Enter")

    expect(tab.composer).to_have_value("Second")
    expect(tab.said).to_have_text(["First"])
    assert [one["content"] for one in client.messages(tab.session_id) if one["role"] == "user"] == ["First"]
