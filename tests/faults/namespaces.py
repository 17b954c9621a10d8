"""A small disk of its own for a test, as an ordinary user: a tmpfs in a namespace that only this test sees."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.serving import ServerProcess

_UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]


class SmallDisk:
    """Mounted as `path` for the commands that are run with `wrapper`, and to be seen from here as `seen_at`."""

    def __init__(self, folder: Path, size: str = "64m", inodes: int = 10_000) -> None:
        self.path = folder / "disk"
        self._mount = (
            f'mount -t tmpfs -o size={size},nr_inodes={inodes} none "$0" && echo mounted && exec sleep infinity'
        )

    def __enter__(self) -> "SmallDisk":
        if sys.platform != "linux" or not shutil.which("unshare") or not shutil.which("nsenter"):
            pytest.skip("a small disk needs Linux with unshare and nsenter")
        self.path.mkdir()
        command = [*_UNSHARE, "sh", "-c", self._mount, str(self.path)]
        self._holder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != "mounted\n":
            pytest.skip(f"a small disk cannot be mounted here: {self._holder.communicate()[1].strip()}")
        return self

    def __exit__(self, *_: object) -> None:
        self._holder.kill()
        self._holder.wait()

    @property
    def wrapper(self) -> list[str]:
        return [
            "nsenter",
            "--preserve-credentials",
            "-U",
            "-m",
            f"--wd={Path.cwd()}",
            "-t",
            str(self._holder.pid),
            "--",
        ]

    @property
    def seen_at(self) -> Path:
        return Path(f"/proc/{self._holder.pid}/root{self.path}")

    def run(self, *command: str) -> None:
        subprocess.run([*self.wrapper, *command], check=True, capture_output=True)

    def server(self, **options: Any) -> ServerProcess:
        """A server whose folder is on this disk."""
        return ServerProcess(self.path / "state", wrapper=self.wrapper, seen_at=self.seen_at / "state", **options)

    def fill(self) -> Path:
        """Take all the space there is left, to the last byte; remove the file to give it back."""
        ballast = self.seen_at / f"ballast-{len(list(self.seen_at.iterdir()))}"
        with ballast.open("ab", buffering=0) as file:
            for block in (1 << 20, 1 << 12, 1):
                try:
                    while file.write(b"x" * block) == block:
                        pass
                except OSError:
                    continue
        return ballast

    def take_all_entries(self) -> list[Path]:
        """Take every file entry there is left; gives what to remove to give them back."""
        taken: list[Path] = []
        while True:
            try:
                (path := self.seen_at / f"entry-{len(taken)}").touch(exist_ok=False)
            except OSError:
                return taken
            taken.append(path)
