"""One program that speaks ACP: what it is called and how it is started."""

import re
from typing import Literal

import msgspec

from api.domain.errors import BadRequest

Source = Literal["found", "config", "own"]
"""Found on this machine, named in the config file, or added in the page."""

PROVIDER = "acp"
"""What stands before the names of these agents in the id of a model: `acp/opencode`."""

_MOST_WORDS = 64
_LONGEST_WORD = 4096


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """`argv` is the command line, word by word; `env` is set for it beside what every program is given."""

    name: str
    title: str
    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    source: Source = "own"

    @property
    def model(self) -> str:
        return f"{PROVIDER}/{self.name}"

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
    words = program.argv
    if not words or not words[0] or len(words) > _MOST_WORDS or any(map(_is_unusable, words)):
        message = f"A command is one to {_MOST_WORDS} words, each without control characters."
        raise BadRequest(message, code="bad_command", field="command")
    for name, value in program.env:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", name) or _is_unusable(value):
            raise BadRequest(f"{name!r} cannot be set in an environment.", code="bad_environment", field="env")
    title = " ".join(program.title.split())[:80] or program.name
    return msgspec.structs.replace(program, title=title)


def _is_unusable(word: str) -> bool:
    return len(word) > _LONGEST_WORD or any(ord(character) < 32 or ord(character) == 127 for character in word)
