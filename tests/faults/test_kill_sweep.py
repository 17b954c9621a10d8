"""Killed at every system call that changes the disk, each way of writing leaves the old state or the new one."""

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.scenarios import SCENARIOS

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[2]
CHANGING = ["openat", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "close", "rename", "unlink", "mkdir"]


@functools.cache
def _why_not() -> str:
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, text=True)
    return "" if tried.returncode == 0 else f"tracing is forbidden here: {tried.stderr.strip()[:100]}"


class Victim:
    """See `victim.py`."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.faults.victim"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def dies(self, scenario: str, folder: Path, call: str, number: int) -> bool:
        """Let it act, killed as it enters the `number`th `call`; False when it was done before."""
        pid = self._ask(f"{scenario} {folder}\n")
        tracer = subprocess.Popen(
            [
                "strace",
                "-p",
                pid,
                "-o",
                "/dev/null",
                f"--trace={call}",
                f"--inject={call}:signal=SIGKILL:when={number}",
            ],
            stderr=subprocess.PIPE,
        )
        assert tracer.stderr is not None
        line = tracer.stderr.readline().decode()
        assert re.search("attached", line), line
        status = int(self._ask("."))
        tracer.stderr.close()
        tracer.wait()
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
        return os.WIFSIGNALED(status)

    def _ask(self, words: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(words.encode())
        return self._process.stdout.readline().decode().strip()

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


@pytest.fixture(scope="module")
def victim() -> Iterator[Victim]:
    if why := _why_not():
        pytest.skip(why)
    victim = Victim()
    yield victim
    victim.end()


@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_at_any_system_call_the_old_or_the_new_state_is_left(name: str, victim: Victim, tmp_path: Path) -> None:
    scenario = SCENARIOS[name]
    verdicts: list[str] = []

    for call in CHANGING:
        number = 0
        is_dead = True
        while is_dead:
            number += 1
            folder = tmp_path / f"{call}-{number}"
            folder.mkdir()
            scenario.prepare(folder)
            is_dead = victim.dies(name, folder, call, number)
            verdict = scenario.judge(folder)
            assert is_dead or verdict == "new"
            assert list(folder.rglob("*.tmp")) == []
            verdicts += [verdict] * is_dead

    print(f"{name}: {len(verdicts)} deaths, {verdicts.count('old')} old, {verdicts.count('new')} new")
    assert "old" in verdicts
    assert len(verdicts) >= 3
