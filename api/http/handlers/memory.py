"""What the built-in agent remembers, for a person to read and change."""

import asyncio

from fastapi import Response

from api.http.bodies import MemoryPut
from api.http.rooms import House, reply
from api.tools.memory import MOST_CHARACTERS


async def show(house: House) -> Response:
    """All of it, as it goes with every message to a model."""
    text, revision = await asyncio.to_thread(house.memory.read)
    return reply({"text": text, "revision": revision, "most": MOST_CHARACTERS})


async def put(body: MemoryPut, house: House) -> Response:
    """Put another text in its place. 409 when it has changed since it was shown."""
    revision = await asyncio.to_thread(house.memory.write, body.text, revision=body.revision)
    return reply({"text": body.text, "revision": revision, "most": MOST_CHARACTERS})
