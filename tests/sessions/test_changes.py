"""The log of what changed, as those who follow it are told."""

import asyncio

import pytest

from api.sessions.changes import Changes

pytestmark = pytest.mark.anyio


async def test_what_changes_while_a_change_is_being_told_is_told_next() -> None:
    changes = Changes()
    changes.open()
    reader = changes.follow(changes.version, lambda: False)
    changes.note_topic("queue:one")
    first = await anext(reader)
    assert first is not None and first.topics == ["queue:one"]

    changes.note_topic("queue:two")
    await asyncio.sleep(0)  # the reader still writes down the first, and comes back only now
    second = await asyncio.wait_for(anext(reader), 5)

    assert second is not None and second.topics == ["queue:two"]
