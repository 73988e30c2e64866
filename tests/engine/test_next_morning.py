"""What is known of a published series on the morning after a session."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.panel import Panel, Sample, load_panel
from parquet_store import Store, append, open_store
from parquet_store.calendar import sessions
from tests.parquet_store.rows import MONDAY, macro, prices

SPREAD = "BAMLH0A0HYM2"

# Monday 2024-01-08 is day 0; day 7, 2024-01-15, is a holiday of the exchange; Wednesday the 10th has no row.
VALUES = {0: 1.0, 1: 2.0, 3: 4.0, 4: 5.0, 7: 6.0, 8: 7.0, 9: 8.0}
SESSIONS = (0, 1, 2, 3, 4, 8, 9)


def morning_after(day: date) -> datetime:
    following = sessions(day + timedelta(days=1), day + timedelta(days=14))["date"][0]
    return datetime.combine(following, time(14, 0), UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = open_store(tmp_path / "store", create=True)
    rows = macro({(SPREAD, day): value for day, value in VALUES.items()})
    known = rows["date"].map_elements(morning_after, return_dtype=pl.Datetime("us", "UTC"))
    append(opened, "macro", rows.with_columns(known.alias("known_at")))
    append(opened, "prices", closes())
    return opened


def closes() -> pl.DataFrame:
    at_the_close = pl.col("date").dt.combine(time(21)).dt.replace_time_zone("UTC")
    return prices({("SPY", day): 100.0 for day in SESSIONS}).with_columns(known_at=at_the_close)


def load(store: Store, last: int | None = None) -> Panel:
    sample = Sample(last=None if last is None else MONDAY + timedelta(days=last))
    return load_panel(store, ["SPY", SPREAD, f"{SPREAD}@next_morning"], sample, complete=["SPY"])


def test_holds_what_is_dated_in_the_week_and_known_before_the_next_session(store: Store) -> None:
    panel = load(store)
    assert panel.dates.tolist() == [MONDAY + timedelta(days=day) for day in SESSIONS]
    np.testing.assert_array_equal(panel.values(f"{SPREAD}@next_morning"), [1.0, 2.0, 2.0, 4.0, 5.0, 7.0, 8.0])


def test_the_close_itself_knows_a_day_less(store: Store) -> None:
    # On Tuesday the 16th the last value known is that of the holiday; the week's first morning knows of no earlier one.
    np.testing.assert_array_equal(load(store).values(SPREAD), [np.nan, 1.0, 2.0, 2.0, 4.0, 6.0, 7.0])


@pytest.mark.parametrize("last", [1, 3, 4, 8])
def test_a_shorter_sample_changes_nothing(store: Store, last: int) -> None:
    part = load(store, last).values(f"{SPREAD}@next_morning")
    np.testing.assert_array_equal(part, load(store).values(f"{SPREAD}@next_morning")[: len(part)])


def test_what_becomes_known_later_is_not_used(tmp_path: Path) -> None:
    late = open_store(tmp_path / "late", create=True)
    rows = macro({(SPREAD, 0): 1.0, (SPREAD, 1): 2.0})
    append(late, "macro", rows.with_columns(known_at=pl.lit(datetime(2024, 1, 12, 14, tzinfo=UTC))))
    append(late, "prices", closes())
    values = load(late).values(f"{SPREAD}@next_morning")
    np.testing.assert_array_equal(values, [np.nan, np.nan, np.nan, 2.0, 2.0, np.nan, np.nan])
