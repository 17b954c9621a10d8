"""Ways to see from outside what programs do."""

import asyncio
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from api.workspace.processes import mark_of

PATH = {"PATH": os.environ["PATH"]}


def running(word: str) -> list[int]:
    """The processes that were started with `word` among their arguments, and live."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (folder / "cmdline").read_bytes():  # empty for the dead
                found.append(int(folder.name))
        except OSError:
            continue
    return found


async def seen(what: Callable[[], object], *, within_s: float = 10) -> None:
    """Wait until `what` holds."""
    async with asyncio.timeout(within_s):
        while not what():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest.fixture
def mark(tmp_path: Path) -> str:
    return mark_of(tmp_path / "state")


@pytest.fixture
def forever() -> str:
    """A number of seconds that no other sleeps for."""
    return f"9{secrets.randbelow(10**12):012}"
