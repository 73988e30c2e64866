"""The kernels called from SQL."""

from collections.abc import Iterator

import duckdb
import numpy as np
import polars as pl
import pytest

import kernels
from engine.sql_functions import SQL_FUNCTIONS, register
from kernels.registry import KERNELS, inputs

ENTRIES = {entry.name: entry for entry in KERNELS}
NOT_LISTS = {"rolling_rank_and_quantiles", "rolling_mean_many", "ema_sampled", "regimes", "run_table"}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        register(opened)
        yield opened


def test_every_kernel_that_lists_can_express_is_there() -> None:
    assert set(SQL_FUNCTIONS) == set(ENTRIES) - NOT_LISTS


@pytest.mark.parametrize("name", SQL_FUNCTIONS)
def test_gives_what_the_kernel_gives_by_group(name: str, connection: duckdb.DuckDBPyConnection) -> None:
    entry = ENTRIES[name]
    parameters = dict(entry.parameters[0])
    if "quantiles" in parameters:
        parameters["quantiles"] = 0.25
    each = {group: inputs(entry.inputs, 150, variant="missing", seed=seed) for seed, group in enumerate("ab")}
    table = pl.concat(
        pl.DataFrame({"x": given[0], "y": given[-1]}, nan_to_null=True).with_columns(
            group=pl.lit(group), row=pl.int_range(pl.len())
        )
        for group, given in each.items()
    ).sample(fraction=1.0, shuffle=True, seed=0)  # the order is the query's to say
    lists = ", ".join(f"list({column} ORDER BY row)" for column, _ in zip("xy", each["a"], strict=False))
    values = "".join(f", {value}" for value in parameters.values())
    connection.register("given", table)
    results = connection.sql(f'SELECT "group", {name}({lists}{values}) AS result FROM given GROUP BY 1').pl()  # noqa: S608
    for group, result in results.iter_rows():
        expected = pl.Series(entry.function(*each[group], **parameters), nan_to_null=True)
        assert result == expected.to_list()


def test_unnests_beside_other_columns(connection: duckdb.DuckDBPyConnection) -> None:
    query = """
        SELECT unnest(list(i ORDER BY i)) AS i, unnest(rolling_mean(list(i::DOUBLE ORDER BY i), 2)) AS mean
        FROM range(5) AS t(i)
    """
    assert connection.sql(query).fetchall() == [(0, None), (1, 0.5), (2, 1.5), (3, 2.5), (4, 3.5)]


def test_null_gives_null(connection: duckdb.DuckDBPyConnection) -> None:
    assert connection.sql("SELECT ema(NULL::DOUBLE[], 3), ema([1.0], NULL)").fetchall() == [(None, None)]
    assert connection.sql("SELECT ema([]::DOUBLE[], 3)").fetchall() == [([],)]


def test_says_what_is_wrong(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error, match="window must be a whole number of at least 1, but is 0"):
        connection.sql("SELECT rolling_mean([1.0, 2.0], 0)").fetchall()


def test_many_rows(connection: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT i, compound([i / 1e6, NULL, 0.5]) FROM range(5000) AS t(i) ORDER BY i"
    for i, wealth in connection.sql(query).fetchall():
        expected = kernels.compound(np.array([i / 1e6, np.nan, 0.5]))
        assert wealth == [expected[0], None, expected[2]]
