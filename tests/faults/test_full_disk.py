"""A disk that is really full: nothing accepted is lost, and all goes on once there is room again."""

import functools
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[2]


@functools.cache
def _why_not() -> str:
    if shutil.which("unshare") is None:
        return "unshare is not installed"
    tried = subprocess.run(["unshare", "-Urm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, text=True)
    return "" if tried.returncode == 0 else f"small disks cannot be mounted here: {tried.stderr.strip()[:100]}"


def _on_small_disk(folder: Path, options: str) -> dict[str, Any]:
    if why := _why_not():
        pytest.skip(why)
    command = f'mount -t tmpfs -o {options} tmpfs "$1" && exec "$0" -m tests.faults.small_disk "$1"'
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", command, sys.executable, str(folder)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_full_disk_refuses_with_a_sentence_and_loses_nothing_it_accepted(tmp_path: Path) -> None:
    seen = _on_small_disk(tmp_path, "size=512k")

    assert seen["code"] == "disk_full"
    assert "The disk is full" in seen["message"]
    assert seen["accepted"] > 3
    assert seen["readable"] == seen["listed"] == seen["accepted"]
    assert seen["temps"] == []
    assert seen["deleted"]
    assert seen["line_refused"]
    assert seen["journal"] == ["first", "after"]
    assert seen["saved_once_there_was_room"]
    assert seen["complete_after"] == seen["accepted"]


def test_a_disk_without_free_file_entries_says_so(tmp_path: Path) -> None:
    seen = _on_small_disk(tmp_path, "size=8m,nr_inodes=24")

    assert seen["code"] == "disk_full"
    assert "no free file entries" in seen["message"]
    assert seen["readable"] == seen["listed"] == seen["accepted"] > 3
    assert seen["temps"] == []
    assert seen["deleted"]
    assert seen["saved_once_there_was_room"]
