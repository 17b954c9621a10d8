"""The slash commands that agents say they have, by agent and folder. Known once it has said so, and nowhere written."""

from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from api.agents.acp.program import Program
from api.domain.messages import line_of

if TYPE_CHECKING:
    from acp import schema

_MOST_COMMANDS = 200
_MOST_PLACES = 200


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A command of an agent's. `argument` is a hint at what follows its name."""

    name: str
    help: str = ""
    argument: str = ""


class Offering:
    """Those of one server. What an agent in a folder said last holds: they may differ from folder to folder."""

    def __init__(self) -> None:
        self._told: dict[Hashable, tuple[Offered, ...]] = {}

    def of(self, program: Program, folder: Path) -> tuple[Offered, ...]:
        return self._told.get(_place(program, folder), ())

    def note(self, program: Program, folder: Path, commands: "Iterable[schema.AvailableCommand]") -> None:
        place = _place(program, folder)
        self._told.pop(place, None)
        while len(self._told) >= _MOST_PLACES:
            del self._told[next(iter(self._told))]
        by_name = {one.name: one for one in map(_offered, commands) if one is not None}
        self._told[place] = tuple(by_name.values())[:_MOST_COMMANDS]


def _place(program: Program, folder: Path) -> Hashable:
    """Another program may take a name, and knows nothing of the commands of the one before."""
    return program.name, program.argv, str(folder)


def _offered(command: "schema.AvailableCommand") -> Offered | None:
    """None for one that could not be called by its name."""
    name = line_of(command.name, 80).removeprefix("/")
    if not name or " " in name or name.startswith("/"):
        return None
    hint = "" if command.input is None else command.input.root.hint
    return Offered(name=name, help=line_of(command.description), argument=line_of(hint, 80))
