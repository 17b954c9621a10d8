"""What every tool is: something that a model may ask for, and what comes of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from api.domain.approvals import ToolKind
from api.tools.pictures import GivenPicture
from api.workspace.checkpoints import Turn
from api.workspace.fetch import Fetcher
from api.workspace.folder import Folder
from api.workspace.shell import Shell


class Result(msgspec.Struct, frozen=True):
    """What a call came to. `output` is for the model; `diff`, for people, is unified and empty when nothing changed.

    `pictures` are for the person, and for a model that sees.
    """

    output: str
    is_error: bool = False
    diff: str = ""
    pictures: tuple[GivenPicture, ...] = ()


def _to_nobody(text: str) -> None:
    """For a call whose output nobody follows."""


@dataclass(kw_only=True)
class Context:
    """What the calls of one run may use. Whoever begins the run makes it, and closes what it holds.

    `mark` is by what processes are found again (see `workspace.processes`). `folder` is None where a session has no
    workspace, `shell` where no command may be run; `network`: whether commands may reach others. `fetcher` fetches
    pages, the usual one where it is None. `undo`: what files are changed through, None where nothing is kept.
    `versions` are those of the files that the model has read, by name. `emit` takes what a call has to show before it
    ends, a piece at a time, on the event loop.
    """

    mark: str = ""
    folder: Folder | None = None
    shell: Shell | None = None
    fetcher: Fetcher | None = None
    network: bool = False
    undo: Turn | None = None
    versions: dict[str, str] = field(default_factory=dict)
    emit: Callable[[str], None] = _to_nobody


class Tool(Protocol):
    """One tool. `schema` is the JSON schema of its arguments, an object, and refuses what it does not name."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str:
        """For the model."""
        ...

    @property
    def kind(self) -> ToolKind: ...
    @property
    def schema(self) -> dict[str, Any]: ...

    def title(self, arguments: dict[str, Any]) -> str:
        """The call in one line for a person: `Read src/app.py`. Takes whatever the model sent."""
        ...

    def problem(self, arguments: dict[str, Any]) -> str:
        """What is wrong with the arguments, as a sentence for the model; empty where nothing is."""
        ...

    async def preview(self, arguments: dict[str, Any], context: Context) -> str:
        """What the call would change, as a unified diff, for one who is asked; empty where that cannot be said."""
        ...

    async def run(self, arguments: dict[str, Any], context: Context) -> Result:
        """Do it. Never raises for what the model or the world does: that is a result with `is_error` and a sentence.

        Cancelling the task ends all that the call started.
        """
        ...
