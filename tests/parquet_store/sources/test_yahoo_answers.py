"""Reading Yahoo's charts: days at the exchange, prices, actions, and answers that are none."""

import json
from datetime import UTC, date, datetime

import pytest

from parquet_store import load_universe
from parquet_store.sources import WrongAnswer, find_source

UNIVERSE = load_universe()
YAHOO = find_source("yahoo")


def stamp(day: int, hour: int = 14, minute: int = 30) -> int:
    return int(datetime(2024, 1, day, hour, minute, tzinfo=UTC).timestamp())


def chart(stamps, closes, *, symbol="SPY", zone="America/New_York", events=None, **quote) -> bytes:
    names = ("open", "high", "low", "close", "volume")
    arrays = {name: quote.get(name, closes) for name in names}
    result = {
        "meta": {"symbol": symbol, "dataGranularity": "1d", "exchangeTimezoneName": zone},
        "timestamp": stamps,
        "indicators": {"quote": [arrays]},
        "events": events or {},
    }
    return json.dumps({"chart": {"result": [result], "error": None}}).encode()


def parse(body: bytes, name: str = "SPY"):
    return YAHOO.parse(UNIVERSE[name], body)


def test_days_are_those_of_the_exchange():
    late = stamp(2, 23, 59)  # the evening of the 2nd in New York
    assert parse(chart([late], [1.0])).rows["date"].to_list() == [date(2024, 1, 2)]
    midnight = chart([stamp(3, 0, 0)], [1.0], symbol="BTC-USD", zone="UTC")
    assert parse(midnight, "BTC-USD").rows["date"].to_list() == [date(2024, 1, 3)]


def test_prices_are_read_as_they_are_and_nulls_stay():
    parsed = parse(chart([stamp(2), stamp(3)], [1.5, None], volume=[10, None]))
    assert parsed.rows.rows() == [
        (date(2024, 1, 2), 1.5, 1.5, 1.5, 1.5, 10.0),
        (date(2024, 1, 3), None, None, None, None, None),
    ]


def test_an_open_of_zero_is_none():
    assert parse(chart([stamp(2)], [1.5], open=[0.0])).rows["open"].to_list() == [None]


def test_dividends_and_splits():
    events = {
        "dividends": {"a": {"amount": 0.5, "date": stamp(2)}, "b": {"amount": 0.25, "date": stamp(2, 15)}},
        "splits": {"c": {"date": stamp(3), "numerator": 3, "denominator": 2, "splitRatio": "3:2"}},
    }
    parsed = parse(chart([stamp(2), stamp(3)], [1.0, 1.0], events=events))
    assert parsed.actions.rows() == [(date(2024, 1, 2), "dividend", 0.75), (date(2024, 1, 3), "split", 1.5)]


def test_the_latest_trade_beside_the_last_bar():
    parsed = parse(chart([stamp(2), stamp(3), stamp(3, 21, 0)], [1.0, 2.0, 2.5]))
    assert parsed.rows.select("date", "close").rows() == [(date(2024, 1, 2), 1.0), (date(2024, 1, 3), 2.5)]
    assert parsed.notes == ("2024-01-03 came twice, as a bar and as the latest trade",)


def test_a_value_that_is_no_number_is_set_aside():
    parsed = parse(chart([stamp(2), stamp(3)], ["1.0", 2.0]))
    assert parsed.rows["date"].to_list() == [date(2024, 1, 3)]
    assert parsed.rejected.select("date", "reason").rows() == [(date(2024, 1, 2), "a value is not a number")]


def test_days_before_the_first_trade_are_an_answer_without_rows():
    error = {"code": "Bad Request", "description": "Data doesn't exist for startDate = 0, endDate = 1"}
    assert parse(json.dumps({"chart": {"result": None, "error": error}}).encode()).rows.is_empty()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the answer is empty"),
        (b"<!DOCTYPE html><html>", "a web page instead of data"),
        (b"Edge: Too Many Requests", "no whole JSON document"),
        (b'{"chart": {"result": [{"me', "no whole JSON document"),
        (b"[]", "JSON without a chart"),
        (b'{"finance": {"error": null}}', "JSON without a chart"),
        (chart([stamp(2)], [1.0], symbol="SPYX"), "1d bars of SPYX instead of 1d bars of SPY"),
        (chart([stamp(2), stamp(3)], [1.0]), "2 days and another number of prices"),
        (chart([stamp(2)], [1.0], zone="Mars/Olympus"), "without a chart's days and prices"),
        (chart(["x"], [1.0]), "without a chart's days and prices"),
        (
            json.dumps({"chart": {"result": None, "error": {"code": "Not Found", "description": "No data"}}}).encode(),
            "Yahoo says: No data",
        ),
    ],
)
def test_answers_that_are_none(body, message):
    with pytest.raises(WrongAnswer, match=message):
        parse(body)
