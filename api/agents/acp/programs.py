"""Every agent program there is: of the config file, added in the page, or found on this machine."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from api.agents.acp.discovery import found
from api.agents.acp.program import Program, Source, checked
from api.agents.command import found_in_full
from api.agents.providers import DocumentFile
from api.domain.errors import BadRequest, Conflict, NotFound

_LOOK_AGAIN_S = 10.0
_MOST = 50


class Programs:
    """Reads its file when first asked and then holds what it says: nobody else writes it.

    `configured` comes from the config file; `path` tells where commands are looked for, as PATH is written.
    """

    def __init__(
        self, file: DocumentFile, *, configured: Sequence[Program] = (), path: Callable[[], str] = str
    ) -> None:
        self._file = file
        self._configured = list(configured)
        self._path = path
        self._own: dict[str, Program] | None = None
        self._handed: dict[str, list[str]] = {}
        self._found: list[Program] = []
        self._looked_at: float | None = None
        self._changing = threading.Lock()

    def all(self) -> list[Program]:
        """One of each name: the config file's before the person's own, and those before what was found."""
        known: dict[str, Program] = {}
        for program in [*self._configured, *self._loaded().values(), *self._on_path()]:
            known.setdefault(program.name, program)
        return [self._with_servers(program) for program in known.values()]

    def find(self, name: str) -> Program | None:
        return next((program for program in self.all() if program.name == name), None)

    def look_again(self) -> None:
        """Look on PATH afresh when next asked."""
        self._looked_at = None

    def found_in_full(self, program: Program) -> Program:
        """`program` with the whole path of its command, as it would be started.

        Raises:
            BadRequest: there is no such command.
        """
        return msgspec.structs.replace(program, argv=found_in_full(program.argv, self._path()))

    def add(self, program: Program) -> Program:
        """Keep `program` as one of the person's own, in the place of one of that name. Blocks for a write.

        Raises:
            BadRequest: it cannot be used.
            Conflict: the config file has one of that name, or there are too many.
        """
        program = checked(msgspec.structs.replace(program, source="own"))
        self._check_not_configured(program.name)
        with self._changing:
            own = {**self._loaded(), program.name: program}
            if len(own) > _MOST:
                raise Conflict(f"There can be at most {_MOST} agents. Remove one first.", code="too_many_agents")
            # What was handed on to a program goes to no other of its name.
            self._write(own, {**self._handed, program.name: []})
        return program

    def hand_on(self, name: str, servers: Sequence[str]) -> Program:
        """Have the agent called `name` be given these MCP servers of the person's. Blocks for a write.

        Raises:
            NotFound: there is no such agent.
            Conflict: the config file says what it is given.
        """
        self._check_not_configured(name)
        if self.find(name) is None:
            raise NotFound(f"There is no agent called {name!r} here.", code="agent_not_found", name=name)
        with self._changing:
            self._write(self._loaded(), {**self._handed, name: list(dict.fromkeys(servers))})
        return next(program for program in self.all() if program.name == name)

    def forget_server(self, server: str) -> None:
        """Give this MCP server to nobody any more: another of its name was never meant. Blocks for a write."""
        with self._changing:
            own = self._loaded()
            if any(server in given for given in self._handed.values()):
                handed = {name: [one for one in given if one != server] for name, given in self._handed.items()}
                self._write(own, handed)

    def remove(self, name: str) -> None:
        """Forget one of the person's own. Forgetting one that is not there succeeds. Blocks for a write.

        Raises:
            Conflict: it comes from the config file, or was found on this machine.
        """
        self._check_not_configured(name)
        with self._changing:
            own = dict(self._loaded())
            if own.pop(name, None) is not None:
                self._write(own, {**self._handed, name: []})
            elif self.find(name) is not None:
                message = "This agent is installed on this machine. It is listed as long as it is."
                raise Conflict(message, code="agent_is_installed")

    def _check_not_configured(self, name: str) -> None:
        if any(program.name == name for program in self._configured):
            message = "An agent of this name comes from the config file. Change it there and start the server again."
            raise Conflict(message, code="agent_from_config")

    def _loaded(self) -> dict[str, Program]:
        if self._own is None:
            entries = self._file.read().get("agents")
            programs = map(_program, entries if isinstance(entries, list) else [])
            self._own = {program.name: program for program in programs if program is not None}
            self._handed = _lists(self._file.read().get("mcp"))
        return self._own

    def _with_servers(self, program: Program) -> Program:
        if program.source == "config":
            return program
        return msgspec.structs.replace(program, mcp=tuple(self._handed.get(program.name, ())))

    def _write(self, own: dict[str, Program], handed: dict[str, list[str]]) -> None:
        stored = self._file.read()
        handed = {name: servers for name, servers in handed.items() if servers}
        entries = stored.get("agents")
        # What was not understood (a newer version's, a slip of the hand) is kept as it is.
        strangers = [one for one in entries if _program(one) is None] if isinstance(entries, list) else []
        kept = [_entry(program) for program in own.values()]
        self._file.write({**stored, "agents": kept + strangers, "mcp": handed})
        self._own, self._handed = own, handed

    def _on_path(self) -> list[Program]:
        now = time.monotonic()
        if self._looked_at is None or now - self._looked_at > _LOOK_AGAIN_S:
            self._found, self._looked_at = list(found(self._path())), now
        return self._found


def _entry(program: Program) -> dict[str, Any]:
    command, *args = program.argv
    return {
        "name": program.name,
        "title": program.title,
        "command": command,
        "args": args,
        "env": dict(program.env),
    }


class _Table(msgspec.Struct):
    command: str
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    title: str = ""
    mcp: tuple[str, ...] = ()


def program_of(name: str, table: dict[str, Any], *, source: Source = "own") -> Program:
    """The program that `table` describes: `command`, `args`, `env`, `title`, `mcp`.

    Raises:
        BadRequest: it cannot be used.
    """
    try:
        given = msgspec.convert(table, _Table)
    except msgspec.ValidationError as error:
        raise BadRequest(f"The agent {name!r} cannot be understood: {error}.", code="bad_command") from error
    command = str(Path(given.command).expanduser()) if given.command.startswith("~") else given.command
    env, argv = tuple(sorted(given.env.items())), (command, *given.args)
    return checked(Program(name=name, title=given.title, argv=argv, env=env, source=source, mcp=given.mcp))


def _lists(value: Any) -> dict[str, list[str]]:
    try:
        return msgspec.convert(value, dict[str, list[str]])
    except msgspec.ValidationError:
        return {}


def _program(entry: Any) -> Program | None:
    """A stored entry, or None for one that cannot be understood."""
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        return None
    try:
        return program_of(entry["name"], entry)
    except BadRequest:
        return None
