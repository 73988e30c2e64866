"""Collects what the sweeps took, and prints it when the run ends."""

from typing import Any

import pytest

RESULTS = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RESULTS] = []


@pytest.fixture
def lines(request: pytest.FixtureRequest) -> list[str]:
    """Lines of the table at the end."""
    return request.config.stash[RESULTS]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    lines = config.stash.get(RESULTS, [])
    if lines:
        terminalreporter.section("sweeps: the engine against vectorbt")
        for line in lines:
            terminalreporter.write_line(line)
