"""What FRED showed on past days: each value with the day on which it, or its revision, came out.

A question may cover at most 2,000 days with news (vintages) and return at most 100,000 rows; a daily series has far
more. Its days with news are asked for first, and the question is split along them and by pages.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import polars as pl

from parquet_store.errors import EngineError
from parquet_store.sources.http import base_url
from parquet_store.sources.interface import Answer, Ask, Request, WrongAnswer
from parquet_store.sources.secrets import fred_key
from parquet_store.sources.tables import MISSING, json_document
from parquet_store.universe import SeriesSpec

__all__ = ["ask_for_vintages", "parse_vintages"]

_VINTAGES_A_QUESTION = 2000
_DATES_A_PAGE = 10_000
_ROWS_A_PAGE = 100_000


def ask_for_vintages(spec: SeriesSpec, ask: Ask, today: date) -> tuple[Answer, ...]:
    """Return the answers that together hold every value of a series with the day on which FRED first showed it.

    Raises
    ------
    EngineError
        If there is no key: without one FRED does not tell.
    WrongAnswer
        If an answer is no list of days or lacks rows.
    """
    key = fred_key()
    if key is None:
        msg = "vintages need a key of the FRED API; put it into FRED_API_KEY or the keyring"
        raise EngineError(msg)
    base = base_url("ENGINE_FRED_URL", "https://api.stlouisfed.org")
    common = {"series_id": spec.symbol, "api_key": key, "file_type": "json"}
    days = _days_with_news(ask, f"{base}/fred/series/vintagedates", common)
    answers: list[Answer] = []
    for first, last in _questions(days, today):
        span = {**common, "realtime_start": first.isoformat(), "realtime_end": last.isoformat(), "output_type": "1"}
        answers.extend(_pages(ask, Request(f"{base}/fred/series/observations", span)))
    return tuple(answers)


def _days_with_news(ask: Ask, url: str, common: dict[str, str]) -> list[date]:
    days: list[date] = []
    while True:
        query = {**common, "limit": str(_DATES_A_PAGE), "offset": str(len(days))}
        document = json_document(ask(Request(url, query)).body)
        try:
            page = [date.fromisoformat(day) for day in document["vintage_dates"]]
            announced = int(document["count"])
        except (KeyError, TypeError, ValueError):
            msg = "the answer is JSON without FRED's days of vintages"
            raise WrongAnswer(msg) from None
        days.extend(page)
        if len(days) >= announced:
            return sorted(days)
        if not page:
            msg = f"FRED announces {announced} vintages and gave {len(days)}"
            raise WrongAnswer(msg)


def _questions(days: Sequence[date], today: date) -> Iterator[tuple[date, date]]:
    """Yield spans of days that hold as many vintages as one question may."""
    starts = [day for day in days if day <= today][::_VINTAGES_A_QUESTION]
    for first, following in zip(starts, [*starts[1:], today + timedelta(days=1)], strict=True):
        yield first, following - timedelta(days=1)


def _pages(ask: Ask, request: Request) -> Iterator[Answer]:
    offset = 0
    while True:
        page = {**request.query, "limit": str(_ROWS_A_PAGE), "offset": str(offset)}
        answer = ask(Request(request.url, page))
        yield answer
        rows, announced = _observations(answer.body)
        offset += len(rows)
        if offset >= announced:
            return
        if not rows:
            msg = f"the answer announces {announced} rows and holds {offset}"
            raise WrongAnswer(msg)


def parse_vintages(spec: SeriesSpec, bodies: Sequence[bytes]) -> pl.DataFrame:
    """Return ``date``, ``value`` and ``vintage``, the day on which FRED first showed this value, sorted.

    A value that a later question repeats is there once, and so is one that FRED showed unchanged again.

    Raises
    ------
    WrongAnswer
        If a body holds no observations, or a cell cannot be read.
    """
    cells = [row for body in bodies for row in _observations(body)[0]]
    text = pl.DataFrame(cells, schema={"date": pl.String, "value": pl.String, "vintage": pl.String}, orient="row")
    try:
        rows = text.filter(~pl.col("value").is_in(MISSING)).select(
            pl.col("date").str.to_date("%Y-%m-%d"),
            pl.col("value").cast(pl.Float64),
            pl.col("vintage").str.to_date("%Y-%m-%d"),
        )
    except pl.exceptions.PolarsError:
        msg = f"a vintage of {spec.symbol} has a date or a value that cannot be read"
        raise WrongAnswer(msg) from None
    ordered = rows.sort("date", "vintage")
    changed = pl.col("value").ne_missing(pl.col("value").shift(1).over("date"))
    return ordered.filter(changed)


def _observations(body: bytes) -> tuple[list[tuple[str, str, str]], int]:
    document = json_document(body)
    try:
        rows = [(item["date"], item["value"], item["realtime_start"]) for item in document["observations"]]
        return rows, int(document["count"])
    except (KeyError, TypeError, ValueError):
        msg = f"the answer is JSON without FRED's observations: '{json.dumps(document)[:60]}'"
        raise WrongAnswer(msg) from None
