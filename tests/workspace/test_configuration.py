"""What in a folder decides what a command does there."""

import os
from pathlib import Path

import pytest

from api.workspace.configuration import decides

ROOT = {"package.json", "Makefile", "conftest.py", ".git/config"}
FILES = [*ROOT, "notes.txt", "build.sh", "web/package.json", "web/run.sh"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("npm test", ROOT),
        ("npm run build -- --x", ROOT),
        ("make -C web", ROOT | {"web/package.json"}),
        ("cd web && ./run.sh", ROOT | {"web/package.json", "web/run.sh"}),
        ("./build.sh", ROOT | {"build.sh"}),
        ("bash build.sh <notes.txt", ROOT | {"build.sh", "notes.txt"}),
        ("cat $(make)", ROOT),
        ('"cat" notes.txt', ROOT | {"notes.txt"}),
        ("X=1 cat notes.txt", ROOT | {"notes.txt"}),
        ("cat notes.txt", set()),
        ("ls -la; cat notes.txt | head -3", set()),
        ("git status", {".git/config"}),
        ("git status && cat notes.txt", {".git/config"}),
        ("git status\nnpm test", ROOT),
        ("make /etc/passwd ../x", ROOT),
    ],
)
def test_a_command_stands_on_the_files_that_its_programs_may_read(folder: Path, command: str, names: set[str]):
    assert set(decides(command, folder)) == names


def test_a_file_that_comes_goes_or_changes_is_told(folder: Path):
    before = decides("npm test", folder)
    (folder / "package.json").write_text("{}")
    (folder / "Makefile").unlink()
    (folder / ".npmrc").write_text("script-shell=./evil")

    after = decides("npm test", folder)

    assert {name for name in before | after if before.get(name) != after.get(name)} == {
        "package.json",
        "Makefile",
        ".npmrc",
    }


def test_what_is_no_plain_file_holds_nobody_up(folder: Path):
    (folder / "Makefile").unlink()
    os.mkfifo(folder / "Makefile")
    (folder / "conftest.py").unlink()
    (folder / "conftest.py").symlink_to("/dev/zero")

    assert set(decides("make", folder)) == {"package.json", ".git/config"}
