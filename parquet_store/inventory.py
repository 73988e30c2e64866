"""What the store holds: each series with its range, gaps, staleness, source and size."""

from datetime import UTC, date, datetime

import polars as pl

from parquet_store.calendar import sessions
from parquet_store.manifest import Manifest
from parquet_store.reader import data_paths, scan
from parquet_store.schema import MOMENT, SCHEMAS
from parquet_store.store import Store, read_manifest
from parquet_store.universe import Calendar, Universe, load_universe

__all__ = ["expected_days", "status"]

_SERIES_COLUMN = {name: schema.series for name, schema in SCHEMAS.items() if schema.series is not None}
_COLUMNS = (
    "table",
    "series",
    "source",
    "first",
    "last",
    "rows",
    "revised",
    "gaps",
    "first_gaps",
    "days_old",
    "stale",
    "bytes",
    "seen_last",
)
_SHOWN_GAPS = 5
_BOND_HOLIDAYS = ("Columbus Day", "Veterans Day", "Martin Luther King")


def status(
    store: Store,
    *,
    as_of: datetime | None = None,
    today: date | None = None,
    universe: Universe | None = None,
) -> pl.DataFrame:
    """Return one row for each series of each table, sorted by table and series.

    Parameters
    ----------
    as_of
        Only what was seen by this moment; None: all.
    today
        The day against which staleness is measured; None: that of `as_of`, else today (UTC).
    universe
        The series' calendars and limits; None: those the project ships.

    Returns
    -------
    polars.DataFrame
        ``table``, ``series``, ``source`` (joined by a comma where there are several), ``first``, ``last``, ``rows``
        (current ones), ``revised`` (older versions of rows), ``gaps`` (expected days between first and last without
        a row; null where the universe does not know the calendar), ``first_gaps`` (the first five), ``days_old``
        (calendar days since the last row), ``stale`` (null where there is no limit), ``bytes`` (the series' share of
        its files by rows), ``seen_last``.

    Raises
    ------
    StoreError
        If the store cannot be read or `as_of` has no time zone.
    """
    manifest = read_manifest(store)
    known = load_universe() if universe is None else universe
    tables = [_of_table(store, manifest, table, as_of, known) for table in _SERIES_COLUMN if table != "bars"]
    held = pl.concat([*tables, _of_bars(manifest, as_of)], how="diagonal")
    day = today or (as_of or datetime.now(UTC)).astimezone(UTC).date()
    return _with_staleness(held, day, known).select(_COLUMNS).sort("table", "series")


def _of_table(store: Store, manifest: Manifest, table: str, as_of: datetime | None, universe: Universe) -> pl.DataFrame:
    """Return one row a series of a table, without what depends on today."""
    rows = scan(store, table, as_of=as_of, manifest=manifest)
    series = pl.col(_SERIES_COLUMN[table]).alias("series")
    current = rows.select(series, "date", "source", "seen_at").collect(engine="in-memory")
    summary = current.group_by("series").agg(
        pl.col("source").unique().sort().str.join(", "),
        pl.col("date").min().alias("first"),
        pl.col("date").max().alias("last"),
        pl.len().cast(pl.Int64).alias("rows"),
        pl.col("seen_at").max().alias("seen_last"),
    )
    # Corporate actions come when they come: no calendar says which are missing.
    gaps = _gaps(current.clear() if table == "actions" else current, universe)
    joined = summary.join(gaps, on="series", how="left").join(_written(store, manifest, table, as_of), on="series")
    return joined.with_columns(pl.lit(table).alias("table"), (pl.col("written") - pl.col("rows")).alias("revised"))


def _of_bars(manifest: Manifest, as_of: datetime | None) -> pl.DataFrame:
    """Return one row a symbol of the table of bars, as the manifest has it: its rows are too many to read for this.

    Rows count all that were written, revisions too; which of them are current is left open, as are gaps.
    """
    files = [
        (entry.series[0], entry.source, entry.first, entry.last, entry.rows, entry.bytes, entry.seen_last)
        for entry in manifest.entries("bars", as_of)
        if entry.series is not None
    ]
    schema = {
        "series": pl.String(),
        "source": pl.String(),
        "first": pl.Date(),
        "last": pl.Date(),
        "rows": pl.Int64(),
        "bytes": pl.Int64(),
        "seen_last": MOMENT,
    }
    held = pl.DataFrame(files, schema=schema, orient="row")
    summary = held.group_by("series").agg(
        pl.col("source").unique().sort().str.join(", "),
        pl.col("first").min(),
        pl.col("last").max(),
        pl.col("rows", "bytes").sum(),
        pl.col("seen_last").max(),
    )
    return summary.with_columns(pl.lit("bars").alias("table"))


def _written(store: Store, manifest: Manifest, table: str, as_of: datetime | None) -> pl.DataFrame:
    """Return rows ever written and bytes by series; a file's bytes are shared out by its rows."""
    entries = manifest.entries(table, as_of)
    if not entries:
        return pl.DataFrame(schema={"series": pl.String, "written": pl.Int64, "bytes": pl.Int64})
    paths = data_paths(store, entries)
    bytes_a_row = {str(path): entry.bytes / entry.rows for path, entry in zip(paths, entries, strict=True)}
    rows = pl.scan_parquet(list(bytes_a_row), glob=False, include_file_paths="path")
    seen = rows if as_of is None else rows.filter(pl.col("seen_at") <= as_of)
    counted = seen.group_by("path", pl.col(_SERIES_COLUMN[table]).alias("series")).len("written")
    share = pl.col("written") * pl.col("path").replace_strict(bytes_a_row, return_dtype=pl.Float64)
    total = (
        counted.sort("path")
        .group_by("series", maintain_order=True)
        .agg(pl.col("written").sum(), share.sum().alias("bytes"))
    )
    whole = total.with_columns(pl.col("written").cast(pl.Int64), pl.col("bytes").round().cast(pl.Int64))
    return whole.collect(engine="in-memory")


def _gaps(current: pl.DataFrame, universe: Universe) -> pl.DataFrame:
    """Return how many expected days each series of the universe lacks between its first and last, and the first few."""
    found: list[tuple[str, int, list[date]]] = []
    for (name,), rows in current.group_by(["series"]):
        spec = universe.find(str(name))
        if spec is None:
            continue
        days = rows["date"].sort()
        expected = expected_days(spec.calendar, days[0], days[-1])
        missing = expected.filter(~expected.is_in(days.implode()))
        found.append((str(name), missing.len(), missing.head(_SHOWN_GAPS).to_list()))
    schema = {"series": pl.String(), "gaps": pl.Int64(), "first_gaps": pl.List(pl.Date)}
    return pl.DataFrame(found, schema=schema, orient="row")


def expected_days(calendar: Calendar, first: date, last: date) -> pl.Series:
    """Return the days from `first` to `last`, both included, on which a series of a calendar has values.

    The bond calendar is that of the NYSE without the holidays that only the bond market keeps: Columbus Day, Veterans
    Day and, before 1998, the birthday of Martin Luther King.
    """
    match calendar:
        case "nyse":
            return sessions(first, last)["date"]
        case "bond":
            days = sessions(first, last)["date"]
            return days.filter(~days.is_in(_bond_holidays(first.year, last.year)))
        case "monthly":
            return pl.date_range(first.replace(day=1), last, interval="1mo", eager=True)
        case "daily":
            return pl.date_range(first, last, eager=True)


def _bond_holidays(first_year: int, last_year: int) -> list[date]:
    from holidays import country_holidays  # noqa: PLC0415 - takes a moment, and most commands need no calendar

    days = country_holidays("US", years=range(first_year, last_year + 1))
    return [day for day, name in days.items() if name.startswith(_BOND_HOLIDAYS)]


def _with_staleness(held: pl.DataFrame, today: date, universe: Universe) -> pl.DataFrame:
    limits = {spec.name: spec.stale_after_days for spec in universe.series}
    age = (pl.lit(today) - pl.col("last")).dt.total_days()
    limit = pl.col("series").replace_strict(limits, default=None, return_dtype=pl.Int64)
    # A corporate action has no next date to wait for.
    stale = pl.when(pl.col("table") != "actions").then(age > limit)
    return held.with_columns(age.alias("days_old"), stale.alias("stale"))
