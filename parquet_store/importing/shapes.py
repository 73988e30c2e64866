"""From a raw table to rows: which of the known shapes a file has, told by its header, and what it holds.

Every shape ends in one of three frames of rows: prices, corporate actions, or plain values, whose table is decided
later by what the universe or the user says of the series.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from parquet_store.importing.cells import dates, numbers, texts
from parquet_store.importing.raw import FILE, LINE, RawTable, import_error

__all__ = ["DECLARED", "ParsedFile", "Rows", "parse"]

Rows = Literal["prices", "actions", "values"]

_SYNONYMS = {
    "ticker": "symbol",
    "series": "symbol",
    "series_id": "symbol",
    "observation_date": "date",
    "ex_date": "date",
    "datetime": "date",
    "adjusted_close": "adj_close",
    "adjclose": "adj_close",
    "dividends": "dividend",
    "splits": "split",
    "stock_splits": "split",
}
_OHLC = ("open", "high", "low", "close")
_PRICE_COLUMNS = (*_OHLC, "adj_close", "volume")
_ACTION_COLUMNS = ("dividend", "split")
DECLARED = ("basis", "unit", "source")
"""Columns by which a file declares its own conventions row by row, as an export of the store does."""

_OF_THE_STORE = ("known_at", "seen_at")


@dataclass(frozen=True)
class ParsedFile:
    """The rows of one file.

    Attributes
    ----------
    table
        The raw table they come from.
    shape
        What the file was recognised as, in words.
    provider
        ``yahoo``, ``cboe`` or ``fred`` where the shape is the provider's own, else None.
    rows
        The frames by kind: ``symbol`` (null where the file does not name its series), ``date``, the value columns,
        those of `DECLARED` that the file has, and each row's origin.
    """

    table: RawTable
    shape: str
    provider: str | None
    rows: Mapping[Rows, pl.DataFrame]


def parse(table: RawTable, kind: str | None) -> ParsedFile:
    """Recognise a file's shape by its header and read its rows.

    Parameters
    ----------
    kind
        ``prices``, ``macro`` or ``actions`` where the user declared it.

    Raises
    ------
    EngineError
        If no shape fits, a column is unknown or a cell is wrong.
    """
    names = _canonical_names(table)
    if "date" not in names:
        raise import_error(table.path, f"no column is named date; the header is {', '.join(table.header)}")
    rest = set(names) - {"date", "symbol", *DECLARED, *_OF_THE_STORE}
    if rest & {"close", "adj_close"}:
        return _prices(table, names)
    if rest and rest <= {"dividend", "split"}:
        return _actions(table, names)
    if rest == {"kind", "value"}:
        return _actions_by_kind(table, names)
    if kind == "actions":
        raise import_error(table.path, "actions need the columns symbol, date and dividend or split")
    if rest == {"value"}:
        return _values(table, names)
    if "symbol" in names:
        what = "no column holds what is expected beside symbol and date: close, dividend, split or value"
        raise import_error(table.path, f"{what}; the header is {', '.join(table.header)}")
    return _wide(table, names)


def _canonical_names(table: RawTable) -> dict[str, str]:
    """Return the file's own column name by the common one."""
    names: dict[str, str] = {}
    for own in table.header:
        plain = own.strip().lower().replace(" ", "_")
        common = _SYNONYMS.get(plain, plain)
        if common in names:
            raise import_error(table.path, f"the columns '{names[common]}' and '{own}' mean the same; keep one of them")
        names[common] = own
    return names


def _refuse_unknown(table: RawTable, names: Mapping[str, str], known: set[str]) -> None:
    unknown = [own for common, own in names.items() if common not in known | {*DECLARED, *_OF_THE_STORE}]
    if unknown:
        what = f"unknown column {', '.join(unknown)}; remove it, or rename it to one of {', '.join(sorted(known))}"
        raise import_error(table.path, what)


def _prices(table: RawTable, names: Mapping[str, str]) -> ParsedFile:
    _refuse_unknown(table, names, {"symbol", "date", *_PRICE_COLUMNS, *_ACTION_COLUMNS})
    cboe = table.header == ("DATE", "OPEN", "HIGH", "LOW", "CLOSE")
    yahoo = table.header[:5] == ("Date", "Open", "High", "Low", "Close") and "symbol" not in names
    base = _origin(table, names, month_first=cboe)
    columns = {name: numbers(table, names[name]) for name in (*_PRICE_COLUMNS, *_ACTION_COLUMNS) if name in names}
    empty = pl.lit(None, pl.Float64)
    prices = base.with_columns([columns.get(name, empty).alias(name) for name in _PRICE_COLUMNS])
    rows: dict[Rows, pl.DataFrame] = {"prices": prices}
    actions = [
        base.with_columns(columns[name].alias("value"), pl.lit(name).alias("kind")).filter(pl.col("value") != 0)
        for name in _ACTION_COLUMNS
        if name in columns
    ]
    if actions:
        rows["actions"] = pl.concat(actions)
    if cboe:
        return ParsedFile(table, "Cboe download", "cboe", rows)
    if yahoo:
        return ParsedFile(table, "Yahoo download", "yahoo", rows)
    return ParsedFile(table, "long prices" if "symbol" in names else "prices of one series", None, rows)


def _actions(table: RawTable, names: Mapping[str, str]) -> ParsedFile:
    _refuse_unknown(table, names, {"symbol", "date", *_ACTION_COLUMNS})
    base = _origin(table, names)
    actions = [
        base.with_columns(numbers(table, names[name]).alias("value"), pl.lit(name).alias("kind"))
        for name in _ACTION_COLUMNS
        if name in names
    ]
    rows = pl.concat(actions).filter((pl.col("value") != 0).fill_null(value=True))
    return ParsedFile(table, "corporate actions", None, {"actions": rows})


def _actions_by_kind(table: RawTable, names: Mapping[str, str]) -> ParsedFile:
    kinds, values = texts(table, names["kind"]), numbers(table, names["value"])
    rows = _origin(table, names).with_columns(kinds.alias("kind"), values.alias("value"))
    return ParsedFile(table, "corporate actions", None, {"actions": rows})


def _values(table: RawTable, names: Mapping[str, str]) -> ParsedFile:
    rows = _origin(table, names).with_columns(numbers(table, names["value"]).alias("value"))
    shape = "long values" if "symbol" in names else "values of one series"
    return ParsedFile(table, shape, None, {"values": rows})


def _wide(table: RawTable, names: Mapping[str, str]) -> ParsedFile:
    """Read one column a series; FRED's own downloads have this shape."""
    fred = table.path.suffix.lower() == ".csv" and table.header[0] in ("observation_date", "DATE")
    base = _origin(table, names)
    frames = [
        base.with_columns(pl.lit(own.strip()).alias("symbol"), numbers(table, own).alias("value"))
        for common, own in names.items()
        if common not in {"date", *DECLARED, *_OF_THE_STORE}
    ]
    if not frames:
        raise import_error(table.path, "there is no column beside the date")
    provider = "fred" if fred else None
    return ParsedFile(
        table, "FRED download" if fred else "one column a series", provider, {"values": pl.concat(frames)}
    )


def _origin(table: RawTable, names: Mapping[str, str], *, month_first: bool = False) -> pl.DataFrame:
    """Return symbol, date, the file's declarations and each row's place."""
    unnamed = pl.Series("symbol", [None], dtype=pl.String).new_from_index(0, table.frame.height)
    declared = [texts(table, names[name]).alias(name) for name in DECLARED if name in names]
    return pl.DataFrame(
        [
            texts(table, names["symbol"]).alias("symbol") if "symbol" in names else unnamed,
            dates(table, names["date"], month_first=month_first).alias("date"),
            *declared,
        ]
    ).with_columns(pl.lit(str(table.path)).alias(FILE), table.frame[LINE].alias(LINE))
