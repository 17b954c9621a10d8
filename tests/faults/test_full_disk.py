"""A disk that is really full: nothing accepted is lost, and all goes on once there is room again."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.namespaces import SmallDisk, needs_namespaces

pytestmark = [pytest.mark.faults, needs_namespaces]


def _on_small_disk(folder: Path, size: str, inodes: int) -> dict[str, Any]:
    with SmallDisk(folder, size, inodes) as disk:
        command = [*disk.wrapper, sys.executable, "-m", "tests.faults.small_disk", str(disk.path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_full_disk_refuses_with_a_sentence_and_loses_nothing_it_accepted(tmp_path: Path) -> None:
    seen = _on_small_disk(tmp_path, "512k", 10_000)

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
    seen = _on_small_disk(tmp_path, "8m", 24)

    assert seen["code"] == "disk_full"
    assert "no free file entries" in seen["message"]
    assert seen["readable"] == seen["listed"] == seen["accepted"] > 3
    assert seen["temps"] == []
    assert seen["deleted"]
    assert seen["saved_once_there_was_room"]
