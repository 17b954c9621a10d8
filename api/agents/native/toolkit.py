"""What the built-in agent may work with in a turn: its tools, and what they work on."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from api.agents.base import Turn
from api.agents.native.guides import Guide, guide_in
from api.agents.native.own_tools import OwnTool
from api.domain.errors import AppError
from api.tools.base import Context, Tool
from api.tools.memory import Memory
from api.tools.skills import Skills, told_of
from api.workspace.checkpoints import Checkpoints
from api.workspace.folder import Folder, FolderRefused
from api.workspace.shell import Shell

_FOLDERLESS = ("fetch", "other")
"""The kinds of tools, beside our own, that need no folder."""


class Bench:
    """The tools of one turn. `told` are sentences about them for the model, `problem` one for the person, or empty.

    `guide` is what of the project's own instructions is among what is told.
    """

    def __init__(
        self,
        tools: Sequence[Tool | OwnTool],
        context: Context,
        told: str,
        problem: str = "",
        guide: Guide | None = None,
    ) -> None:
        self.tools = list(tools)
        self.context = context
        self.told = told
        self.guide = guide
        self.problem = problem

    def close(self) -> None:
        if self.context.folder is not None:
            self.context.folder.close()


class Toolkit:
    """`tools` are those that there are; `refused` are folders that none of them may reach.

    `shell` runs commands, with the `network` or without, and `mark` is by what these are found again. `checkpoints`
    keep what is changed in a session. `memory` and `skills` are told to the model. `more` gives tools that come and
    go, and need no folder.
    """

    def __init__(
        self,
        tools: Sequence[Tool | OwnTool] = (),
        refused: Sequence[Path] = (),
        *,
        mark: str = "",
        shell: Callable[[], Awaitable[Shell]] | None = None,
        network: bool = False,
        checkpoints: Callable[[str], Checkpoints] | None = None,
        memory: Memory | None = None,
        skills: Skills | None = None,
        more: Callable[[], Sequence[Tool]] = tuple,
    ) -> None:
        self._tools = list(tools)
        self._refused = list(refused)
        self._mark = mark
        self._shell = shell
        self._network = network
        self._checkpoints = checkpoints
        self._memory = memory
        self._skills = skills
        self._more = more

    async def open(self, turn: Turn) -> Bench:
        """What a turn works with; close it when the turn is over. A folder that is gone is a problem, and no error."""
        folder, problem, guide, remembered, more = await asyncio.to_thread(self._looked, turn.workspace)
        tools = [one for one in self._tools if folder or one.kind in _FOLDERLESS or isinstance(one, OwnTool)]
        tools += more
        if turn.permissions.mode == "read":
            tools = [tool for tool in tools if tool.kind == "read"]
        told = [_told(turn, folder), *([guide.words] if guide else []), *remembered] if tools else []
        with _let_go_of(folder):
            context = await self._context(turn, folder)
        return Bench(tools, context, "\n\n".join(told), problem, guide)

    async def _context(self, turn: Turn, folder: Folder | None) -> Context:
        context = Context(mark=self._mark, folder=folder, network=self._network)
        if folder is None:
            return context
        if self._shell is not None:
            context.shell = await self._shell()
        if self._checkpoints is not None:
            kept = await asyncio.to_thread(self._checkpoints, turn.session_id)
            context.undo = kept.turn(turn.run_id, folder)
        return context

    def _looked(self, path: str | None) -> tuple[Folder | None, str, Guide | None, list[str], Sequence[Tool]]:
        """All that the disk is needed for, together: each way into a thread and back delays the first word."""
        folder, problem = self._folder(path)
        with _let_go_of(folder):
            guide = guide_in(folder) if folder else None
            return folder, problem, guide, self._remembered(folder), self._more()

    def _remembered(self, folder: Folder | None) -> list[str]:
        """What is known from before: of the person, and of how things are done here. Reads the disk."""
        memory = self._memory.read()[0].strip() if self._memory else ""
        skills = told_of(self._skills.of(folder.path if folder else None)) if self._skills else ""
        return [words for words in (f"What you remember of this person:\n{memory}" if memory else "", skills) if words]

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


@contextmanager
def _let_go_of(folder: Folder | None) -> Iterator[None]:
    """Close the folder where the block fails: then nobody is there who would."""
    try:
        yield
    except BaseException:
        if folder is not None:
            folder.close()
        raise


def _told(turn: Turn, folder: Folder | None) -> str:
    if folder is None:
        return "No folder was chosen for this session, so there are no files to read or change."
    words = (
        f"You work in the folder {folder.path}. Names of files are relative to it, and nothing outside can be reached."
    )
    if turn.permissions.mode == "read":
        return f"{words} You may read, and change nothing."
    return f"{words} Look before you change something, and check afterwards that it works."
