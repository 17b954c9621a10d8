"""One program that speaks ACP: what it is called and how it is started."""

import re
from typing import Literal

import msgspec

from api.agents.command import check_command, check_environment
from api.agents.mcp.server import Server
from api.domain.errors import BadRequest

Source = Literal["found", "config", "own"]
"""Found on this machine, named in the config file, or added in the page."""

PROVIDER = "acp"
"""What stands before the names of these agents in the id of a model: `acp/opencode`."""


_GEMINI = re.compile(r"(?:.*/)?gemini(?:-cli)?(?:@[^/]*)?")


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """`argv` is the command line, word by word; `env` is set for it beside what every program is given.

    `mcp` names the person's MCP servers that it is given; `servers` are those, once it is to be run.
    """

    name: str
    title: str
    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    source: Source = "own"
    mcp: tuple[str, ...] = ()
    servers: tuple[Server, ...] = ()

    @property
    def model(self) -> str:
        return f"{PROVIDER}/{self.name}"

    @property
    def has_own_files(self) -> bool:
        """Does it go to files by itself only? Gemini CLI (0.61) that is to read them through its client makes no new
        one: it understands no error that says that there is none.
        """
        return any(_GEMINI.fullmatch(word) for word in self.argv)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What it was given that must not be repeated: values that were set may be keys."""
        theirs = (secret for server in self.servers for secret in server.secrets)
        return (*(value for _, value in self.env), *theirs)

    def __repr__(self) -> str:
        """Without the values of its environment, which may be keys."""
        return f"Program({self.name!r}, argv={self.argv!r}, env={[name for name, _ in self.env]!r})"


def checked(program: Program) -> Program:
    """`program`, with a title.

    Raises:
        BadRequest: its name, its command or its environment cannot be used.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", program.name):
        message = "The name of an agent is made of small letters, digits and hyphens, at most 40."
        raise BadRequest(message, code="bad_agent_name", field="name")
    check_command(program.argv)
    check_environment(program.env)
    title = " ".join(program.title.split())[:80] or program.name
    return msgspec.structs.replace(program, title=title)
