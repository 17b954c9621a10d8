"""The pinned uv, fetched into `.venv-uv` with whatever this Python has: pip, or the venv module."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from launch import surroundings
from launch.stamp import digest, read_stamp, write_stamp
from launch.steps import CannotGoOn, run_step, say

LOCK = "requirements-uv.lock"
FOLDER = ".venv-uv"


def uv_step(root: Path, arguments: list[str | Path], *, what: str) -> None:
    """Run uv in the checkout, fetching uv first where it is missing."""
    uv = _ready_uv(root) or _fetch_uv(root)
    settings = surroundings.pip_settings(_pip(root), os.environ)
    # The one setting of pip's that uv takes only as an option.
    offline = ["--no-index"] if settings.get("no-index", "").lower() in ("1", "true", "yes", "on") else []
    run_step([uv, *arguments, *offline], env=surroundings.for_uv(os.environ, settings), cwd=root, what=what)


def _ready_uv(root: Path) -> Path | None:
    folder = root / FOLDER
    if read_stamp(folder / "stamp").get(LOCK) != digest(root / LOCK):
        return None
    return _find_uv(folder)


def _find_uv(folder: Path) -> Path | None:
    places = (folder / place / name for place in ("bin", "Scripts") for name in ("uv", "uv.exe"))
    return next((place for place in places if place.is_file()), None)


def _fetch_uv(root: Path) -> Path:
    if not (find_spec("pip") or find_spec("ensurepip")):
        raise CannotGoOn(
            f"Python {sys.version_info[0]}.{sys.version_info[1]} here has neither pip nor the venv module: install one "
            "of them (on Debian and Ubuntu: apt install python3-venv), then start ./run again."
        )
    folder = root / FOLDER
    say("Fetching uv, which installs the rest.")
    shutil.rmtree(folder, ignore_errors=True)
    pip = _pip(root) or _own_pip(root)
    target = [] if _inside(folder, pip) else ["--target", folder]
    run_step(
        [*pip, "install", "--require-hashes", "--only-binary", ":all:", "--no-deps", *target, "-r", root / LOCK],
        env=surroundings.for_pip(os.environ),
        cwd=root,
        what="uv could not be fetched",
    )
    uv = _find_uv(folder)
    if uv is None:
        raise CannotGoOn(f"pip put uv somewhere else than {folder}: look at pip's settings, then start ./run again.")
    write_stamp(folder / "stamp", {LOCK: digest(root / LOCK)})
    return uv


def _pip(root: Path) -> list[str] | None:
    """The command for a pip that is there already: this Python's, or the one that came with uv's own folder."""
    if find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    own = next((root / FOLDER).glob("[bS]*/python*"), None)
    return [str(own), "-m", "pip"] if own else None


def _own_pip(root: Path) -> list[str]:
    run_step(
        [sys.executable, "-m", "venv", root / FOLDER],
        env=surroundings.for_pip(os.environ),
        cwd=root,
        what="A virtual environment could not be made",
    )
    pip = _pip(root)
    if pip is None:
        raise CannotGoOn(f"Python made {root / FOLDER} without a pip in it: install pip, then start ./run again.")
    return pip


def _inside(folder: Path, pip: list[str]) -> bool:
    return Path(pip[0]).is_relative_to(folder)
