"""One MCP server: how it is started or reached, and which tools it had when it was last looked at."""

import json
import re
from hashlib import sha256
from typing import Any, Literal

import msgspec

from api.agents.address import check_url
from api.agents.command import check_command, check_environment, is_unusable
from api.domain.errors import BadRequest

Kind = Literal["stdio", "http"]
"""A program on this machine, spoken to through its pipes; or an address."""

_OURS = frozenset(
    ("accept", "accept-encoding", "connection", "content-length", "content-type", "host", "te", "transfer-encoding")
)
"""Headers that belong to the connection, not to the person."""


class Listed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A tool as its server described it. `name` is the server's own name for it, `offered` the model's.

    `reads`: the server says that it changes nothing. `is_on`: the person lets the model use it.
    """

    name: str
    offered: str
    title: str = ""
    description: str = ""
    schema: dict[str, Any]
    reads: bool = False
    is_on: bool = False


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """`argv` is the command line of a program, or empty; `url` the address of one that is reached by HTTP, or empty.

    `only_reads`: the person believes the server where it says that a tool changes nothing. `version` is what it said of
    itself.
    """

    name: str
    argv: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    url: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    only_reads: bool = False
    version: str = ""
    tools: tuple[Listed, ...] = ()

    @property
    def kind(self) -> Kind:
        return "http" if self.url else "stdio"

    @property
    def secrets(self) -> list[str]:
        """What must not be repeated: what was set for it may be keys."""
        values = [value for _, value in (*self.env, *self.headers)]
        return values + [value.partition(" ")[2] for _, value in self.headers if " " in value]

    @property
    def way(self) -> str:
        """Which command or address it is, and what is set for it by name, as a hash: keys may change."""
        names = [[name for name, _ in pairs] for pairs in (self.env, self.headers)]
        return sha256(json.dumps([self.argv, self.url, *names]).encode()).hexdigest()[:32]

    def is_same_as(self, other: "Server | None") -> bool:
        """Whether both are started or reached in the same way."""
        return other is not None and _way(self) == _way(other)

    def __repr__(self) -> str:
        """Without what may be keys."""
        return f"Server({self.name!r}, argv={self.argv!r}, url={self.url!r})"


def _way(server: Server) -> tuple[object, ...]:
    return server.name, server.argv, server.env, server.url, server.headers


def checked(server: Server) -> Server:
    """`server`, with its address as it is written down.

    Raises:
        BadRequest: something of it cannot be used.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,23}", server.name):
        message = "The name of an MCP server is made of small letters, digits and hyphens, at most 24."
        raise BadRequest(message, code="bad_mcp_name", field="name")
    if not server.url:
        check_command(server.argv)
        check_environment(server.env)
        return msgspec.structs.replace(server, headers=())
    if server.argv:
        message = "An MCP server has either a command or an address, not both."
        raise BadRequest(message, code="bad_command", field="command")
    for name, value in server.headers:
        if not re.fullmatch(r"[A-Za-z0-9-]{1,100}", name) or name.lower() in _OURS or not _is_value(value):
            raise BadRequest(f"{name!r} cannot be sent as a header.", code="bad_header", field="headers")
    return msgspec.structs.replace(server, url=check_url(server.url, field="url"), env=())


def _is_value(value: str) -> bool:
    return value.isascii() and not is_unusable(value)
