"""A server that is killed and comes back to two hundred tabs, who all ask at once."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.faults.conftest import times
from tests.faults.histories import Reader, World
from tests.serving import Frame, ServerProcess

TABS = 200
RUNS = 10


class Tab(Reader):
    """Reads the list afresh whenever it is back, as a page does."""

    lists = 0

    def _frames(self) -> Iterator[Frame]:
        frames = super()._frames()
        status, answer = self._world.ask("GET", "/api/sessions")
        assert (status, len(answer["sessions"])) == (200, RUNS)
        self.lists += 1
        return frames


def test_two_hundred_tabs_are_back_soon_and_have_missed_nothing(tmp_path: Path, note: Callable[[str], None]) -> None:
    with ServerProcess(tmp_path / "state") as server:
        world, client = World(server), server.client()
        for _ in range(times(1, 10, 10)):
            sessions = client.get("/api/sessions")["sessions"] or [client.new_session() for _ in range(RUNS)]
            named = [one if isinstance(one, str) else one["session_id"] for one in sessions]
            runs = [client.start(one, "@@pace 0.05\n@@repeat 100000 word ")["stream_id"] for one in named]
            tabs = [Tab(world, runs[number % RUNS], together=number % 2 == 0) for number in range(TABS)]
            while not all(tab.reading.numbers for tab in tabs):
                threading.Event().wait(0.01)
            world.kill()
            began = time.monotonic()
            for tab in tabs:
                tab.join(60)
                assert not tab.is_alive(), "a tab does not come back"
            note(f"{TABS} tabs that ask at once are back {time.monotonic() - began:.1f} s after the server is")
            for tab in tabs:
                assert (tab.reading.trouble, tab.reading.ending) == ("", "stream_end")
                assert tab.reading.numbers == list(range(1, len(tab.reading.numbers) + 1))
                assert tab.lists >= 2
            client = server.client()
