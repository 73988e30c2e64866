"""Yahoo: daily bars adjusted for splits and not for dividends, and the dividends and splits beside them.

Bytes come through yfinance's client, see `parquet_store.yahoo_client`. They are read here and not by yfinance,
so that kept bytes can be read again, and so that nothing is mended unseen.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

import polars as pl

from parquet_store import yahoo_client
from parquet_store.sources.http import MAX_BYTES, base_url, retry_after
from parquet_store.sources.interface import (
    ACTION_ROWS,
    Answer,
    Ask,
    Limits,
    Parsed,
    PassingFault,
    Request,
    Response,
    Source,
    Span,
    WrongAnswer,
)
from parquet_store.sources.tables import as_json, json_document, refuse_mostly_unreadable
from parquet_store.universe import SeriesSpec
from parquet_store.yahoo_client import ClientFault

__all__ = ["SOURCE"]

_YAHOO = "https://query2.finance.yahoo.com"
_EARLIEST = date(1900, 1, 1)
_VALUES = ("open", "high", "low", "close", "volume")
_NO_ROWS = "Data doesn't exist for"
"""How Yahoo says, with status 400, that a symbol did not trade yet on the days asked for."""


def _connect() -> Callable[[Request, float], Response]:
    base = base_url("ENGINE_YAHOO_URL", _YAHOO)
    yahoo_client.connect(None if base == _YAHOO else base, MAX_BYTES)
    return _send


def _send(request: Request, timeout: float) -> Response:
    """Send a GET request through yfinance's client; raises as the function of `parquet_store.sources.http.connect`."""
    try:
        came = yahoo_client.ask(request.url, dict(request.query), timeout)
    except ClientFault as fault:
        if fault.passes:
            raise PassingFault(str(fault)) from None
        raise WrongAnswer(str(fault)) from None
    return Response(came.status, came.body, retry_after(came.retry_after))


def _fetch(spec: SeriesSpec, span: Span, ask: Ask) -> tuple[Answer, ...]:
    base = base_url("ENGINE_YAHOO_URL", _YAHOO)
    query = {
        "period1": str(_seconds(span.first or _EARLIEST)),
        "period2": str(_seconds(span.last + timedelta(days=1))),
        "interval": "1d",
        "events": "div,split",
    }
    return (ask(Request(f"{base}/v8/finance/chart/{quote(spec.symbol, safe='')}", query), accept=_explained),)


def _explained(response: Response) -> bool:
    return response.status == 400 and _NO_ROWS.encode() in response.body


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _parse(spec: SeriesSpec, body: bytes) -> Parsed:
    result = _result(spec, json_document(body))
    if result is None:
        return Parsed(_bars(pl.Series("date", [], dtype=pl.Date), {})[0])
    try:
        zone = str(result["meta"]["exchangeTimezoneName"])
        stamps = result.get("timestamp") or []
        arrays = {name: result["indicators"]["quote"][0].get(name) or [] for name in _VALUES} if stamps else {}
        days = _days(stamps, zone)
        events = _events(result.get("events") or {}, zone)
    except (KeyError, TypeError, IndexError, ValueError, OverflowError, pl.exceptions.PolarsError):
        msg = "the answer is JSON without a chart's days and prices"
        raise WrongAnswer(msg) from None
    if any(len(values) != len(stamps) for values in arrays.values()):
        msg = f"the answer has {len(stamps)} days and another number of prices"
        raise WrongAnswer(msg)
    rows, rejected = _bars(days, arrays)
    refuse_mostly_unreadable(rejected, len(stamps))
    settled, notes = _without_repeated_last_day(rows, stamps)
    return Parsed(settled, events, rejected, notes)


def _result(spec: SeriesSpec, document: Any) -> dict[str, Any] | None:
    """Return the chart of the symbol that was asked for; None where Yahoo says that it has no days."""
    try:
        error, results = document["chart"]["error"], document["chart"]["result"]
        if error is not None:
            description = str(error["description"])
            if description.startswith(_NO_ROWS):
                return None
            msg = f"Yahoo says: {description}"
            raise WrongAnswer(msg)
        result: dict[str, Any] = results[0]
        symbol, granularity = str(result["meta"]["symbol"]), str(result["meta"]["dataGranularity"])
    except (KeyError, TypeError, IndexError):
        msg = "the answer is JSON without a chart"
        raise WrongAnswer(msg) from None
    if symbol.upper() != spec.symbol.upper() or granularity != "1d":
        msg = f"the answer holds {granularity} bars of {symbol} instead of 1d bars of {spec.symbol}"
        raise WrongAnswer(msg)
    return result


def _days(stamps: list[int], zone: str) -> pl.Series:
    """Return the day of each time stamp at the exchange."""
    seconds = pl.Series("date", stamps, dtype=pl.Int64, strict=True)
    return pl.from_epoch(seconds, time_unit="s").dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.date()


def _bars(days: pl.Series, arrays: Mapping[str, list[Any]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the bars, and those of which a value is no number; a price of zero stands for none and becomes null."""
    columns = {name: [_number(value) for value in arrays.get(name, [])] for name in _VALUES}
    rows = pl.DataFrame({"date": days, **columns}, schema_overrides=dict.fromkeys(_VALUES, pl.Float64))
    wrong = pl.Series([not all(map(_readable, bar)) for bar in zip(*arrays.values(), strict=True)], dtype=pl.Boolean)
    unread = rows.filter(wrong)
    reason = pl.lit("a value is not a number").alias("reason")
    rejected = pl.DataFrame([unread["date"], as_json(unread)]).with_columns(reason)
    zero_is_none = [pl.when(pl.col(name) != 0).then(pl.col(name)).alias(name) for name in _VALUES[:3]]
    return rows.filter(~wrong).with_columns(zero_is_none), rejected


def _readable(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _without_repeated_last_day(rows: pl.DataFrame, stamps: list[int]) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Drop the daily bar where Yahoo shows the last day twice, the second time with the latest trade."""
    complete = rows.height == len(stamps) >= 2
    if not complete or rows["date"][-1] != rows["date"][-2] or stamps[-1] == stamps[-2]:
        return rows, ()
    return rows[:-2].vstack(rows[-1:]), (f"{rows['date'][-1]} came twice, as a bar and as the latest trade",)


def _events(events: Mapping[str, Any], zone: str) -> pl.DataFrame:
    dividends = [(item["date"], "dividend", float(item["amount"])) for item in events.get("dividends", {}).values()]
    splits = [
        (item["date"], "split", float(item["numerator"]) / float(item["denominator"]))
        for item in events.get("splits", {}).values()
    ]
    if not dividends and not splits:
        return pl.DataFrame(schema=dict(ACTION_ROWS))
    stamped = pl.DataFrame([*dividends, *splits], schema={**ACTION_ROWS, "date": pl.Int64()}, orient="row")
    days = _days(stamped["date"].to_list(), zone)
    # Two payments on one day, for example a regular and a special dividend, are one to the holder.
    split = pl.col("kind").first() == "split"
    together = pl.when(split).then(pl.col("value").product()).otherwise(pl.col("value").sum())
    of_a_day = stamped.with_columns(days).group_by("date", "kind").agg(together.alias("value"))
    return of_a_day.select(*ACTION_ROWS).filter(pl.col("value") > 0).sort("date", "kind")


SOURCE = Source("Yahoo", Limits(per_minute=60, burst=40, at_once=4), _connect, _fetch, _parse)
