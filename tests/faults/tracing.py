"""A running server's system calls, made slow or made to fail by strace."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def _refusal() -> str | None:
    """Why nothing can be traced here, None where it can."""
    if sys.platform != "linux" or not shutil.which("strace"):
        return "this needs Linux with strace"
    with subprocess.Popen(["sleep", "30"]) as asleep:
        try:
            with Tampering(asleep.pid, "fsync:error=EIO"):
                return None
        except AssertionError as error:
            return f"strace may not attach here: {error}"
        finally:
            asleep.kill()


class Tampering:
    """While it is open, the calls that `rule` names go wrong in all threads of a process, as `strace --inject` says.

    `only`: just the calls on this file.
    """

    def __init__(self, pid: int, rule: str, only: Path | None = None) -> None:
        calls = rule.partition(":")[0]
        rules = ["-e", f"trace={calls}", "-e", f"inject={rule}", *(["-P", str(only)] if only else [])]
        self._command = ["strace", "-f", "-p", str(pid), *rules, "-o", "/dev/null"]

    def __enter__(self) -> "Tampering":
        self._strace = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        assert self._strace.stderr is not None
        said = self._strace.stderr.readline()
        if "attached" not in said:
            self._strace.kill()
            raise AssertionError(said.strip())
        return self

    def __exit__(self, *_: object) -> None:
        self._strace.terminate()
        self._strace.wait()


_why_not = _refusal()
needs_strace = pytest.mark.skipif(_why_not is not None, reason=_why_not or "")
