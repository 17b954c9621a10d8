"""The lock files: complete, in step with pyproject.toml, and bound to no particular index."""

import json
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.conftest import ROOT

PYTHON_LOCKS = sorted([*ROOT.glob("requirements*.lock"), *ROOT.glob("web/*.lock")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(lock: Path) -> dict[str, Requirement]:
    """Name -> pinned requirement of every entry of a lock."""
    entries = re.findall(r"^([A-Za-z0-9][^\\\n]*?) *\\?$", lock.read_text(), re.MULTILINE)
    return {canonicalize_name(pin.name): pin for pin in map(Requirement, entries)}


def version(pin: Requirement) -> str:
    return str(pin.specifier).removeprefix("==")


def strings(node: object) -> Iterator[str]:
    """Every string in a JSON value, except where packages say how to pay their authors."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for item in node:
            yield from strings(item)
    elif isinstance(node, dict):
        for name, item in node.items():
            if name != "funding":
                yield name
                yield from strings(item)


@pytest.mark.parametrize("lock", PYTHON_LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_address(lock: Path):
    assert "://" not in lock.read_text()


def test_the_lock_of_the_page_says_nothing_about_where_a_package_lies():
    lock = json.loads((ROOT / "web/package-lock.json").read_text())

    assert [text for text in strings(lock) if text == "resolved" or "://" in text] == []
    assert all("integrity" in package for name, package in lock["packages"].items() if name)


@pytest.mark.parametrize("lock", PYTHON_LOCKS, ids=lambda lock: lock.name)
def test_every_pin_is_exact_and_hashed(lock: Path):
    entries = re.split(r"^(?=[A-Za-z0-9])", lock.read_text(), flags=re.MULTILINE)[1:]

    assert entries
    assert [entry.split()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize(
    ("wanted", "lock"),
    [
        (PROJECT["project"]["dependencies"], "requirements.lock"),
        (PROJECT["dependency-groups"]["dev"], "requirements-test.lock"),
    ],
    ids=["runtime", "tests"],
)
def test_a_lock_gives_what_pyproject_asks_for(wanted: list[str], lock: str):
    pinned = pins(ROOT / lock)

    for requirement in map(Requirement, wanted):
        pin = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version(pin), prereleases=True), requirement


def test_the_tests_run_on_the_very_packages_that_the_program_runs_on():
    runtime, test = pins(ROOT / "requirements.lock"), pins(ROOT / "requirements-test.lock")

    assert {name: test.get(name) for name in runtime} == runtime


def test_nothing_installed_takes_the_name_of_one_of_our_folders():
    """Our folders come last on the path, so a package of the same name would win."""
    taken = packages_distributions()

    assert {name for name in ("api", "launch", "web", "tests") if name in taken} <= {"api"}
    assert taken.get("api", ["fireside"]) == ["fireside"]
