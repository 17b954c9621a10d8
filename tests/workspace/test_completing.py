"""Names of files for a few letters, out of folders of any size."""

import os
from pathlib import Path

import pytest

from api.domain.errors import NotFound
from api.workspace import completing
from api.workspace.completing import fitting
from api.workspace.folder import Folder


def test_of_a_huge_folder_only_a_part_is_looked_at_the_near_one_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completing, "MOST_ENTRIES", 50)
    for place in ("a/deep", "b"):
        (tmp_path / place).mkdir(parents=True)
        for number in range(50):
            (tmp_path / place / f"file-{number}").touch()
    (tmp_path / "near-file").touch()

    with Folder(tmp_path) as folder:
        found = fitting(folder, "file", 1000)

    assert "near-file" in found
    assert len(found) < 50
    assert not [name for name in found if name.startswith("a/deep")]


def test_what_cannot_be_listed_or_said_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff", os.O_CREAT))

    with Folder(tmp_path) as folder:
        assert fitting(folder, "", 10) == ["kept"]
        (tmp_path / "kept").unlink()
        for path in tmp_path.iterdir():
            path.unlink()
        tmp_path.rmdir()
        with pytest.raises(NotFound):
            fitting(folder, "", 10)
