"""Work that goes side by side: what of it may, and what comes of it."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar

T = TypeVar("T")

SIDE_BY_SIDE = 4


class Lanes:
    """Lets a few go side by side, or one alone: whoever comes first goes first, so that nobody waits for ever."""

    def __init__(self, count: int = SIDE_BY_SIDE) -> None:
        self._count = self._free = count
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def lane(self, *, alone: bool) -> AsyncIterator[None]:
        """Wait for a lane, or for all of them."""
        width = self._count if alone else 1
        await self._enter(width)
        try:
            yield
        finally:
            self._free += width
            self._let_in()

    async def _enter(self, width: int) -> None:
        mine = asyncio.get_running_loop().create_future()
        self._waiting.append((width, mine))
        self._let_in()
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._free += width  # it was let in at the moment when it was cancelled
            else:
                self._waiting.remove((width, mine))
            self._let_in()
            raise

    def _let_in(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._free:
            width, first = self._waiting.popleft()
            self._free -= width
            first.set_result(None)


async def side_by_side(streams: Sequence[AsyncGenerator[T, None]], most: int = SIDE_BY_SIDE) -> AsyncGenerator[T, None]:
    """What `streams` yield, as it comes, from at most so many at once; they are begun in their order.

    Each goes on when what it yielded was dealt with, as if it were alone. Closing this ends all of them.
    """
    slots = asyncio.Semaphore(most)
    said: asyncio.Queue[tuple[T, asyncio.Event] | asyncio.Task[None]] = asyncio.Queue()

    async def drive(stream: AsyncGenerator[T, None]) -> None:
        async with slots, aclosing(stream) as items:
            async for item in items:
                dealt_with = asyncio.Event()
                said.put_nowait((item, dealt_with))
                await dealt_with.wait()

    tasks = [asyncio.create_task(drive(stream)) for stream in streams]
    for task in tasks:
        task.add_done_callback(said.put_nowait)
    left = len(tasks)
    try:
        while left:
            match await said.get():
                case asyncio.Task() as task:
                    task.result()
                    left -= 1
                case item, dealt_with:
                    yield item
                    dealt_with.set()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
