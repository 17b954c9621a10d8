"""What the built-in agent may work with in a turn: its tools, and what they work on."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from api.agents.base import Turn
from api.agents.native.own_tools import OwnTool
from api.domain.errors import AppError
from api.tools.base import Context, Tool
from api.workspace.folder import Folder, FolderRefused

_FOLDERLESS = ("fetch", "other")
"""The kinds of tools, beside our own, that need no folder."""


class Bench:
    """The tools of one turn. `told` are sentences about them for the model, `problem` one for the person, or empty."""

    def __init__(self, tools: Sequence[Tool | OwnTool], context: Context, told: str, problem: str = "") -> None:
        self.tools = list(tools)
        self.context = context
        self.told = told
        self.problem = problem

    def close(self) -> None:
        if self.context.folder is not None:
            self.context.folder.close()


class Toolkit:
    """`tools` are those that there are; `refused` are folders that none of them may reach."""

    def __init__(self, tools: Sequence[Tool | OwnTool] = (), refused: Sequence[Path] = ()) -> None:
        self._tools = list(tools)
        self._refused = list(refused)

    async def open(self, turn: Turn) -> Bench:
        """What a turn works with; close it when the turn is over. A folder that is gone is a problem, and no error."""
        folder, problem = await asyncio.to_thread(self._folder, turn.workspace)
        tools = [one for one in self._tools if folder or one.kind in _FOLDERLESS or isinstance(one, OwnTool)]
        if turn.permissions.mode == "read":
            tools = [tool for tool in tools if tool.kind == "read"]
        return Bench(tools, Context(folder=folder), _told(turn, folder) if tools else "", problem)

    def _folder(self, path: str | None) -> tuple[Folder | None, str]:
        if not path:
            return None, ""
        try:
            return Folder(Path(path), self._refused), ""
        except FolderRefused:
            # What every session has until someone chooses a folder for it, the home folder, is none to work in.
            return None, ""
        except AppError as error:
            return None, error.message


def _told(turn: Turn, folder: Folder | None) -> str:
    if folder is None:
        return "No folder was chosen for this session, so there are no files to read or change."
    words = (
        f"You work in the folder {folder.path}. Names of files are relative to it, and nothing outside can be reached."
    )
    if turn.permissions.mode == "read":
        return f"{words} You may read, and change nothing."
    return f"{words} Look before you change something, and check afterwards that it works."
