"""What every test shares."""

import os
import random
from collections.abc import Generator

import pytest

SIDE_BY_SIDE = 3
"""More than there are cores in a small machine: a walk through the page waits more than it works."""

# Here, so that all processes of a run throw the same dice.
SEED = os.environ.setdefault("SEED", str(random.SystemRandom().randrange(2**32)))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """The whole suite is run side by side; what is named on the command line by this process, which starts sooner."""
    return SIDE_BY_SIDE if config.args_source == pytest.Config.ArgsSource.TESTPATHS else 0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a browser is a must (`FIRESIDE_REQUIRE_BROWSER=1`), a browser test that skips itself has failed."""
    report = yield
    required = os.environ.get("FIRESIDE_REQUIRE_BROWSER") == "1"
    skipped = report.skipped and not hasattr(report, "wasxfail")
    if required and skipped and item.get_closest_marker("browser") and not item.get_closest_marker("agents"):
        report.outcome = "failed"
        report.longrepr = f"FIRESIDE_REQUIRE_BROWSER is set, and the test was skipped: {report.longreprtext}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests measured and did not judge; see the fixture `note`."""
    every = [report for reports in terminalreporter.stats.values() for report in reports]
    done = [report for report in every if isinstance(report, pytest.TestReport) and report.when == "call"]
    notes = [text for report in done for name, text in report.user_properties if name == "note"]
    if notes or terminalreporter.stats.get("failed"):
        terminalreporter.write_sep("-", f"SEED={SEED} FAULTS={os.environ.get('FAULTS', 'commit')}")
    for line in notes:
        terminalreporter.write_line(line)
