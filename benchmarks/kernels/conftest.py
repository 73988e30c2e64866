"""Collects the ratios and the errors of a run, and prints them as tables when it ends."""

from typing import Any

import pytest

from benchmarks.kernels.report import accuracy_table, speed_table

Measured = dict[str, dict[str, Any]]

RATIOS = pytest.StashKey[Measured]()
DIGITS = pytest.StashKey[Measured]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RATIOS] = {}
    config.stash[DIGITS] = {}


@pytest.fixture
def results(request: pytest.FixtureRequest) -> Measured:
    return request.config.stash[RATIOS]


@pytest.fixture
def digits(request: pytest.FixtureRequest) -> Measured:
    return request.config.stash[DIGITS]


@pytest.fixture
def timing(request: pytest.FixtureRequest) -> bool:
    """Whether times are wanted, or only right results."""
    return not request.config.getoption("benchmark_disable")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if config.stash[RATIOS]:
        terminalreporter.section("kernels: how many times as long others take")
        for line in speed_table(config.stash[RATIOS]):
            terminalreporter.write_line(line)
    if config.stash[DIGITS] and not config.getoption("benchmark_disable"):
        terminalreporter.section("kernels: largest relative error of a rolling standard deviation")
        for line in accuracy_table(config.stash[DIGITS]):
            terminalreporter.write_line(line)
