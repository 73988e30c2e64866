"""What the tests of the pair's sweep share: panels made of plain columns, and the reference run on them."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.testing import assert_frame_equal

from engine.metrics import SESSIONS_A_YEAR
from engine.panel import Panel
from engine.sweep import Plan, posture_paths
from engine.sweep.fused_blocks import evaluate_blocks, split
from engine.sweep.vectorbt_backend import evaluate_paths
from tests.parquet_store.simulated_history import history
from tests.real_data import REAL_DATA
from tests.references.pair import BASKET, Outcome, pair

SERIES = ("XLF", "HYG", "VIX", "XLE", "XLB", "XLU", "IGV")
FIRST, LAST = date(2018, 1, 2), date(2026, 3, 6)
PRECISION = 1e-9
FUSED_PRECISION = 1e-12

Columns = Mapping[str, NDArray[np.float64]]


def make_panel(dates: NDArray[np.datetime64], columns: Columns) -> Panel:
    return Panel(
        dates=dates.astype("datetime64[D]"),
        columns=MappingProxyType({name: np.asarray(columns[name], np.float64) for name in SERIES}),
        start=0,
        as_of=None,
        seen_at=None,
        simulated=True,
    )


@cache
def simulated_panel() -> Panel:
    """Return the simulated market over the sample of the shipped grid."""
    market = history()
    columns = {name: market.vix if name == "VIX" else market.index(name) for name in SERIES}
    inside = market.between(FIRST, LAST)
    return make_panel(market.days[inside], {name: values[inside] for name, values in columns.items()})


@cache
def real_panel() -> Panel:
    """Return the real market over the sample of the shipped grid, its prices adjusted for dividends."""
    prices = pl.read_parquet(REAL_DATA / "prices_daily.parquet")
    wide = (
        prices.filter(pl.col("symbol").is_in(SERIES), pl.col("date").cast(pl.Date).is_between(FIRST, LAST))
        .pivot(on="symbol", index="date", values="adj_close")
        .sort("date")
        .drop_nulls()  # VIX is quoted on some holidays of the exchange
    )
    return make_panel(wide["date"].to_numpy(), {name: wide[name].to_numpy() for name in SERIES})


def reference_outcomes(plan: Plan, combinations: NDArray[np.int64]) -> list[Outcome]:
    """Run the plain reference on each combination."""
    closes = {name: tuple(plan.panel.values(name).tolist()) for name in SERIES}
    fixed = plan.grid.fixed.model_dump()
    return [
        pair(closes, cost=plan.grid.costs.rate, **_reference_parameters({**fixed, **swept}))
        for swept in plan.parameters(combinations).iter_rows(named=True)
    ]


def _reference_parameters(values: dict[str, Any]) -> dict[str, Any]:
    assets = values.pop("market_cap")
    by_assets = values["basket_weights"] == "market_cap"
    return {**values, "basket_weights": tuple(assets[name] for name in BASKET) if by_assets else (1.0, 1.0, 1.0)}


def evaluate(plan: Plan, combinations: NDArray[np.int64]) -> tuple[NDArray[np.int8], pl.DataFrame]:
    """Positions and metrics of the engine by vectorbt, in one block."""
    paths, rows = posture_paths(plan, combinations), plan.rows(combinations)
    return paths, evaluate_paths(plan.market, paths, rows.weights, rows.daily)


def evaluate_fused(
    plan: Plan, combinations: NDArray[np.int64], *, threads: int = 1, one_pass: bool = False
) -> pl.DataFrame:
    """Metrics of the engine by its fused loop."""
    blocks = evaluate_blocks(plan, split(combinations), threads=threads, one_pass=one_pass)
    return pl.concat([block for _, block in blocks])


def assert_same_as_vectorbt(found: pl.DataFrame, expected: pl.DataFrame, precision: float = FUSED_PRECISION) -> None:
    """Hold every metric to a precision: relative to it, or to 1 where it is less, as 1 + r - 1 is no finer than 1."""
    assert found.columns == expected.columns
    for name in expected.columns:
        assert found[name].is_null().to_list() == expected[name].is_null().to_list(), name
        left, right = found[name].drop_nulls().to_numpy(), expected[name].drop_nulls().to_numpy()
        allowed = np.maximum(precision, rounding_of_ratio(expected.filter(pl.col(name).is_not_null()), name))
        difference = np.abs(left - right) / np.maximum(1.0, np.abs(right))
        assert (difference <= allowed).all(), f"{name} differs by {np.max(difference):.1e}"


def rounding_of_ratio(metrics: pl.DataFrame, name: str) -> NDArray[np.float64]:
    """How finely a ratio can be known, relative to it: returns, and so their risk, are known to some last bits of 1."""
    before_costs = "gross_" if name.startswith("gross_") else ""
    volatility = metrics[f"{before_costs}volatility"].to_numpy()
    if name.endswith(("sharpe", "return_to_vol")):
        risk = volatility
    elif name.endswith("sortino"):
        risk = np.abs(metrics[f"{before_costs}sharpe"].to_numpy() * volatility / metrics[name].to_numpy())
    elif name.endswith("calmar"):
        risk = -metrics[f"{before_costs}max_drawdown"].to_numpy()
    else:
        return np.zeros(len(metrics))
    bits: NDArray[np.float64] = 4.0 * np.finfo(np.float64).eps * np.sqrt(SESSIONS_A_YEAR) / risk
    return bits


def assert_agrees(plan: Plan, combinations: NDArray[np.int64]) -> Counter[str]:
    """Hold both evaluations of the engine to the reference.

    Returns in how many combinations each event of the strategy happens.
    """
    paths, metrics = evaluate(plan, combinations)
    fused = evaluate_fused(plan, combinations)
    assert_same_as_vectorbt(fused, metrics)
    assert_frame_equal(evaluate_fused(plan, combinations, threads=2, one_pass=True), fused, check_exact=True)
    outcomes = reference_outcomes(plan, combinations)
    happened: Counter[str] = Counter()
    for k, swept in enumerate(plan.parameters(combinations).iter_rows(named=True)):
        assert paths[k].tolist() == outcomes[k].positions, f"positions differ for {swept}"
        for backend, frame in (("vectorbt", metrics), ("fused", fused)):
            row = frame.row(k, named=True)
            assert row.keys() == outcomes[k].metrics.keys()
            for name, expected in outcomes[k].metrics.items():
                message = f"{name} by {backend} is {row[name]} and should be {expected} for {swept}"
                assert is_close(row[name], expected), message
        happened.update(outcomes[k].events.keys())
        happened["trade"] += outcomes[k].metrics["trades"] != 0
    return happened


def is_close(value: float | None, expected: float | None) -> bool:
    """Equal to 1e-9, relative to what is greater than 1; nothing equals nothing only."""
    if value is None or expected is None:
        return value is expected
    return abs(value - expected) <= PRECISION * max(1.0, abs(expected))
