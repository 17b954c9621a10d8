"""A running server's system calls, made slow or made to fail by strace."""

import shutil
import subprocess
from pathlib import Path

import pytest


class Tampering:
    """While it is open, the calls that `rule` names go wrong in all threads of a process, as `strace --inject` says.

    `only`: just the calls on this file.
    """

    def __init__(self, pid: int, rule: str, only: Path | None = None) -> None:
        calls = rule.partition(":")[0]
        rules = ["-e", f"trace={calls}", "-e", f"inject={rule}", *(["-P", str(only)] if only else [])]
        self._command = ["strace", "-f", "-p", str(pid), *rules, "-o", "/dev/null"]

    def __enter__(self) -> "Tampering":
        if not shutil.which("strace"):
            pytest.skip("this needs strace")
        self._strace = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        assert self._strace.stderr is not None
        said = self._strace.stderr.readline()
        if "attached" not in said:
            self._strace.kill()
            assert "not permitted" in said, said
            pytest.skip(f"strace may not attach here: {said.strip()}")
        return self

    def __exit__(self, *_: object) -> None:
        self._strace.terminate()
        self._strace.wait()
