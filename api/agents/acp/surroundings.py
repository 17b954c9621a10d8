"""What the agent programs of this server are given to live in."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from api.agents.acp.limits import Limits
from api.workspace.checkpoints import Checkpoints
from api.workspace.shell import Shell


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """`home` is the folder of sessions that name none, `env` the environment of every program.

    `mark` is what everything started here bears (`workspace.processes`), `refused` what may not be reached through us,
    `checkpoints` where what a session's turns change is kept. `shell` runs the commands that a program has us run, with
    the `network` or without.
    """

    home: Path
    env: dict[str, str]
    mark: str
    shell: Callable[[], Awaitable[Shell]]
    network: bool = False
    refused: tuple[Path, ...] = ()
    limits: Limits = Limits()
    checkpoints: Callable[[str], Checkpoints] | None = None

    def __repr__(self) -> str:
        """Without the environment, which may hold keys."""
        return f"Surroundings(home={self.home!r})"
