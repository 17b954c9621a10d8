"""A workspace: what can be reached from it, and that nothing else can."""

import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.domain.errors import AppError, BadRequest, Conflict, Forbidden, NotFound, StorageFailed, TooLarge
from api.workspace import beneath
from api.workspace.folder import Folder, FolderRefused, version_of

READS = 40_000


@pytest.fixture(params=["openat2", "by parts"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How paths are opened: by the kernel in one go, or part by part."""
    if request.param == "by parts":
        monkeypatch.setattr(beneath, "has_openat2", lambda: False)
    elif not beneath.has_openat2():
        pytest.skip("this kernel, or what contains us, has no openat2")
    return request.param


@pytest.fixture
def folder(tmp_path: Path, way: str) -> Iterator[Folder]:
    """A workspace beside a secret, with links and odd things in it."""
    place = tmp_path / "ws"
    (place / "src").mkdir(parents=True)
    (place / "src/app.py").write_text("print(1)\n")
    (tmp_path / "wsevil").mkdir()
    (tmp_path / "wsevil/secret").write_text("SECRET")
    (tmp_path / "state").mkdir()
    (tmp_path / "state/secret").write_text("SECRET")
    (place / "link").symlink_to(tmp_path / "wsevil")
    (place / "up").symlink_to("../wsevil/secret")
    (place / "etc").symlink_to("/etc")
    (place / "loop").symlink_to("loop")
    (place / "dangling").symlink_to("nowhere")
    os.mkfifo(place / "pipe")
    server = socket.socket(socket.AF_UNIX)
    os.chdir(place)  # the name of a socket may not be long
    server.bind("socket")
    with Folder(place, refused=[tmp_path / "state"]) as folder:
        yield folder
    server.close()


@pytest.fixture(autouse=True)
def _back() -> Iterator[None]:
    here = Path.cwd()
    yield
    os.chdir(here)


# S14
OUTSIDE = [
    "../wsevil/secret",
    "../../../../../../etc/passwd",
    "src/../../wsevil/secret",
    "/etc/passwd",
    "//etc/passwd",
    "/proc/self/environ",
    "/dev/zero",
    "link/secret",
    "link/../wsevil/secret",
    "up",
    "etc/passwd",
    "loop",
    "%2e%2e%2fwsevil/secret",
    "..%c0%afwsevil/secret",
    "..\\wsevil\\secret",
    "src/app.py\0.png",
    "src\0",
    "pipe",
    "socket",
    "dangling",
    "src",
    "",
    ".",
    "..",
    "src/app.py/..",
    "x" * 5000,
    "a/" * 3000,
]


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: ascii(path)[:40])
def test_nothing_outside_is_read_and_nothing_that_is_no_file(folder: Folder, path: str) -> None:
    with pytest.raises((Forbidden, NotFound, BadRequest)) as refusal:
        folder.read(folder.name_of(path), 1000)

    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize("path", [path for path in OUTSIDE if path], ids=lambda path: ascii(path)[:40])
def test_nothing_outside_is_written_moved_or_deleted(folder: Folder, tmp_path: Path, path: str) -> None:
    before = {file: file.read_bytes() for file in (tmp_path / "wsevil").iterdir()}
    changes = [
        lambda: folder.write(folder.name_of(path), b"x"),
        lambda: folder.rename("src/app.py", folder.name_of(path)),
        lambda: folder.make_folder(folder.name_of(path) + "/new"),
    ]

    for change in changes:
        try:
            change()
        except AppError:
            continue

    assert {file: file.read_bytes() for file in (tmp_path / "wsevil").iterdir()} == before
    assert not (tmp_path / "wsevil/new").exists()


def test_a_neighbour_whose_name_begins_alike_is_not_inside(folder: Folder, tmp_path: Path) -> None:
    with pytest.raises(Forbidden, match="outside the workspace"):
        folder.name_of(str(tmp_path / "wsevil/secret"))

    assert folder.name_of(str(tmp_path / "ws/src/app.py")) == "src/app.py"
    assert folder.name_of("./src//app.py") == "src/app.py"


def test_what_is_refused_stays_so_when_it_comes_to_lie_inside(tmp_path: Path, way: str) -> None:
    (tmp_path / "ws").mkdir()
    with Folder(tmp_path / "ws", refused=[tmp_path / "later/state"]) as folder:
        (tmp_path / "ws").rename(tmp_path / "later")
        (tmp_path / "later/state").mkdir()
        (tmp_path / "later/state/secret").write_text("SECRET")
        (tmp_path / "later/s").symlink_to("state")

        for name in ("state/secret", "s/secret", "./state/../state/secret"):
            with pytest.raises((Forbidden, BadRequest)):
                folder.read(name, 1000)
            with pytest.raises((Forbidden, BadRequest)):
                folder.write(name, b"x")
        with pytest.raises(Forbidden):
            folder.write("state/new", b"x")
        with pytest.raises(Forbidden):
            folder.rename("state", "mine")
        assert [entry.name for entry in folder.walk()] == ["s"]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/", "whole disk"),
        ("~", "home folder"),
        ("~/..", "home folder|whole disk"),
        ("/proc/self", "system"),
        ("/dev", "system"),
        ("state", "lies in"),
        ("state/sessions", "lies in"),
        (".", "holds"),
        ("to-state", "lies in"),
    ],
)
def test_some_folders_cannot_be_a_workspace(tmp_path: Path, path: str, sentence: str) -> None:
    (tmp_path / "state/sessions").mkdir(parents=True)
    (tmp_path / "to-state").symlink_to("state")

    with pytest.raises(FolderRefused, match=sentence):
        Folder(tmp_path / path if path[0] not in "/~" else Path(path), refused=[tmp_path / "state"])


def test_who_is_no_user_of_the_system_can_work_in_a_folder_and_not_in_their_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home/ws").mkdir(parents=True)
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)  # as in a container that was given just a number
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    with Folder(tmp_path / "home/ws") as folder:
        assert folder.list() == []
    with pytest.raises(FolderRefused):
        Folder(tmp_path / "home")


def test_a_workspace_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        Folder(tmp_path / "gone")


SWAP = """
import os, sys
os.chdir(sys.argv[1])
print("swapping", flush=True)
while True:
    os.rename("dir", "aside"); os.rename("out", "dir")
    os.rename("dir", "out"); os.rename("aside", "dir")
"""


# S14
def test_a_race_of_links_is_never_lost(folder: Folder, tmp_path: Path, way: str) -> None:
    place = tmp_path / "ws"
    (place / "dir").mkdir()
    (place / "dir/secret").write_text("inside")
    (place / "out").symlink_to(tmp_path / "wsevil")
    swapping = subprocess.Popen([sys.executable, "-S", "-c", SWAP, str(place)], stdout=subprocess.PIPE)
    assert swapping.stdout and swapping.stdout.readline()

    seen: dict[bytes | None, int] = {}
    for _ in range(READS):
        try:
            data = folder.read("dir/secret", 100).data
        except (Forbidden, NotFound, BadRequest):
            data = None
        seen[data] = seen.get(data, 0) + 1
    swapping.kill()
    swapping.wait()

    # Both have to happen, or nothing raced.
    assert seen.pop(b"inside") > 100
    assert seen.pop(None) > 100
    assert not seen


def test_a_link_within_the_workspace_is_followed_and_stays_a_link(folder: Folder, tmp_path: Path, way: str) -> None:
    if way == "by parts":
        pytest.skip("no link is followed without openat2")
    (tmp_path / "ws/alias").symlink_to("src")

    folder.write("alias/app.py", b"print(2)\n", expected=version_of(b"print(1)\n"))

    assert folder.read("src/app.py", 100).data == b"print(2)\n"
    assert (tmp_path / "ws/alias").is_symlink()


def test_a_file_is_made_with_its_folders_and_replaced_with_its_rights(folder: Folder, tmp_path: Path) -> None:
    folder.write("a/b/run.sh", b"one", expected=None)
    (tmp_path / "ws/a/b/run.sh").chmod(0o751)

    folder.write("a/b/run.sh", b"two")

    written = tmp_path / "ws/a/b/run.sh"
    assert written.read_bytes() == b"two"
    assert stat.S_IMODE(written.stat().st_mode) == 0o751
    assert [entry.name for entry in folder.list("a/b")] == ["a/b/run.sh"]


# Bad input 102
def test_a_file_that_is_not_as_expected_is_not_written(folder: Folder) -> None:
    read = folder.read("src/app.py", 100).version

    folder.write("src/app.py", b"by hand")

    with pytest.raises(Conflict, match="changed since it was read"):
        folder.write("src/app.py", b"lost", expected=read)
    with pytest.raises(Conflict, match="already"):
        folder.write("src/app.py", b"lost", expected=None)
    folder.remove("src/app.py")
    with pytest.raises(Conflict, match="deleted since it was read"):
        folder.write("src/app.py", b"lost", expected=read)
    assert [entry.name for entry in folder.list("src")] == []


# Bad input 102
def test_what_is_read_only_or_no_file_is_not_written(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "ws/src/app.py").chmod(0o444)

    for name, sentence in [("src/app.py", "read-only"), ("src", "is a folder"), ("pipe", "no plain file")]:
        with pytest.raises((Forbidden, BadRequest), match=sentence):
            folder.write(name, b"x")

    assert (tmp_path / "ws/src/app.py").read_text() == "print(1)\n"


# Bad input 102
def test_two_gigabytes_are_told_and_not_read(folder: Folder, tmp_path: Path) -> None:
    with (tmp_path / "ws/huge").open("wb") as file:
        file.truncate(2 << 30)

    with pytest.raises(TooLarge, match="2,147,483,648 bytes"):
        folder.read("huge", 1 << 20)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(StorageFailed, match="is as it was"):
        folder.write("src/app.py", b"lost")

    assert folder.read("src/app.py", 100).data == b"print(1)\n"
    assert [entry.name for entry in folder.list("src")] == ["src/app.py"]


def test_things_are_moved_and_deleted_without_touching_what_a_link_leads_to(folder: Folder, tmp_path: Path) -> None:
    folder.rename("src/app.py", "new/main.py")
    with pytest.raises(Conflict, match="already"):
        folder.rename("new/main.py", "src")
    with pytest.raises(Conflict, match="not empty"):
        folder.remove("new")

    for name in ("new/main.py", "new", "link", "gone", "up"):
        folder.remove(name)

    assert (tmp_path / "wsevil/secret").read_text() == "SECRET"
    assert {entry.name: entry.kind for entry in folder.walk()} == {
        "dangling": "link",
        "etc": "link",
        "loop": "link",
        "pipe": "other",
        "socket": "other",
        "src": "folder",
    }


def test_a_folder_that_went_away_is_told_and_not_made_anew(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "ws").rename(tmp_path / "moved")
    (tmp_path / "ws").mkdir()

    assert folder.read("src/app.py", 100).data == b"print(1)\n"  # it is the folder that was chosen, not its name
    assert not list((tmp_path / "ws").iterdir())
    shutil.rmtree(tmp_path / "moved")
    with pytest.raises(NotFound, match="was deleted"):
        folder.list()


def test_names_of_any_bytes_are_listed_and_read(folder: Folder, tmp_path: Path) -> None:
    odd = os.fsdecode(b"-rf \xff\n\xe2\x80\xae.txt")
    (tmp_path / "ws/src" / odd).write_bytes(b"odd")

    assert folder.read(f"src/{odd}", 10).data == b"odd"
    assert f"src/{odd}" in [entry.name for entry in folder.list("src")]
