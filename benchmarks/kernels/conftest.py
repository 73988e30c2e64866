"""Collects the ratios of a run, and prints them as tables when it ends."""

from typing import Any

import pytest

from benchmarks.kernels.report import speed_table

Measured = dict[str, dict[str, Any]]

RESULTS = pytest.StashKey[Measured]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RESULTS] = {}


@pytest.fixture
def results(request: pytest.FixtureRequest) -> Measured:
    return request.config.stash[RESULTS]


@pytest.fixture
def timing(request: pytest.FixtureRequest) -> bool:
    """Whether times are wanted, or only right results."""
    return not request.config.getoption("benchmark_disable")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    measured = config.stash.get(RESULTS, {})
    if measured:
        terminalreporter.section("kernels: how many times as long others take")
        for line in speed_table(measured):
            terminalreporter.write_line(line)
