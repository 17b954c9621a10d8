"""What `./run` was asked for, and the steps that must come before it."""

from __future__ import annotations

import os
from pathlib import Path

from launch.environment import RUNTIME, TEST, environment_is_ready, environment_python, make_environment
from launch.lock import only_one
from launch.page import make_page, page_is_ready
from launch.steps import CannotGoOn, say

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    """Set up what is missing, then become the program, or pytest for `test`. Returns only where it could not."""
    testing = arguments[:1] == ["test"]
    try:
        set_up(ROOT, TEST if testing else RUNTIME)
    except CannotGoOn as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("Stopped while setting up; the next ./run goes on from here.")
        return 130
    # -I: neither PYTHONPATH nor a folder called `api` where the person happens to be may take our place.
    python = [str(environment_python(ROOT)), "-I", "-m"]
    if not testing:
        return become([*python, "api", *arguments])
    asked = [anchored(argument) for argument in arguments[1:]]
    os.chdir(ROOT)
    return become([*python, "pytest", *asked])


def set_up(root: Path, lock: str) -> None:
    """Do the steps that are not done yet, one start at a time."""
    if environment_is_ready(root, lock) and page_is_ready(root):
        return
    with only_one(root):
        if not environment_is_ready(root, lock):
            make_environment(root, lock)
        if not page_is_ready(root):
            make_page(root)


def anchored(argument: str) -> str:
    """A pytest argument that names a file from where the person is, as seen from anywhere."""
    path, separator, test = argument.partition("::")
    if path.startswith("-") or not os.path.exists(path):  # noqa: PTH110 - text stays text
        return argument
    return os.path.abspath(path) + separator + test  # noqa: PTH100


def become(command: list[str]) -> int:
    """Replace this process by `command`; Windows has no such thing, there it is waited for."""
    if os.name != "nt":
        os.execv(command[0], command)
    import subprocess

    with subprocess.Popen(command) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # the program heard it too, and ends in its own way
