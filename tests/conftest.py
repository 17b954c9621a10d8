"""What every test shares."""

import os
from collections.abc import Generator

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a browser is a must (`FIRESIDE_REQUIRE_BROWSER=1`), a browser test that skips itself has failed."""
    report = yield
    required = os.environ.get("FIRESIDE_REQUIRE_BROWSER") == "1"
    skipped = report.skipped and not hasattr(report, "wasxfail")
    if required and skipped and item.get_closest_marker("browser"):
        report.outcome = "failed"
        report.longrepr = f"FIRESIDE_REQUIRE_BROWSER is set, and the test was skipped: {report.longreprtext}"
    return report
