"""Many tabs of one browser over HTTP/1.1, which has six connections for all of them.

On a desk only: what goes over the wire knows no device.
"""

import signal

from playwright.sync_api import expect

from tests.browser.conftest import MODEL, Visit
from tests.browser.tab import Tab
from tests.browser.test_following import WORDS, documented, numbered
from tests.browser.watch import AWAY
from tests.serving import Client, ServerProcess

TABS = 12
PATIENCE_MS = 60_000
NO_WORKERS = "delete window.SharedWorker"


def words_of(tab: Tab) -> list[str]:
    tab.wait_for_answer(PATIENCE_MS)
    return tab.words_shown()


def test_twelve_tabs_show_one_running_stream_to_the_letter_and_a_thirteenth_still_loads(
    tab: Tab, client: Client
) -> None:
    tab.send(numbered("Twelve tabs", 1500, 0.01))
    tab.wait_for_words(5)
    tabs = [tab, *(tab.twin(f"/s/{tab.session_id}") for _ in range(TABS - 1))]
    for one in tabs:
        assert len(one.wait_for_words(10)) < len(WORDS), "the answer ended before every tab was there"

    thirteenth = tab.twin()
    expect(thirteenth.composer).to_be_visible()
    expect(thirteenth.row("Twelve tabs")).to_be_visible()
    assert tab.answer.get_attribute("aria-busy") == "true"
    tabs.pop().page.close()

    for one in tabs:
        assert words_of(one) == WORDS == documented(client, tab.session_id)
        expect(one.said).to_have_count(1)
        expect(one.answers).to_have_count(1)


def test_eight_runs_in_eight_tabs_are_all_followed_and_a_ninth_message_is_answered(tab: Tab, client: Client) -> None:
    hanging = [client.new_session() for _ in range(8)]
    runs = [
        client.start(session_id, numbered(f"Run {number}", 1500, 0.1), model=MODEL)["stream_id"]
        for number, session_id in enumerate(hanging)
    ]
    tabs = [tab.twin(f"/s/{session_id}") for session_id in hanging]
    for one in tabs:
        one.wait_for_words(1)

    tab.ask("And the ninth?")

    for one, run in zip(tabs, runs, strict=True):
        client.post("/api/chat/cancel", stream_id=run)
        expect(one.wait_for_answer().get_by_text("Stopped.")).to_be_visible()


def test_a_restarted_server_is_found_again_by_every_tab(tab: Tab, server: ServerProcess, client: Client) -> None:
    tab.watch.allow(AWAY)
    tab.send(numbered("Until the end", 1500, 0.02))
    shown = tab.wait_for_words(20)
    tabs = [tab, *(tab.twin(f"/s/{tab.session_id}") for _ in range(3))]
    for one in tabs:
        one.wait_for_words(20)

    server.stop(signal.SIGINT)
    server.start()

    for one in tabs:
        expect(one.wait_for_answer(PATIENCE_MS).get_by_text("The server was restarted")).to_be_visible()
        assert one.words_shown() == documented(client, tab.session_id)
        assert one.words_shown()[: len(shown)] == shown
    tab.ask("Still there?")
    for one in tabs:
        expect(one.said).to_have_count(2)
        expect(one.wait_for_answer(PATIENCE_MS)).to_contain_text("Still there?")


def test_a_tab_whose_worker_cannot_begin_follows_by_itself(visit: Visit, client: Client) -> None:
    broken = "window.SharedWorker = class { constructor() { throw new DOMException('no', 'SecurityError') } }"
    for script in (NO_WORKERS, broken):
        tab = visit(script=script)
        tab.send(numbered("By itself"))
        tab.wait_for_words(1)
        other = tab.twin(f"/s/{tab.session_id}")
        for one in (tab, other):
            assert words_of(one) == WORDS[:400]


def test_signing_out_closes_the_door_and_signing_in_opens_it_with_live_streams(tab: Tab, client: Client) -> None:
    tab.ask("Before")
    path = client.post("/api/auth/link")["path"]
    tab.go("/settings")
    tab.button("Sign out").click()
    expect(tab.door).to_be_visible()

    tab.go(path)
    expect(tab.composer).to_be_visible()
    session_id = client.new_session()
    client.answer(session_id, "Told to all", model=MODEL)
    expect(tab.row("Told to all")).to_be_visible()
