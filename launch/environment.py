"""`.venv`, held equal to a lock file, with the checkout itself importable from it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from launch.stamp import digest, read_stamp, write_stamp
from launch.steps import CannotGoOn, say

RUNTIME = "requirements.lock"
TEST = "requirements-test.lock"  # the same pins and more: what serves the tests also serves the program
FOLDER = ".venv"


def environment_python(root: Path) -> Path:
    return root / FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def environment_is_ready(root: Path, lock: str) -> bool:
    """Whether a finished set-up from this very lock is there, and the Python that it was made for."""
    stamp = read_stamp(_stamp(root))
    return stamp.get(lock) == digest(root / lock) and _has_its_python(root, stamp)


def make_environment(root: Path, lock: str) -> None:
    """Bring `.venv` to what `lock` says. One whose last change did not finish is made anew."""
    from launch.uv import uv_step

    stamp = read_stamp(_stamp(root))
    if TEST in stamp:
        lock = TEST  # or starting the program and testing it in turns would install and remove the rest each time
    if not _has_its_python(root, stamp):
        uv_step(
            root,
            ["venv", "--clear", "--force", "--no-project", "--relocatable", "--python", sys.executable, root / FOLDER],
            what="The environment .venv could not be made",
        )
    _stamp(root).unlink(missing_ok=True)
    say(f"Installing the packages of {lock}.")
    uv_step(
        root,
        ["pip", "sync", "--require-hashes", "--python", environment_python(root), root / lock],
        what="The packages could not be installed",
    )
    _make_importable(root)
    locks = [RUNTIME, TEST] if lock == TEST else [RUNTIME]
    write_stamp(
        _stamp(root),
        {name: digest(root / name) for name in locks} | {"python": os.path.realpath(environment_python(root))},
    )


def _stamp(root: Path) -> Path:
    return root / FOLDER / "fireside-stamp"


def _has_its_python(root: Path, stamp: dict[str, str]) -> bool:
    """An upgrade of the system's Python leaves a link that leads nowhere, or to a Python that has no packages."""
    python = os.path.realpath(environment_python(root))
    return stamp.get("python") == python and os.path.isfile(python)  # noqa: PTH113 - each start pays for this line


def _make_importable(root: Path) -> None:
    site = next((root / FOLDER).glob("[lL]ib/**/site-packages"), None)
    if site is None:
        raise CannotGoOn(f"{root / FOLDER} has no folder for packages: remove it, then start ./run again.")
    # Relative, so that the checkout may be moved.
    (site / "fireside.pth").write_text(os.path.relpath(root, site) + "\n", encoding="utf-8")
