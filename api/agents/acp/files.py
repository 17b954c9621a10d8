"""Files that an agent has us read and write: those of the session's folder, and no others."""

import asyncio

import msgspec

from api.domain.errors import BadRequest, NotFound
from api.workspace.diffs import unified
from api.workspace.folder import Folder

_MOST_BYTES = 10 << 20


class Edit(msgspec.Struct, frozen=True):
    """What is to be written. `version` is that of the file as it is now, None for none; `diff` is what changes."""

    name: str
    content: str
    version: str | None
    diff: str


class Files:
    """Paths may be absolute or relative to the folder. All calls raise `AppError`s with a sentence."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    async def read(self, path: str, *, line: int | None = None, limit: int | None = None) -> str:
        """The text of a file, or `limit` lines of it from the number `line` on, counted from 1."""
        return await asyncio.to_thread(self._read, path, line, limit)

    async def plan(self, path: str, content: str) -> Edit:
        """What it would mean to write `content`."""
        return await asyncio.to_thread(self._plan, path, content)

    async def write(self, edit: Edit) -> None:
        """Do it, provided that the file is still as it was when it was planned."""
        data = edit.content.encode("utf-8", "replace")
        await asyncio.to_thread(self._folder.write, edit.name, data, expected=edit.version)

    def _read(self, path: str, line: int | None, limit: int | None) -> str:
        name = self._folder.name_of(path)
        try:
            text = self._folder.read(name, _MOST_BYTES).data.decode()
        except UnicodeDecodeError as error:
            raise BadRequest(f"{name!r} is no text.") from error
        if line is None and limit is None:
            return text
        first = max(0, (line or 1) - 1)
        return "".join(text.splitlines(keepends=True)[first : None if limit is None else first + limit])

    def _plan(self, path: str, content: str) -> Edit:
        name = self._folder.name_of(path)
        try:
            held = self._folder.read(name, _MOST_BYTES)
        except NotFound:
            return Edit(name, content, None, unified(name, None, content))
        old = held.data.decode(errors="replace")
        return Edit(name, content, held.version, unified(name, old, content))
