"""The expressions give what the kernels give: eager, lazy, by group, and with missing values as nulls."""

import inspect
from typing import Any

import numpy as np
import polars as pl
import pytest

import kernels
from engine import indicators
from kernels.registry import KERNELS, Entry, inputs

COMBINED = {"rolling_rank_and_quantiles", "rolling_mean_many", "run_table", "regimes"}
ENTRIES = [entry for entry in KERNELS if entry.name not in COMBINED]
NAMES = [entry.name for entry in ENTRIES]


def arguments(entry: Entry) -> dict[str, Any]:
    parameters = dict(entry.parameters[0])
    if "quantiles" in parameters:
        parameters["quantile"] = parameters.pop("quantiles")[0]
    return parameters


def frame(entry: Entry, rows: int = 200) -> pl.DataFrame:
    each = [inputs(entry.inputs, rows, variant="missing", seed=seed) for seed in (0, 1)]
    frames = [
        pl.DataFrame({name: pl.Series(array, nan_to_null=True) for name, array in zip("xy", given, strict=False)})
        .with_columns(group=pl.lit(group), row=pl.int_range(pl.len()))
        for group, given in zip("ab", each, strict=True)
    ]  # fmt: skip
    return pl.concat(frames)


def expression(entry: Entry, columns: str) -> pl.Expr:
    return getattr(indicators, entry.name)(*columns, **arguments(entry))  # type: ignore[no-any-return]


def expected(entry: Entry, seed: int, rows: int = 200) -> list[Any]:
    result = entry.function(
        *inputs(entry.inputs, rows, variant="missing", seed=seed),
        **{name: value[0] if name == "quantiles" else value for name, value in entry.parameters[0].items()},
    )
    return pl.Series(result, nan_to_null=True).to_list()


def test_every_kernel_of_columns_has_an_expression() -> None:
    assert set(NAMES) | {"regime_number", "regime_start", "regime_length"} == set(indicators.__all__)


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
def test_one_series_and_by_group(entry: Entry) -> None:
    table = frame(entry)
    columns = "xy"[: sum(name in "xy" for name in table.columns)]
    alone = table.filter(pl.col("group") == "a").select(expression(entry, columns))
    assert alone.columns == ["x"]
    assert alone["x"].to_list() == expected(entry, 0)
    shuffled = table.sort("row", maintain_order=True)  # the groups in turns
    grouped = shuffled.lazy().with_columns(result=expression(entry, columns).over("group")).collect()
    for seed, group in enumerate("ab"):
        assert grouped.filter(pl.col("group") == group)["result"].to_list() == expected(entry, seed)


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
def test_no_rows(entry: Entry) -> None:
    table = frame(entry).clear()
    columns = "xy"[: sum(name in "xy" for name in table.columns)]
    result = table.lazy().select(expression(entry, columns))
    assert result.collect_schema() == result.collect().schema


def test_both_engines_give_the_same() -> None:
    table = pl.LazyFrame({"x": np.cumsum(np.random.default_rng(0).normal(size=50_000))})
    query = table.with_columns(z=indicators.rolling_zscore("x", 60)).filter(pl.col("z") > 1)
    assert query.collect(engine="streaming").sort("x").equals(query.collect(engine="in-memory").sort("x"))


def test_inputs_may_be_expressions_integers_and_nan() -> None:
    table = pl.DataFrame({"x": [1, 2, 4, 8, 16], "y": [1.0, float("nan"), 2.0, None, 3.0]})
    result = table.select(
        doubled=indicators.change(pl.col("x") * 2),
        average=indicators.rolling_mean("y", 2, min_periods=1),
        run=indicators.consecutive_true(pl.col("y") > 1),
        number=indicators.regime_number(pl.col("x") > 3),
        start=indicators.regime_start(pl.col("x") > 3),
        length=indicators.regime_length(pl.col("x") > 3),
    )
    assert result["doubled"].to_list() == [None, 2, 4, 8, 16]
    assert result["average"].to_list() == [1, 1, 2, 2, 3]
    assert result["run"].to_list() == [0, 1, 2, 0, 1], "Polars holds NaN to be greater than every number"
    assert result["number"].to_list() == [0, 0, 1, 1, 1]
    assert result["start"].to_list() == [0, 0, 2, 2, 2]
    assert result["length"].to_list() == [1, 2, 1, 2, 3]


def test_arguments_have_the_kernels_names() -> None:
    for entry in ENTRIES:
        given = set(inspect.signature(getattr(indicators, entry.name)).parameters) - {"quantile"}
        assert given <= set(inspect.signature(getattr(kernels, entry.name)).parameters)
