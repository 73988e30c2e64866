import re
from io import StringIO

import pytest
from rich.console import Console

from engine.report.terminal import render_sweep
from engine.sweep import Summary, run_sweep, summarise
from engine.sweep.run import SweepRun
from parquet_store import Store
from sql import query
from tests.report.sweeps import pair_grid


@pytest.fixture(scope="module")
def pair(simulated_store: Store) -> tuple[SweepRun, Summary]:
    run = run_sweep(simulated_store, pair_grid())
    return run, summarise(simulated_store, run)


def rendered(pair: tuple[SweepRun, Summary], width: int) -> list[str]:
    output = StringIO()
    render_sweep(*pair, Console(file=output, width=width))
    return output.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_tables_leave_out_columns_rather_than_cut_them(pair: tuple[SweepRun, Summary], width: int) -> None:
    lines = rendered(pair, width)
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines if width >= 80)
    best = f"{pair[1].best['sharpe'][0]:.3f}"
    assert sum(best in line for line in lines) >= 1


def test_left_out_columns_are_named(pair: tuple[SweepRun, Summary]) -> None:
    assert sum(line.startswith("No room for") for line in rendered(pair, 80)) == 2
    assert any("No room for" in line and "turnover" in line for line in rendered(pair, 80))
    assert not any("No room for" in line for line in rendered(pair, 200))


def test_the_shown_statement_answers_as_it_stands(simulated_store: Store, pair: tuple[SweepRun, Summary]) -> None:
    shown = " ".join(line.strip() for line in rendered(pair, 80))
    statement = re.search(r'engine sql "(.*?)"', shown).group(1)
    axes = list(pair[0].plan.grid.axes)[:2]
    assert query(simulated_store, statement).columns == [*axes, "trials", "median", "best"]
