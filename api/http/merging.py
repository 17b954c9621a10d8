"""Several sources of bytes as one."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing


async def merged(sources: Sequence[AsyncGenerator[bytes, None]]) -> AsyncGenerator[bytes, None]:
    """What the sources yield, as it comes; ends with the last of them.

    Each waits until what it yielded before was taken, and they wait in turn, so that a fast one starves no other.
    What one of them raises is raised, and ends all.
    """
    taken: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(1)
    tasks = [asyncio.create_task(_drain(source, taken)) for source in sources]
    try:
        for _ in tasks:
            while (chunk := await taken.get()) is not None:
                if isinstance(chunk, Exception):
                    raise chunk
                yield chunk
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _drain(source: AsyncGenerator[bytes, None], into: asyncio.Queue[bytes | Exception | None]) -> None:
    try:
        async with aclosing(source):
            async for chunk in source:
                await into.put(chunk)
    except Exception as error:  # told to the one who reads, whose traceback it becomes
        await into.put(error)
    else:
        await into.put(None)
