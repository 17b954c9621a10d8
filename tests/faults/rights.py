"""A server that may do no more than its user, though an administrator runs the tests."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOMEONE = 65534
"""A user who is not the one who runs the tests."""
_POWERS = ("dac_override", "dac_read_search", "fowner", "chown")
"""What lets an administrator pass over permissions. The rest stays: without it, limits meant for users would hold."""


def without_privileges() -> list[str]:
    """A command that takes from an administrator the right to pass over permissions; nobody else has it."""
    if os.geteuid() != 0:
        return []
    command = ["setpriv", f"--bounding-set={','.join(f'-{power}' for power in _POWERS)}", "--inh-caps=-all"]
    if not shutil.which("setpriv") or subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("an administrator may write everywhere, and setpriv cannot take that right away here")
    return command


def give_away(path: Path) -> None:
    """Make a file someone else's, which only an administrator can."""
    if os.geteuid() != 0:
        pytest.skip("only an administrator can make a file someone else's")
    os.chown(path, SOMEONE, SOMEONE)
