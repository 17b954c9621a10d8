"""A provider to ask, for every test of an agent."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from api.agents.provider import Kind, Provider
from tests.fakes.provider import FakeProvider

KEY = "sk-canary-0123456789abcdef"


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with FakeProvider(key=KEY) as provider:
        yield provider


def connected(fake: FakeProvider, kind: Kind = "openai_compatible", **fields: object) -> Provider:
    """`fake` as a provider of `kind`, under the id `fake`."""
    base_url = fake.url if kind.startswith("openai") else fake.origin
    given = {"id": "fake", "kind": kind, "name": "Fake", "base_url": base_url, "key": KEY, **fields}
    return Provider(**given)


async def until(condition: Callable[[], bool], *, limit_s: float = 5) -> None:
    """Wait for what another thread or process will bring about."""
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110  another thread cannot set an event of this loop
            await asyncio.sleep(0.005)
