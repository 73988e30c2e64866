"""Days on which a provider's row can be true of a series; the others go to the quarantine."""

from datetime import date

import polars as pl
import pytest

from parquet_store import load_universe
from parquet_store.fetching.checks import believable

TODAY = date(2024, 12, 31)

INDEPENDENCE_DAY = date(2024, 7, 4)
COLUMBUS_DAY = date(2024, 10, 14)
"""The exchange is open and the bond market closed."""
END_OF_MARCH = date(2024, 3, 31)
"""A Sunday."""
SATURDAY = date(2024, 3, 16)
TUESDAY = date(2024, 3, 19)


@pytest.mark.parametrize(
    ("series", "right", "wrong"),
    [
        ("SPY", [TUESDAY, COLUMBUS_DAY], [INDEPENDENCE_DAY, SATURDAY]),
        ("VIX", [TUESDAY, INDEPENDENCE_DAY], [SATURDAY, END_OF_MARCH]),
        ("BTC-USD", [TUESDAY, INDEPENDENCE_DAY, SATURDAY], []),
        ("BAMLH0A0HYM2", [TUESDAY, END_OF_MARCH], [SATURDAY]),
        ("DGS10", [TUESDAY, COLUMBUS_DAY], [SATURDAY]),
        ("UNRATE", [date(2024, 6, 1)], [date(2024, 6, 3)]),
    ],
)
def test_days_of_a_series_come_in_and_no_others(series, right, wrong):
    spec = load_universe()[series]
    days = pl.Series("date", sorted([*right, *wrong]))
    if spec.table == "prices":
        rows = pl.DataFrame([days]).with_columns(
            *(pl.lit(20.0).alias(name) for name in ("open", "high", "low", "close")), volume=pl.lit(None, pl.Float64)
        )
    else:
        rows = pl.DataFrame([days]).with_columns(value=pl.lit(4.0))
    kept, rejected = believable(spec, rows, TODAY)
    assert kept["date"].to_list() == sorted(right)
    assert rejected["date"].to_list() == sorted(wrong)
    assert set(rejected["reason"]) <= {f"the day is not one of the {spec.calendar} calendar"}
