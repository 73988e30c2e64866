"""Files of bars as a stream of slabs, with columns as the table of bars has them."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from zoneinfo import available_timezones

import polars as pl

from parquet_store.importing.raw import import_error, list_files
from parquet_store.schema import MOMENT

__all__ = ["BAR_COLUMNS", "bar_files", "check_header", "slabs"]

BAR_COLUMNS = {
    "symbol": pl.String(),
    "moment": MOMENT,
    "open": pl.Float64(),
    "high": pl.Float64(),
    "low": pl.Float64(),
    "close": pl.Float64(),
    "volume": pl.Float64(),
}
"""What a file of bars holds; volume may be absent."""

_SYNONYMS = {"ticker": "symbol", "series": "symbol", "timestamp": "moment", "datetime": "moment", "time": "moment"}
_OF_THE_STORE = {"seen_at", "source"}
_SLAB = 2_000_000


def bar_files(paths: Iterable[str | Path]) -> list[Path]:
    """Return the Parquet files to import from files and folders.

    Raises
    ------
    EngineError
        As `parquet_store.importing.raw.list_files`; and if a file is no Parquet file.
    """
    files = list_files(paths)
    for file in files:
        if file.suffix.lower() != ".parquet":
            raise import_error(file, "bars come in as Parquet files; convert it first")
    return files


def check_header(path: Path, time_zone: str | None) -> None:
    """Refuse a file that does not hold bars, by its header alone; raises as `slabs`."""
    try:
        _columns(path, pl.read_parquet_schema(path), time_zone)
    except pl.exceptions.PolarsError as error:
        raise import_error(path, "the file is damaged or no Parquet file; get it again") from error


def slabs(path: Path, time_zone: str | None, *, rows: int = _SLAB) -> Iterator[pl.DataFrame]:
    """Yield the bars of a file, some at a time, in the order of the file.

    Parameters
    ----------
    time_zone
        The zone of moments that bear none, for example ``UTC`` or ``America/New_York``.
    rows
        How many bars are read at once.

    Raises
    ------
    EngineError
        If the file is damaged, lacks a column, has an unknown one, or one of another type.
    """
    try:
        scanned = pl.scan_parquet(path, glob=False)
        columns = _columns(path, scanned.collect_schema(), time_zone)
        height = scanned.select(pl.len()).collect().item()
        for begin, end in pairwise([*range(0, height, rows), height]):
            yield scanned.slice(begin, end - begin).select(columns).collect(engine="in-memory")
    except pl.exceptions.PolarsError as error:
        raise import_error(path, f"the file is damaged ({str(error).splitlines()[0]}); get it again") from error


def _columns(path: Path, schema: Mapping[str, pl.DataType], time_zone: str | None) -> list[pl.Expr]:
    own = {_SYNONYMS.get(name.lower(), name.lower()): name for name in schema}
    missing = BAR_COLUMNS.keys() - own.keys() - {"volume"}
    if missing:
        raise import_error(path, f"no column is named {', '.join(sorted(missing))}; it has {', '.join(schema)}")
    unknown = own.keys() - BAR_COLUMNS.keys() - _OF_THE_STORE
    if unknown:
        names = ", ".join(own[name] for name in sorted(unknown))
        raise import_error(path, f"unknown column {names}; remove it, or rename it to one of {', '.join(BAR_COLUMNS)}")
    return [
        _column(path, name, dtype, schema, own.get(name), time_zone).alias(name) for name, dtype in BAR_COLUMNS.items()
    ]


def _column(
    path: Path, name: str, dtype: pl.DataType, schema: Mapping[str, pl.DataType], own: str | None, time_zone: str | None
) -> pl.Expr:
    if own is None:
        return pl.lit(None, dtype)
    have, column = schema[own], pl.col(own)
    if isinstance(dtype, pl.Datetime):
        return _moment(path, own, have, time_zone)
    fits = have.is_numeric() if dtype.is_float() else have in (pl.String, pl.Categorical, pl.Enum)
    if not fits:
        raise import_error(path, f"the column {own} is of type {have}; {name} must be of type {dtype}")
    return column.cast(dtype)


def _moment(path: Path, own: str, have: pl.DataType, time_zone: str | None) -> pl.Expr:
    if not isinstance(have, pl.Datetime):
        raise import_error(path, f"the column {own} is of type {have}; moments must be timestamps")
    if have.time_zone is not None:
        return pl.col(own).cast(MOMENT)
    if time_zone is None:
        raise import_error(path, f"the moments in {own} bear no time zone; name it with --time-zone, such as UTC")
    if time_zone not in available_timezones():
        raise import_error(path, f"there is no time zone {time_zone}; use a name such as UTC or America/New_York")
    # A local time that the change of clocks skips, or has twice, names no moment: it becomes null and is held.
    local = pl.col(own).cast(pl.Datetime("us"))
    return local.dt.replace_time_zone(time_zone, ambiguous="null", non_existent="null").dt.convert_time_zone("UTC")
