"""Reading Cboe's file."""

from datetime import date

import pytest

from parquet_store import load_universe
from parquet_store.sources import WrongAnswer, find_source

SPEC = load_universe()["VIX"]
CBOE = find_source("cboe")


def test_rows_have_month_day_and_year():
    parsed = CBOE.parse(SPEC, b"DATE,OPEN,HIGH,LOW,CLOSE\n01/02/1990,17.2,17.3,17.1,17.24\n12/31/1990,,,,26.4\n")
    assert parsed.rows.rows() == [
        (date(1990, 1, 2), 17.2, 17.3, 17.1, 17.24, None),
        (date(1990, 12, 31), None, None, None, 26.4, None),
    ]
    assert parsed.rows.columns == ["date", "open", "high", "low", "close", "volume"]


def test_another_order_of_columns_is_refused():
    with pytest.raises(WrongAnswer, match="the header is 'DATE,CLOSE,HIGH,LOW,OPEN' instead of DATE,OPEN,HIGH,LOW"):
        CBOE.parse(SPEC, b"DATE,CLOSE,HIGH,LOW,OPEN\n01/02/1990,1,1,1,1\n")
