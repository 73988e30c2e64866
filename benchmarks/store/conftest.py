"""Collects what a run has measured, and prints it as a table when it ends."""

from typing import Any

import pytest

LINES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LINES] = []


@pytest.fixture
def lines(request: pytest.FixtureRequest) -> list[str]:
    return request.config.stash[LINES]


@pytest.fixture(scope="session")
def timing(request: pytest.FixtureRequest) -> bool:
    """Whether times are wanted, or only right results."""
    return not request.config.getoption("benchmark_disable")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if config.stash[LINES]:
        terminalreporter.section("store: minute bars against DuckDB in the same run")
        for line in config.stash[LINES]:
            terminalreporter.write_line(line)
