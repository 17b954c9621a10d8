"""A small checkout with the real `run` and a uv that only notes what it was asked for."""

import hashlib
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FAKE_UV = """
    import os, pathlib, subprocess, sys, time
    root = pathlib.Path.cwd()
    with open(root / "asked", "a") as asked:
        print(*sys.argv[1:3], file=asked)
    if sys.argv[1] == "venv":
        subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", "--clear", root / ".venv"], check=True)
    if sys.argv[1:3] == ["pip", "sync"]:
        (root / "environment").write_text("\\n".join(f"{name}={value}" for name, value in os.environ.items()))
        while (root / "hold").exists():
            time.sleep(0.01)
        if (root / "fail").exists():
            sys.exit((root / "fail").read_text())
"""
FAKE_PROGRAM = "import os, sys; print(os.getcwd()); print(*sys.argv[1:])"


class Checkout:
    """A folder in which `./run` works, fetching nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copy(ROOT / "run", root / "run")
        for folder in ("launch", "web"):
            shutil.copytree(ROOT / folder, root / folder, ignore=lambda _, names: [n for n in names if n[-3:] != ".py"])
        self.write("api/__init__.py", "")
        self.write("api/__main__.py", FAKE_PROGRAM)
        self.write("requirements.lock", "one==1\n")
        self.write("requirements-test.lock", "one==1\ntwo==2\n")
        self._lay_uv()
        self._lay_page()

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def start(self, *arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, self.root / "run", *arguments],
            cwd=cwd or self.root,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def asked(self) -> list[str]:
        """What uv was asked for so far, oldest first."""
        path = self.root / "asked"
        return path.read_text().splitlines() if path.exists() else []

    def _lay_uv(self) -> None:
        lock = self.write("requirements-uv.lock", "uv==0\n")
        self.write(".venv-uv/stamp", f"requirements-uv.lock\t{hashlib.sha256(lock.read_bytes()).hexdigest()}\n")
        uv = self.write(".venv-uv/bin/uv", f"#!{sys.executable}\n{textwrap.dedent(FAKE_UV)}")
        uv.chmod(0o755)

    def _lay_page(self) -> None:
        from web import build

        self.write("web/src/main.ts", "1")
        self.write("api/static/.sources", build.sources_digest(self.root))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path / "a checkout"
    root.mkdir()
    return Checkout(root)
