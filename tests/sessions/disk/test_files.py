"""The one writer: old or new, never between."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from api.sessions.disk import files
from api.sessions.disk.files import (
    AppendFile,
    FolderLocked,
    StateFile,
    Unsynced,
    lock_folder,
    replace_file,
    sweep_temps,
)


def _failing(error: int, *, times: int = 10**9) -> Any:
    left = [times]

    def fail(*_: Any, **__: Any) -> Any:
        left[0] -= 1
        raise OSError(error, os.strerror(error))

    return fail


def test_a_replaced_file_holds_the_new_bytes_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    replace_file(path, b"old")

    status = replace_file(path, b"new")

    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert status.st_ino == path.stat().st_ino
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["write", "fsync", "close", "open"])
def test_a_failed_replace_leaves_the_old_file_and_nothing_else(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    replace_file(path, b"old")
    monkeypatch.setattr(files.os, call, _failing(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left"):
        replace_file(path, b"new")
    monkeypatch.undo()

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(files.os, "write", lambda descriptor, data: write(descriptor, data[:3]))

    replace_file(tmp_path / "a.json", b"0123456789")

    assert (tmp_path / "a.json").read_bytes() == b"0123456789"


def test_when_the_folder_cannot_be_synced_the_new_file_is_there_and_its_fate_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    monkeypatch.setattr(files, "sync_folder", _failing(errno.EIO))

    with pytest.raises(Unsynced) as raised:
        replace_file(path, b"new")

    assert path.read_bytes() == b"new"
    assert raised.value.status is not None
    assert raised.value.status.st_ino == path.stat().st_ino


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    (tmp_path / "a.json").symlink_to(outside)

    replace_file(tmp_path / "a.json", b"new")

    assert outside.read_bytes() == b"mine"
    assert not (tmp_path / "a.json").is_symlink()


def test_only_half_written_files_of_dead_processes_are_swept(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    leftover = tmp_path / f".a.json.{dead.pid}.0123456789abcdef.tmp"
    of_a_life_before = tmp_path / f".a.json.{os.getpid()}.0123456789abcdef.tmp"
    others = [".a.json.tmp", f".a.json.{os.getppid()}.0123456789abcdef.tmp", "a.json", ".x.1.zz.tmp", ".vim.swp"]
    for name in (leftover, of_a_life_before, *(tmp_path / other for other in others)):
        name.touch()

    swept = sweep_temps(tmp_path)

    assert swept == 2
    assert {path.name for path in tmp_path.iterdir()} == {*others}


def test_lines_are_there_for_every_reader_as_soon_as_they_are_written(tmp_path: Path) -> None:
    journal = AppendFile(tmp_path / "run.jsonl")

    journal.write_line(b'{"seq":1}')
    journal.write_line(b'{"seq":2}\n')

    assert (tmp_path / "run.jsonl").read_bytes() == b'{"seq":1}\n{"seq":2}\n'
    assert stat.S_IMODE((tmp_path / "run.jsonl").stat().st_mode) == 0o600
    with pytest.raises(ValueError, match="newline"):
        journal.write_line(b"a\nb")
    journal.sync()
    journal.close()
    journal.sync()


def test_a_torn_line_is_cut_off_before_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = AppendFile(tmp_path / "run.jsonl")
    journal.write_line(b"whole")
    write, calls = os.write, []

    def short_then_full(descriptor: int, data: bytes) -> int:
        calls.append(data)
        if len(calls) == 1:
            return write(descriptor, data[:2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "write", short_then_full)
    monkeypatch.setattr(files.os, "ftruncate", _failing(errno.EIO))
    with pytest.raises(OSError, match="No space"):
        journal.write_line(b"torn")
    with pytest.raises(OSError, match="Input/output"):
        journal.write_line(b"never glued")
    monkeypatch.undo()
    assert (tmp_path / "run.jsonl").read_bytes() == b"whole\nto"

    journal.write_line(b"next")

    assert (tmp_path / "run.jsonl").read_bytes() == b"whole\nnext\n"
    journal.close()


@pytest.mark.parametrize(
    ("left", "kept"), [(b"", b""), (b"half", b""), (b"one\ntw", b"one\n"), (b"a\n" + b"x" * 99_999, b"a\n")]
)
def test_a_journal_that_ends_in_a_torn_line_goes_on_after_its_last_whole_one(
    left: bytes, kept: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(left)
    journal = AppendFile(path)
    assert path.read_bytes() == left

    journal.write_line(b"more")

    assert path.read_bytes() == kept + b"more\n"
    journal.close()


def test_a_state_file_is_empty_until_it_is_written_and_keeps_what_it_is_given(tmp_path: Path) -> None:
    state = StateFile(tmp_path / "settings.json")
    assert state.read() == {}

    state.write({"model": "demo", "nested": {"a": [1, None]}})

    assert StateFile(tmp_path / "settings.json").read() == {"model": "demo", "nested": {"a": [1, None]}}
    assert stat.S_IMODE((tmp_path / "settings.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a":1}x', b"[" * 100_000])
def test_a_state_file_that_cannot_be_read_is_set_aside_whole(damage: bytes, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(damage)
    state = StateFile(path)

    assert state.read() == {}
    state.write({"a": 1})

    assert state.read() == {"a": 1}
    (kept,) = (tmp_path / "quarantine").iterdir()
    assert kept.read_bytes() == damage


def test_a_folder_is_held_by_one_process_that_the_others_can_name(tmp_path: Path) -> None:
    lock = lock_folder(tmp_path)
    code = (
        "import sys; from pathlib import Path; from api.sessions.disk.files import *\n"
        "try: lock_folder(Path(sys.argv[1]))\n"
        "except FolderLocked as error: print(error.pid, error.since)"
    )
    root = Path(files.__file__).parents[3]

    def other_process() -> str:
        command = [sys.executable, "-c", code, str(tmp_path)]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout

    pid, since = other_process().split()
    lock.release()

    assert int(pid) == os.getpid()
    assert float(since) > 0
    assert other_process() == ""


def test_a_lock_that_does_not_say_who_holds_it_still_holds(tmp_path: Path) -> None:
    lock = lock_folder(tmp_path)
    (tmp_path / "lock").write_bytes(b"nonsense")

    with pytest.raises(FolderLocked) as raised:
        lock_folder(tmp_path)

    assert raised.value.pid is None
    lock.release()


def test_folders_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    files.make_folder(tmp_path / "a/b")
    files.make_folder(tmp_path / "a/b")

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "a/b").stat().st_mode) == 0o700


def test_reading_a_pipe_or_a_link_fails_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/passwd")

    for name in ("pipe", "link"):
        with pytest.raises(OSError):
            files.read_regular(tmp_path / name)


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission"),
        (errno.ENAMETOOLONG, "too long"),
        (errno.EIO, "disk"),
        (9999, "9999"),
    ],
)
def test_what_the_disk_says_becomes_a_sentence(error: int, word: str, tmp_path: Path) -> None:
    failure = files.explained(OSError(error, os.strerror(error)), tmp_path)

    assert word in failure.message
    assert "kept" in failure.message
    assert failure.status == 507


@pytest.mark.parametrize("error", [None, errno.EPERM, errno.EMLINK])
def test_a_file_under_a_second_name_stays_when_the_first_is_removed_with_or_without_links(
    error: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if error is not None:
        monkeypatch.setattr(files.os, "link", _failing(error))
    (tmp_path / "one").write_bytes(b"words")

    for _ in range(2):
        files.link_file(tmp_path / "one", tmp_path / "other")
    files.remove_file(tmp_path / "one")

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"other": b"words"}
    with pytest.raises(FileNotFoundError):
        files.link_file(tmp_path / "one", tmp_path / "third")
