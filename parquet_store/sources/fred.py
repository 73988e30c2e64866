"""FRED, of the Federal Reserve Bank of St. Louis: the graph's CSV without a key, the API's JSON with one.

Both give what FRED shows today. What it showed on past days is in `parquet_store.sources.fred_vintages`.
"""

import polars as pl

from parquet_store.sources.fred_vintages import ask_for_vintages, parse_vintages
from parquet_store.sources.http import base_url, connect
from parquet_store.sources.interface import Answer, Ask, Limits, Parsed, Request, Response, Source, Span, WrongAnswer
from parquet_store.sources.secrets import fred_key
from parquet_store.sources.tables import csv_cells, json_document, read_cells, refuse_mostly_unreadable
from parquet_store.universe import SeriesSpec

__all__ = ["SOURCE"]

_EARLIEST = "1776-07-04"  # FRED's own first day


def _fetch(spec: SeriesSpec, span: Span, ask: Ask) -> tuple[Answer, ...]:
    key = fred_key()
    first = _EARLIEST if span.first is None else span.first.isoformat()
    if key is None:
        base = base_url("ENGINE_FRED_URL", "https://fred.stlouisfed.org")
        query = {"id": spec.symbol, "cosd": first, "coed": span.last.isoformat()}
        return (ask(Request(f"{base}/graph/fredgraph.csv", query)),)
    base = base_url("ENGINE_FRED_URL", "https://api.stlouisfed.org")
    query = {
        "series_id": spec.symbol,
        "api_key": key,
        "file_type": "json",
        "observation_start": first,
        "observation_end": span.last.isoformat(),
    }
    return (ask(Request(f"{base}/fred/series/observations", query), accept=_explained),)


def _explained(response: Response) -> bool:
    """Let an answer through that says in JSON what was wrong with the question; `_parse` repeats it."""
    return response.status == 400 and b"error_message" in response.body


def _parse(spec: SeriesSpec, body: bytes) -> Parsed:
    cells = _api_cells(body) if body.lstrip()[:1] == b"{" else _graph_cells(spec, body)
    rows, rejected = read_cells(cells, "date", date_format="%Y-%m-%d")
    refuse_mostly_unreadable(rejected, cells.height)
    return Parsed(rows, rejected=rejected)


def _graph_cells(spec: SeriesSpec, body: bytes) -> pl.DataFrame:
    # FRED wrote DATE until December 2024.
    cells = csv_cells(body, [("observation_date", spec.symbol), ("DATE", spec.symbol)])
    return cells.rename({"observation_date": "date", spec.symbol: "value"})


def _api_cells(body: bytes) -> pl.DataFrame:
    document = json_document(body)
    if "error_message" in document:
        msg = f"FRED says: {document['error_message']}"
        raise WrongAnswer(msg)
    try:
        found = [(str(item["date"]), str(item["value"])) for item in document["observations"]]
        announced = int(document["count"])
    except (KeyError, TypeError, ValueError):
        msg = "the answer is JSON without FRED's observations"
        raise WrongAnswer(msg) from None
    if announced != len(found):
        msg = f"the answer announces {announced} observations and has {len(found)}"
        raise WrongAnswer(msg)
    return pl.DataFrame(found, schema={"date": pl.String, "value": pl.String}, orient="row")


SOURCE = Source(
    "FRED",
    Limits(per_minute=90, burst=30, at_once=4),  # FRED allows 120 a minute
    connect,
    _fetch,
    _parse,
    vintages=ask_for_vintages,
    parse_vintages=parse_vintages,
)
