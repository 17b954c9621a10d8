"""A server that cannot start says why in one sentence, and leaves everything as it was."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import times
from tests.faults.namespaces import SmallDisk
from tests.serving import ROOT, ServerProcess


def refusal(server: ServerProcess, *words: str, **environment: str) -> str:
    """What a start that must not succeed says on standard error."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FIRESIDE_")}
    named = {f"FIRESIDE_{name.upper()}": value for name, value in environment.items()}
    done = subprocess.run(
        server.command("serve", "--no-browser", *words),
        cwd=ROOT,
        env=clean | {"FIRESIDE_PORT": "0"} | named,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "ready" not in done.stdout
    assert re.fullmatch(r"[A-Z][^\n]+\.\n", done.stderr), f"no single sentence: {done.stderr}"
    return done.stderr


# Bad input 77
def test_a_second_server_on_the_same_folder_is_refused_and_the_first_goes_on(
    tmp_path: Path, note: Callable[[str], None]
) -> None:
    with ServerProcess(tmp_path / "state") as first:
        for _ in range(times(3, 20, 20)):
            began = time.monotonic()
            said = refusal(ServerProcess(tmp_path / "state"))
            note(f"a second server was refused after {time.monotonic() - began:.2f} s")
            assert f"process {first.process.pid}, since {time.strftime('%Y-')}" in said
        client = first.client()
        assert client.answer(client.new_session(), "still here") == "still here"


# Bad input 77
def test_a_lock_that_a_killed_server_left_is_no_obstacle(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "state")
    for _ in range(times(3, 100, 100)):
        server.start().kill()
    assert (server.state_dir / "lock").exists()
    with server:
        assert server.client().get("/health")["status"] == "ok"


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert port in refusal(ServerProcess(tmp_path / "state"), "--port", port)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "somewhere.test", ""])
def test_nobody_elsewhere_is_let_in_without_a_login(tmp_path: Path, host: str) -> None:
    said = refusal(ServerProcess(tmp_path / "state"), "--host", host)
    assert "FIRESIDE_TOKEN" in said
    assert not (tmp_path / "state").exists(), "a start that was refused left something behind"


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"port": "eighty"}, "FIRESIDE_PORT"),
        ({"port": "65536"}, "FIRESIDE_PORT"),
        ({"token": "short"}, "FIRESIDE_TOKEN"),
        ({"trash_days": "-1"}, "FIRESIDE_TRASH_DAYS"),
        ({"log_level": "loud"}, "FIRESIDE_LOG_LEVEL"),
        ({"scripted": "perhaps"}, "FIRESIDE_SCRIPTED"),
        ({"host": "192.0.2.1", "token": "a-token-of-twenty-letters"}, "192.0.2.1"),
    ],
)
def test_a_setting_that_cannot_be_is_named(tmp_path: Path, environment: dict[str, str], named: str) -> None:
    assert named in refusal(ServerProcess(tmp_path / "state"), **environment)


def test_a_config_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "state")
    server.state_dir.mkdir()
    (server.state_dir / "config.toml").write_text("port = = 5")
    assert "config.toml" in refusal(server)


# Bad input 78
def test_a_file_where_the_folder_should_be_is_named_and_kept(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("something of mine")
    assert str(tmp_path / "state") in refusal(ServerProcess(tmp_path / "state"))
    assert (tmp_path / "state").read_text() == "something of mine"


def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    with SmallDisk(tmp_path) as disk:
        disk.run("mkdir", str(disk.path / "state"))
        disk.run("mount", "-o", "remount,ro", str(disk.path))
        said = refusal(disk.server())
    assert "read-only" in said.lower()
    assert str(disk.path / "state") in said


def test_a_folder_that_is_shared_with_other_machines_is_used_with_a_warning(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "Dropbox" / "state") as server:
        assert server.client().get("/health")["status"] == "ok"
        assert "seems to be shared with other machines by Dropbox." in server.log()
