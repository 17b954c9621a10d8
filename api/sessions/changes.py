"""What changed in the list of sessions, numbered, for every open page to follow."""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable

import msgspec

KEEP = 2000
RESYNC_ABOVE = 200
PING_S = 15.0
GATHER_S = 0.05


class Change(msgspec.Struct, frozen=True):
    """Which sessions to look at again, and which other things (`topics`), up to `version`."""

    version: str
    session_ids: list[str]
    topics: list[str]


class Changes:
    """A change log without content: numbers and ids. Readers ask the store for what is there now.

    A version is `<epoch>.<number>`; the epoch is new at every start, so that a number of a former life is never taken
    for one of this.
    """

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(4)
        self._number = 0
        self._floor = 0
        self._latest: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._more = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def version(self) -> str:
        return f"{self.epoch}.{self._number}"

    def open(self) -> None:
        """Begin to take changes, on the running loop."""
        self._loop = asyncio.get_running_loop()

    def note_sessions(self, changed: Iterable[str], removed: Iterable[str]) -> None:
        """Sessions changed. From any thread."""
        self._note([("session", one) for one in (*changed, *removed)])

    def note_topic(self, topic: str) -> None:
        """Something else changed. From any thread."""
        self._note([("topic", topic)])

    def _note(self, keys: list[tuple[str, str]]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._apply, keys)

    def _apply(self, keys: list[tuple[str, str]]) -> None:
        for key in keys:
            self._number += 1
            self._latest.pop(key, None)
            self._latest[key] = self._number
        while len(self._latest) > KEEP:
            _, self._floor = self._latest.popitem(last=False)
        self.wake()

    def wake(self) -> None:
        self._more.set()
        self._more = asyncio.Event()

    async def follow(self, after: str | None, is_closing: Callable[[], bool]) -> AsyncIterator[Change | None]:
        """Yield each change after version `after`, or from now on without one; None for silence.

        Ends when `is_closing()` holds, or when `after` is too old or of another life, which the caller tells apart by
        asking `is_known` first.
        """
        number = self._number if after is None else self._parse(after)
        while number is not None and not is_closing():
            more = self._more
            if number < self._floor:
                return
            if number < self._number:
                # As of now, and not of when the reader comes back for more: it may have been busy telling this.
                told = self._number
                yield self._since(number)
                number = told
                await asyncio.sleep(GATHER_S)
                continue
            try:
                async with asyncio.timeout(PING_S):
                    await more.wait()
            except TimeoutError:
                yield None

    def is_known(self, version: str) -> bool:
        """Can a reader go on from here?"""
        number = self._parse(version)
        return number is not None and number >= self._floor

    def _parse(self, version: str) -> int | None:
        epoch, _, number = version.partition(".")
        if epoch != self.epoch or not (number.isascii() and number.isdigit() and len(number) < 16):
            return None
        return int(number) if int(number) <= self._number else None

    def _since(self, number: int) -> Change:
        keys: list[tuple[str, str]] = []
        for key in reversed(self._latest):
            if self._latest[key] <= number:
                break
            keys.append(key)
        return Change(
            version=self.version,
            session_ids=[name for kind, name in keys if kind == "session"],
            topics=[name for kind, name in keys if kind == "topic"],
        )
