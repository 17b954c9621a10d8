"""Command lines that a person gave: words and an environment that can be used, and the whole path of the program."""

import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from api.domain.errors import BadRequest

_MOST_WORDS = 64
_LONGEST_WORD = 4096


def check_command(argv: Sequence[str]) -> None:
    """Raises `BadRequest` for a command that cannot be started."""
    if not argv or not argv[0] or len(argv) > _MOST_WORDS or any(map(is_unusable, argv)):
        message = f"A command is one to {_MOST_WORDS} words, each without control characters."
        raise BadRequest(message, code="bad_command", field="command")


def check_environment(env: Iterable[tuple[str, str]]) -> None:
    """Raises `BadRequest` for a variable that cannot be set."""
    for name, value in env:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", name) or is_unusable(value):
            raise BadRequest(f"{name!r} cannot be set in an environment.", code="bad_environment", field="env")


def found_in_full(argv: Sequence[str], path: str) -> tuple[str, ...]:
    """`argv` with the whole path of its command, as it would be started; `path` as PATH is written. Reads the disk.

    Raises:
        BadRequest: there is no such command.
    """
    whole = shutil.which(argv[0], path=path)
    if whole is None:
        message = f"There is no program {argv[0]!r} on this machine that can be started."
        raise BadRequest(message, code="bad_command", field="command")
    return (str(Path(whole).absolute()), *argv[1:])


def is_unusable(word: str) -> bool:
    """Whether it is too long, or holds control characters."""
    return len(word) > _LONGEST_WORD or any(ord(character) < 32 or ord(character) == 127 for character in word)
