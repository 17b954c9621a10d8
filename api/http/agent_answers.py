"""What answers about agents that are programs carry; see `answers`."""

from typing import Literal

from pydantic import BaseModel


class AgentProgram(BaseModel):
    """An agent that is a program of its own. `env` names what is set for it; the values never leave the server.

    `mcp` names the MCP servers that it is given.
    """

    name: str
    title: str
    argv: list[str]
    env: list[str]
    source: Literal["found", "config", "own"]
    model: str
    mcp: list[str]


class AgentInstallable(BaseModel):
    """An agent that can be installed here. `line` is the last that the installer said, or why it failed."""

    name: str
    title: str
    package: str
    size_mb: int
    phase: Literal["absent", "installing", "installed", "failed"]
    line: str


class AgentPrograms(BaseModel):
    """`servers` names the MCP servers that an agent can be given."""

    agents: list[AgentProgram]
    installable: list[AgentInstallable]
    servers: list[str]


class AgentCommand(BaseModel):
    """A slash command of an agent's own, to be sent to it as a message. `argument` hints at what follows its name."""

    name: str
    help: str
    argument: str


class AgentCommands(BaseModel):
    commands: list[AgentCommand]


class AgentInstalling(BaseModel):
    agent: AgentInstallable


class AgentAdded(BaseModel):
    """`agent` is null until the command, `argv`, is confirmed."""

    agent: AgentProgram | None
    argv: list[str]


class AgentAnswer(BaseModel):
    agent: AgentProgram


class AgentChecked(BaseModel):
    """`reason` says why it does not work."""

    works: bool
    version: str
    reason: str
