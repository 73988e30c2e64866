"""The views on the real daily data: total returns, the panel's sessions, its completeness."""

from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import sql
from parquet_store import import_files, open_store, sessions
from tests.real_data import REAL_DATA, needs_real_data

pytestmark = [needs_real_data, pytest.mark.real_data]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = open_store(tmp_path_factory.mktemp("real") / "store", create=True)
    import_files(store, [REAL_DATA])
    return store


def test_total_returns_are_those_of_the_adjusted_closes(store):
    """The published adjusted closes are rounded, so that they miss even returns without a dividend by up to 2e-6."""
    published = pl.read_parquet(REAL_DATA / "prices_daily.parquet").select(
        "symbol", pl.col("date").cast(pl.Date), "close", "adj_close"
    )
    ours = sql.query(store, "SELECT symbol, date, close AS level, factor FROM adjusted")
    both = ours.join(published, on=["symbol", "date"], validate="1:1").sort("symbol", "date")
    assert both.height == published.height
    returns = both.select(
        *(
            (pl.col(name) / pl.col(name).shift(1).over("symbol") - 1).alias(name)
            for name in ("level", "close", "adj_close")
        ),
        without_dividend=pl.col("factor") == pl.col("factor").shift(1).over("symbol"),
    ).drop_nulls()
    missed = (returns["level"] - returns["adj_close"]).abs()
    assert missed.quantile(0.995) < 1e-6
    assert missed.max() < 2e-6
    plain = returns.filter("without_dividend")
    assert (plain["level"] - plain["close"]).abs().max() < 1e-14
    assert (plain["adj_close"] - plain["close"]).abs().max() > 1e-6


def test_the_documents_sample_is_complete(store):
    frame = sql.query(store, "SELECT * FROM panel WHERE date BETWEEN '2018-01-02' AND '2026-03-06'")
    assert frame.height == 2_055
    funds = sql.query(store, "SELECT series FROM series WHERE kind = 'price' AND calendar = 'nyse'")["series"].to_list()
    assert len(funds) == 17
    assert sum(frame.select(funds).null_count().row(0)) == 0


def test_every_session_since_1990_has_one_row(store):
    panel = sql.query(store, "SELECT date FROM panel")
    assert_frame_equal(panel, sessions(date(1990, 1, 2), date(2026, 3, 31)).select("date"))


def test_neither_threads_nor_runs_change_a_bit(store):
    first = sql.query(store, "FROM panel")
    with sql.connect(store, allow_external=True) as connection:
        for threads in (1, 2, 3):
            connection.execute(f"SET threads = {threads}")
            assert_frame_equal(sql.query(connection, "FROM panel"), first, check_exact=True)
