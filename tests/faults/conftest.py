"""How much is broken in one go, and by which dice."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SEED

SIZES = ("commit", "night", "release")
SIZE = os.environ.get("FAULTS", "commit")


class Dice(random.Random):
    """Chance that can be had again: `SEED=<number>` in the environment makes the same choices."""


def times(commit: int, night: int, release: int) -> int:
    """How often, in a run of the size that `FAULTS` asks for."""
    return dict(zip(SIZES, (commit, night, release), strict=True))[SIZE]


@pytest.fixture(scope="module")
def dice(request: pytest.FixtureRequest) -> Dice:
    return Dice(f"{SEED} {request.node.name}")


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Writes a line below the results of the test run: for what is measured and not judged."""
    return lambda line: request.node.user_properties.append(("note", line))


def pytest_configure() -> None:
    if SIZE not in SIZES:
        raise pytest.UsageError(f"FAULTS is one of {', '.join(SIZES)}.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.faults)
