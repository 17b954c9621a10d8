"""What the agent programs of this server are given to live in."""

from pathlib import Path

import msgspec

from api.agents.acp.limits import Limits


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """`home` is the folder of sessions that name none, `env` the environment of every program.

    `mark` is what everything started here bears (`workspace.processes`), `refused` what may not be reached through us.
    """

    home: Path
    env: dict[str, str]
    mark: str
    refused: tuple[Path, ...] = ()
    limits: Limits = Limits()

    def __repr__(self) -> str:
        """Without the environment, which may hold keys."""
        return f"Surroundings(home={self.home!r})"
