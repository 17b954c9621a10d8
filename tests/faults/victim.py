"""A process that is ready to die: imports everything once, then forks one child for each death.

Line in: `<scenario> <folder>`; line out: the child's pid once it waits; then one byte in lets it go; line out: how it
ended, as `waitpid` says.
"""

import os
import sys
from pathlib import Path

from tests.faults.scenarios import SCENARIOS


def main() -> None:
    while line := _read_line():
        name, folder = line.split(maxsplit=1)
        child = os.fork()
        if child == 0:
            _die_trying(name, Path(folder))
        _, status = os.waitpid(child, 0)
        _say(status)


def _die_trying(name: str, folder: Path) -> None:
    code = 1
    try:
        act = SCENARIOS[name].begin(folder)
        _say(os.getpid())
        os.read(0, 1)
        act()
        code = 0
    finally:
        os._exit(code)


def _read_line() -> str:
    """Byte by byte: what follows the line is for the child."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return ""
        line += byte
    return line.decode().strip()


def _say(word: object) -> None:
    os.write(1, f"{word}\n".encode())


if __name__ == "__main__":
    sys.exit(main())
