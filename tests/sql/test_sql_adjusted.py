"""The total-return index: one fold from left to right, whose past no later row can change by a bit."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import sql
from tests.sql.small_store import LATER, SEEN, add, dividend_rows, new_store, price_rows

DAYS = [date(2022, 1, 3) + timedelta(days=number) for number in range(900)]


def history(days: int, seed: int = 1) -> tuple[dict[str, float], dict[str, float]]:
    """Return closes with gaps, and a dividend about every nine days, some on days without a close."""
    random = np.random.default_rng(seed)
    closes = np.exp(np.cumsum(random.normal(0, 0.02, len(DAYS)))) * 100
    held = random.random(len(DAYS)) < 0.7
    pays = random.random(len(DAYS)) < 0.11
    dividends = random.uniform(0.01, 2.0, len(DAYS))
    return (
        {str(DAYS[i]): float(closes[i]) for i in range(days) if held[i]},
        {str(DAYS[i]): float(dividends[i]) for i in range(days) if pays[i]},
    )


def folded(closes: dict[str, float], dividends: dict[str, float]) -> list[float]:
    """Return the factor on each day with a close, in plain steps."""
    factors, factor, before = [], 1.0, None
    for day in sorted({*closes, *dividends}):
        if day in dividends and before is not None:
            factor *= before / (before - dividends[day])
        if day in closes:
            factors.append(factor)
            before = closes[day]
    return factors


def read(store, **options):
    return sql.query(store, "SELECT * FROM adjusted WHERE symbol = 'SPY'", **options)


def test_the_index_is_the_fold_to_the_last_bit(tmp_path):
    store = new_store(tmp_path)
    closes, dividends = history(900)
    add(store, "prices", price_rows("SPY", closes))
    add(store, "actions", dividend_rows("SPY", dividends))
    answer = read(store)
    expected = folded(closes, dividends)
    assert answer["factor"].to_list() == expected
    assert answer["close"].to_list() == [
        close * factor for close, factor in zip(closes.values(), expected, strict=True)
    ]
    assert answer["high"].to_list() == [
        (close + 1.0) * factor for close, factor in zip(closes.values(), expected, strict=True)
    ]
    assert answer["volume"].unique().to_list() == [100.0]


def test_new_rows_never_change_history(tmp_path):
    store = new_store(tmp_path)
    closes, dividends = history(900)
    middle = str(DAYS[450])
    for first, last, seen in (("", middle, SEEN), (middle, "9", LATER)):
        add(store, "prices", price_rows("SPY", {k: v for k, v in closes.items() if first <= k < last}), seen)
        add(store, "actions", dividend_rows("SPY", {k: v for k, v in dividends.items() if first <= k < last}), seen)
    before, after = read(store, as_of=SEEN), read(store)
    assert 0 < before.height < after.height
    assert_frame_equal(after.head(before.height), before, check_exact=True)


def test_neither_row_order_nor_threads_matter(tmp_path):
    closes, dividends = history(900)
    frames = []
    for number, order in enumerate((1, -1)):
        (tmp_path / str(number)).mkdir()
        store = new_store(tmp_path / str(number))
        for part in list(closes.items())[:300][::order], list(closes.items())[300:][::order]:
            add(store, "prices", price_rows("SPY", dict(part)))
        add(store, "prices", price_rows("XLF", closes))
        add(store, "actions", pl.concat([dividend_rows(name, dividends) for name in ("XLF", "SPY")][::order]))
        frames += [read(store)]
        with sql.connect(store, allow_external=True) as connection:
            connection.execute("SET threads = 1")
            frames += [sql.query(connection, "SELECT * FROM adjusted WHERE symbol = 'SPY'")]
    for frame in frames[1:]:
        assert_frame_equal(frame, frames[0], check_exact=True)


@pytest.mark.parametrize("basis", ["index", "dividend_adjusted"])
def test_what_is_adjusted_already_is_left_alone(tmp_path, basis):
    store = new_store(tmp_path)
    add(store, "prices", price_rows("SPY", {"2024-07-01": 100.0, "2024-07-02": 101.0}, basis))
    add(store, "actions", dividend_rows("SPY", {"2024-07-02": 5.0}))
    assert read(store).select("close", "factor").rows() == [(100.0, 1.0), (101.0, 1.0)]


def test_a_split_is_in_the_prices_already(tmp_path):
    store = new_store(tmp_path)
    add(store, "prices", price_rows("SPY", {"2024-07-01": 100.0, "2024-07-02": 101.0}))
    add(store, "actions", dividend_rows("SPY", {"2024-07-02": 4.0}).with_columns(kind=pl.lit("split")))
    assert read(store)["close"].to_list() == [100.0, 101.0]


def test_a_dividend_before_the_first_close_changes_nothing(tmp_path):
    store = new_store(tmp_path)
    add(store, "prices", price_rows("SPY", {"2024-07-01": 100.0, "2024-07-02": 100.0}))
    add(store, "actions", dividend_rows("SPY", {"2024-06-03": 5.0, "2024-07-01": 5.0, "2024-07-02": 20.0}))
    assert read(store)["close"].to_list() == [100.0, 125.0]


def test_a_dividend_as_large_as_the_price_is_named(tmp_path):
    store = new_store(tmp_path)
    add(store, "prices", price_rows("SPY", {"2024-07-01": 100.0, "2024-07-02": 100.0}))
    add(store, "actions", dividend_rows("SPY", {"2024-07-02": 100.0}))
    with pytest.raises(
        sql.SqlError, match=r"dividend of 100\.0 on 2024-07-02 for SPY is not below the close before it"
    ):
        read(store)
