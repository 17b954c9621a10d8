"""Finding files of a workspace by their names, and lines by what they say. Ends in time, and says what it left out."""

import asyncio
import json
import os
import sys
from pathlib import Path

import msgspec

from api.domain.errors import BadRequest
from api.workspace.folder import Folder
from api.workspace.processes import Limits, start
from api.workspace.searcher import Ending, Line, Request

_SEARCHER = Path(__file__).with_name("searcher.py")
_LIMITS = Limits(memory_bytes=1 << 30, processes=4)
_LONGEST_PATTERN = 1000


class Found(msgspec.Struct):
    """The `lines` that were found, in the order of their files. `cut` says why there may be more, empty if not."""

    lines: list[Line]
    cut: str = ""
    passed_over: int = 0


async def search(
    folder: Folder,
    *,
    mark: str,
    glob: str = "",
    below: str = "",
    pattern: str = "",
    ignores_case: bool = False,
    most: int = 200,
    within_s: float = 10.0,
) -> Found:
    """The files whose names `glob` fits, or, with a regular expression `pattern`, the lines of them that it fits.

    In a glob `**` stands for any folders; without a `/` it fits the name in any folder. `mark`: see `processes`.

    Raises:
        BadRequest: `glob` or `pattern` cannot be understood.
        AppError: `below` is not there, or outside.
        CannotStart: the search could not be started.
    """
    for text in (glob, below, pattern):
        if len(text) > _LONGEST_PATTERN:
            raise BadRequest(f"{len(text):,} characters are too many for a search; {_LONGEST_PATTERN:,} are enough.")
    request = Request(
        folder=str(folder.path),
        refused=list(map(str, folder.refused)),
        glob=glob,
        below=folder.name_of(below),
        pattern=pattern,
        ignores_case=ignores_case,
        most=most,
    )
    argv = [sys.executable, "-P", "-X", "utf8", str(_SEARCHER), json.dumps(msgspec.to_builtins(request))]
    process = await start(
        argv, cwd=Path("/"), env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}, mark=mark, limits=_LIMITS
    )
    found = Found([], cut=f"not all was looked at within {within_s:g} seconds: make the search simpler or narrower")
    ending = None
    try:
        async with asyncio.timeout(within_s):
            while ending is None and (said := await process.stdout.readline()):
                ending = _take(said, found)
            if ending is None:
                await process.wait()
                found.cut = f"the search broke off{', for want of ' + process.over_limit if process.over_limit else ''}"
    except TimeoutError:
        return found
    finally:
        await process.end(grace_s=0)
    return found


def _take(said: bytes, found: Found) -> Ending | None:
    one = msgspec.json.decode(said, type=Line | Ending)
    if isinstance(one, Line):
        found.lines.append(one)
        return None
    if one.failed:
        raise BadRequest(one.failed)
    found.cut, found.passed_over = one.cut, one.passed_over
    return one
