"""What many tests stand on: a store with the simulated market, and the command line as a user runs it."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli import main  # noqa: TID251 - the tests are its users
from parquet_store import Store, import_files, open_store
from parquet_store.simulation import write_simulated
from tests.real_data import REAL_DATA

ROOT = Path(__file__).resolve().parents[1]

Engine = Callable[..., subprocess.CompletedProcess[str]]


_FAULTS = pytest.StashKey[Counter[tuple[str, str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="Try every fault of a provider, not a sample of them.")


def faults_tried(config: pytest.Config) -> Counter[tuple[str, str]]:
    """Return how many faults were tried and survived in this run, by what was disturbed and the fault's mode."""
    return config.stash.setdefault(_FAULTS, Counter())


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    tried = faults_tried(config)
    if tried and config.getoption("--thorough"):
        terminalreporter.section("faults tried and survived")
        for what in dict.fromkeys(what for what, _ in tried):
            counts = {mode: count for (each, mode), count in tried.items() if each == what}
            modes = ", ".join(f"{mode} {count}" for mode, count in counts.items())
            terminalreporter.write_line(f"{what}: {sum(counts.values())} ({modes})")


@pytest.fixture(scope="session")
def simulated_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with the simulated market; tests add to its ledger but never to its data."""
    store = open_store(tmp_path_factory.mktemp("simulated") / "store", create=True)
    write_simulated(store)
    return store


@pytest.fixture(scope="session")
def real_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with the real daily data; the test is skipped where they are absent."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real market data at {REAL_DATA}")
    store = open_store(tmp_path_factory.mktemp("real") / "store", create=True)
    import_files(store, [REAL_DATA])
    return store


@pytest.fixture(scope="session", params=["simulated", pytest.param("real", marks=pytest.mark.real_data)])
def market_store(request: pytest.FixtureRequest) -> Store:
    store: Store = request.getfixturevalue(f"{request.param}_store")
    return store


@pytest.fixture
def fresh_simulated_store(tmp_path: Path) -> Store:
    """A store with the simulated market and an empty ledger."""
    store = open_store(tmp_path / "store", create=True)
    write_simulated(store)
    return store


@pytest.fixture
def engine(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Engine:
    """Run the command ``engine`` in an empty folder, in this process, and return how it ended.

    Starting a process takes longer than most commands. `engine_process` does it, for what only a process can show.
    """

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        command = ["engine", *map(str, arguments)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", command)
            patch.chdir(tmp_path)
            for name, value in environment.items():
                patch.setenv(name, value)
            capfd.readouterr()
            with pytest.raises(SystemExit) as ended:
                main()
        printed = capfd.readouterr()
        return subprocess.CompletedProcess(command, int(ended.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture
def engine_process(tmp_path: Path) -> Engine:
    """Run the command ``engine`` in an empty folder, in a process of its own, and return how it ended."""

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).with_name("engine"), *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, **environment},
            check=False,
        )

    return run
