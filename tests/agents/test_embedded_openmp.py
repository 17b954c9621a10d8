"""The demo model on a machine that has no OpenMP library of its own."""

import os
from pathlib import Path

import pytest

from api.agents.embedded import server as embedded_server


class BegunAnew(Exception):
    """Stands for the process that takes this one's place."""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where packages lie, one of them with the library; no process is really replaced."""
    library = tmp_path / "cmeel.prefix/lib/libgomp.so.1"
    library.parent.mkdir(parents=True)
    library.touch()

    def begin_anew(program: str, arguments: list[str], environment: dict[str, str]) -> None:
        raise BegunAnew(environment["LD_LIBRARY_PATH"])

    monkeypatch.setattr(embedded_server.sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(embedded_server.os, "execve", begin_anew)
    monkeypatch.setenv("LD_LIBRARY_PATH", "/theirs")
    return library.parent


def without_the_library(name: str) -> None:
    raise OSError(f"{name}: cannot open shared object file")


def test_the_library_among_the_packages_is_found_after_all_others(packages: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(embedded_server.ctypes, "CDLL", without_the_library)

    with pytest.raises(BegunAnew, match=f"^/theirs:{packages}$"):
        embedded_server._find_openmp()


def test_a_library_that_cannot_be_loaded_does_not_begin_it_over_and_over(packages, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(embedded_server.ctypes, "CDLL", without_the_library)
    monkeypatch.setenv("LD_LIBRARY_PATH", f"/theirs{os.pathsep}{packages}")

    embedded_server._find_openmp()


def test_the_machines_own_library_is_left_alone(packages: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(embedded_server.ctypes, "CDLL", lambda name: object())

    embedded_server._find_openmp()
