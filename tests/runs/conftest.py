"""An engine with a store in a temporary folder, and agents that do what the test says."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path

import pytest

from api.agents.base import Agent, Turn
from api.domain.events import Event, RunEnded
from api.runs.asides import Asides
from api.runs.conversing import Conversing
from api.runs.engine import Engine
from api.runs.queueing import Queueing
from api.runs.tasks import Tasks
from api.runs.viewing import Viewing
from api.sessions.documents.session import Session
from api.sessions.queues import Queues
from api.sessions.store import SessionStore


class TalkingAgent:
    """Says what the test puts in, until the test says that it is done."""

    name = "talking"

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.is_stubborn = False
        self.was_let_go = asyncio.Event()
        self._words: asyncio.Queue[Event | BaseException | None] = asyncio.Queue()

    def says(self, *events: Event) -> "TalkingAgent":
        for event in events:
            self._words.put_nowait(event)
        return self

    def ends(self) -> None:
        self._words.put_nowait(None)

    def breaks(self, error: Exception) -> None:
        self._words.put_nowait(error)

    async def run(self, turn: Turn) -> AsyncGenerator[Event, None]:
        self.turns.append(turn)
        try:
            while (word := await self._next()) is not None:
                if isinstance(word, BaseException):
                    raise word
                yield word
        finally:
            self.was_let_go.set()

    async def _next(self) -> Event | BaseException | None:
        while True:
            try:
                return await self._words.get()
            except asyncio.CancelledError:
                if not self.is_stubborn:
                    raise

    async def prepare(self) -> None: ...

    async def close(self) -> None: ...


class OneAgent:
    def __init__(self, agent: Agent) -> None:
        self.agent = agent

    async def choose(self, model: str | None, agent: str | None) -> tuple[Agent, str]:
        return self.agent, model or "test/talking"

    def can_resume(self, agent: str) -> bool:
        return False


class World:
    """A server without HTTP. `restart` is what follows a death: a new store and engine on the same folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.agent = TalkingAgent()
        self._dead: list[Engine] = []
        self._build()

    def _build(self) -> None:
        (self.folder / "runs").mkdir(parents=True, exist_ok=True)
        sessions = self.folder / "sessions"
        cache: dict[str, Session] = {}
        self.store = SessionStore(lambda: sessions, lambda: sessions / "_index.db", lambda: cache)
        self.agents = OneAgent(self.agent)
        self.engine = Engine(self.store, self.agents, self.folder / "runs")
        self.conversing = Conversing(self.engine)
        self.viewing = Viewing(self.engine)
        self.asides = Asides(self.engine, self.conversing, self.viewing)
        self.tasks = Tasks(self.engine, self.conversing)
        self.told: list[str] = []
        self.queueing = Queueing(self.engine, self.conversing, Queues(self.folder / "queues"), self.told.append)

    def restart(self) -> None:
        self._dead.append(self.engine)
        self.agent = TalkingAgent()
        self._build()

    async def close(self) -> None:
        """End everything, the tasks of those that the test takes for dead too."""
        await self.tasks.close()
        for engine in (*self._dead, self.engine):
            engine.on_retired.clear()
            await engine.close()

    async def until_ended(self, run_id: str) -> list[Event]:
        events: list[Event] = []
        async for batch in self.viewing.follow(run_id):
            if isinstance(batch, list):
                events += batch
        assert isinstance(events[-1], RunEnded)
        return events


async def eventually(is_so: Callable[[], object]) -> None:
    """Let the loop run until something is so; ten seconds are more than anything here takes."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110  what is awaited is nobody's event
            await asyncio.sleep(0)


@pytest.fixture
def make_world(tmp_path: Path) -> Callable[[], World]:
    return lambda: World(tmp_path)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    yield world
    await world.close()
