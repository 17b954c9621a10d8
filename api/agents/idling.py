"""Connections that are opened when they are needed, and closed when nobody has used them for a while."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from typing import Generic, Protocol, TypeVar


class Connection(Protocol):
    @property
    def is_closed(self) -> bool: ...

    async def close(self) -> None: ...


C = TypeVar("C", bound=Connection)


class _Place(Generic[C]):
    """Where a connection is or was."""

    def __init__(self) -> None:
        self.connection: C | None = None
        self.users = 0
        self.has_worked = False
        self.idle_timer: asyncio.TimerHandle | None = None
        self.changing = asyncio.Lock()


class Idling(Generic[C]):
    """One connection for each key. What nobody has used for `idle_s` is closed; what was opened ahead, `ahead_s`."""

    def __init__(self, idle_s: float, *, ahead_s: float | None = None) -> None:
        self._idle_s = idle_s
        self._ahead_s = idle_s if ahead_s is None else ahead_s
        self._places: dict[Hashable, _Place[C]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def used(
        self,
        key: Hashable,
        is_fitting: Callable[[C], bool],
        start: Callable[[], Awaitable[C]],
        *,
        ahead: bool = False,
    ) -> AsyncIterator[C]:
        """The connection of `key`, begun with `start` where there is none; it is not ended for idleness inside.

        One that is not fitting is begun anew as soon as nobody else uses it. `ahead`: nobody has asked for anything
        yet. Raises what `start` raises.
        """
        place = self._places.setdefault(key, _Place())
        place.users += 1
        place.has_worked = place.has_worked or not ahead
        if place.idle_timer is not None:
            place.idle_timer.cancel()
        try:
            yield await self._at(place, is_fitting, start)
        finally:
            place.users -= 1
            if place.users == 0:
                is_over = place.connection is None or place.connection.is_closed
                kept_s = self._idle_s if place.has_worked else self._ahead_s
                delay_s = 0.0 if is_over else kept_s
                place.idle_timer = asyncio.get_running_loop().call_later(delay_s, self._begin_ending, key)

    def open(self) -> list[C]:
        """The connections there are."""
        connections = (place.connection for place in self._places.values())
        return [one for one in connections if one is not None and not one.is_closed]

    async def end(self, key: Hashable) -> None:
        """Close the connection of `key`, whoever uses it."""
        place = self._places.get(key)
        if place is not None:
            async with place.changing:
                if place.connection is not None:
                    await place.connection.close()

    async def close(self) -> None:
        """End all of them."""
        for place in self._places.values():
            if place.idle_timer is not None:
                place.idle_timer.cancel()
        connections = [place.connection for place in self._places.values() if place.connection is not None]
        self._places = {}
        await asyncio.gather(*(connection.close() for connection in connections), *self._ending)

    async def _at(self, place: _Place[C], is_fitting: Callable[[C], bool], start: Callable[[], Awaitable[C]]) -> C:
        async with place.changing:
            current = place.connection
            is_other = current is not None and not is_fitting(current) and place.users == 1
            if current is not None and (current.is_closed or is_other):
                await current.close()
                place.connection = None
            if place.connection is None:
                place.connection = await start()
            return place.connection

    def _begin_ending(self, key: Hashable) -> None:
        task = asyncio.create_task(self._end_if_idle(key))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end_if_idle(self, key: Hashable) -> None:
        place = self._places.get(key)
        if place is None or place.users:
            return
        async with place.changing:
            if place.users == 0:
                self._places.pop(key, None)
                if place.connection is not None:
                    await place.connection.close()
