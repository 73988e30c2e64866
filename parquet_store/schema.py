"""The tables of the store: their columns, types and keys, and the check every frame passes before it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType

import polars as pl

from parquet_store.errors import StoreError

__all__ = [
    "ACTION_KINDS",
    "MAIN_VALUE",
    "MOMENT",
    "PRICE_BASES",
    "QUARANTINE_STATUSES",
    "SCHEMAS",
    "TableSchema",
    "conform",
    "fingerprint",
    "table_schema",
]

MOMENT = pl.Datetime("us", "UTC")
"""The type of every moment in the store: UTC, microseconds."""

PRICE_BASES = ("split_adjusted", "dividend_adjusted", "index")
"""What a price row's close has been adjusted for; `index` has no dividends by nature."""

ACTION_KINDS = ("dividend", "split")
"""The corporate actions: USD a share on the split-adjusted base, or new shares for one old share."""

QUARANTINE_STATUSES = ("held", "released")
"""What a quarantine row says of the row it holds: kept out of reads, or confirmed by a person."""


@dataclass(frozen=True)
class TableSchema:
    """One table: what its rows hold and what identifies them.

    Attributes
    ----------
    name
        The table's name, also its folder under ``data/``.
    columns
        Required columns with their types, in the order in which they are written.
    key
        The columns that identify a row. Of the rows with one key, a read returns the one seen last. An empty key means
        that every row stands for itself.
    series, date
        The columns that name the series and its day (or its moment), by which files are pruned; None where a table has
        none.
    required
        Columns that may not be null.
    choices
        Columns that hold one of a few words.
    positive
        Columns whose values, where there are any, must be above zero.
    conventions
        Columns that must be the same in all rows of a series.
    extra_columns
        Whether other columns may stand beside the required ones.
    one_series_a_file
        Whether each file holds a single series, so that large tables are read by series without opening the others.
    one_run_a_folder
        Whether the files of each run lie in a folder of its own.
    """

    name: str
    columns: Mapping[str, pl.DataType]
    key: tuple[str, ...]
    series: str | None = None
    date: str | None = None
    required: frozenset[str] = frozenset()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    positive: tuple[str, ...] = ()
    conventions: tuple[str, ...] = ()
    extra_columns: bool = False
    one_series_a_file: bool = False
    one_run_a_folder: bool = False


_PRICES = TableSchema(
    name="prices",
    columns={
        "symbol": pl.String(),
        "date": pl.Date(),
        "open": pl.Float64(),
        "high": pl.Float64(),
        "low": pl.Float64(),
        "close": pl.Float64(),
        "volume": pl.Float64(),
        "basis": pl.String(),
        "known_at": MOMENT,
        "seen_at": MOMENT,
        "source": pl.String(),
    },
    key=("symbol", "date"),
    series="symbol",
    date="date",
    required=frozenset({"symbol", "date", "close", "basis", "known_at", "seen_at", "source"}),
    choices={"basis": PRICE_BASES},
    positive=("open", "high", "low", "close"),
    conventions=("basis",),
)

_ACTIONS = TableSchema(
    name="actions",
    columns={
        "symbol": pl.String(),
        "date": pl.Date(),
        "kind": pl.String(),
        "value": pl.Float64(),
        "known_at": MOMENT,
        "seen_at": MOMENT,
        "source": pl.String(),
    },
    key=("symbol", "date", "kind"),
    series="symbol",
    date="date",
    required=frozenset({"symbol", "date", "kind", "value", "known_at", "seen_at", "source"}),
    choices={"kind": ACTION_KINDS},
    positive=("value",),
)

_MACRO = TableSchema(
    name="macro",
    columns={
        "series": pl.String(),
        "date": pl.Date(),
        "value": pl.Float64(),
        "unit": pl.String(),
        "known_at": MOMENT,
        "seen_at": MOMENT,
        "source": pl.String(),
    },
    key=("series", "date"),
    series="series",
    date="date",
    required=frozenset({"series", "date", "value", "unit", "known_at", "seen_at", "source"}),
    conventions=("unit",),
)

_BARS = TableSchema(
    name="bars",
    columns={
        "symbol": pl.String(),
        "moment": MOMENT,
        "open": pl.Float64(),
        "high": pl.Float64(),
        "low": pl.Float64(),
        "close": pl.Float64(),
        "volume": pl.Float64(),
        "seen_at": MOMENT,
        "source": pl.String(),
    },
    key=("symbol", "moment"),
    series="symbol",
    date="moment",
    required=frozenset({"symbol", "moment", "open", "high", "low", "close", "seen_at", "source"}),
    positive=("open", "high", "low", "close"),
    one_series_a_file=True,
)

_QUARANTINE = TableSchema(
    name="quarantine",
    columns={
        "table_name": pl.String(),
        "series": pl.String(),
        "date": pl.Date(),
        "row": pl.String(),
        "reason": pl.String(),
        "status": pl.String(),
        "source": pl.String(),
        "raw_sha256": pl.String(),
        "seen_at": MOMENT,
    },
    key=("table_name", "series", "date", "row"),
    required=frozenset({"table_name", "series", "row", "reason", "status", "source", "seen_at"}),
    choices={"status": QUARANTINE_STATUSES},
    extra_columns=True,
)

_SWEEP_RUNS = TableSchema(
    name="sweep_runs",
    columns={"run_id": pl.String(), "seen_at": MOMENT},
    key=("run_id",),
    required=frozenset({"run_id", "seen_at"}),
    extra_columns=True,
)

_SWEEP_RESULTS = TableSchema(
    name="sweep_results",
    columns={"run_id": pl.String(), "seen_at": MOMENT},
    key=(),
    required=frozenset({"run_id", "seen_at"}),
    extra_columns=True,
    one_run_a_folder=True,
)

_STUDY_RUNS = TableSchema(
    name="study_runs",
    columns={"run_id": pl.String(), "seen_at": MOMENT},
    key=("run_id",),
    required=frozenset({"run_id", "seen_at"}),
    extra_columns=True,
)

_STUDY_FIGURES = TableSchema(
    name="study_figures",
    columns={"run_id": pl.String(), "seen_at": MOMENT},
    key=(),
    required=frozenset({"run_id", "seen_at"}),
    extra_columns=True,
    one_run_a_folder=True,
)

_ALL = (
    *(_PRICES, _ACTIONS, _MACRO, _BARS, _QUARANTINE),
    *(_SWEEP_RUNS, _SWEEP_RESULTS, _STUDY_RUNS, _STUDY_FIGURES),
)

SCHEMAS: Mapping[str, TableSchema] = MappingProxyType({schema.name: schema for schema in _ALL})
"""Every table of the store by name."""

MAIN_VALUE: Mapping[str, str] = MappingProxyType(
    {"prices": "close", "actions": "value", "macro": "value", "bars": "close"}
)
"""The column without which a row says nothing, by table."""


def table_schema(table: str) -> TableSchema:
    """Return the schema of a table.

    Raises
    ------
    StoreError
        If there is no such table.
    """
    if table not in SCHEMAS:
        msg = f"there is no table '{table}' in a store; the tables are {', '.join(SCHEMAS)}"
        raise StoreError(msg)
    return SCHEMAS[table]


def fingerprint(schema: Mapping[str, pl.DataType]) -> str:
    """Return 16 hexadecimal digits that name a set of columns and their types."""
    text = ";".join(f"{name}:{dtype}" for name, dtype in schema.items())
    return sha256(text.encode()).hexdigest()[:16]


def conform(frame: pl.DataFrame, schema: TableSchema) -> pl.DataFrame:
    """Return `frame` as a table stores it: the columns in their order and types, sorted by key.

    Changes of type that lose nothing are made here: integers to floats, moments of other zones to UTC microseconds.

    Parameters
    ----------
    frame
        Rows with every required column of `schema`, ``seen_at`` included.
    schema
        The table's schema.

    Raises
    ------
    StoreError
        If a column is missing, unknown or of another type, a value is null, not finite, not positive or not one of the
        allowed words, or two rows seen at the same moment have the same key.
    """
    _check_columns(frame, schema)
    columns = [_typed(frame, name, dtype, schema) for name, dtype in schema.columns.items()]
    typed = frame.select(*columns, pl.exclude(schema.columns))
    _check_values(typed, schema)
    if not schema.key:
        return typed
    order = [*schema.key, "seen_at"]
    ordered = typed.sort(order, maintain_order=True)
    repeated = ordered.filter(pl.struct(order).is_duplicated())
    if repeated.height:
        raise StoreError(_at(schema, repeated, "two rows have the same key and the same seen_at; keep one of them"))
    return ordered


def _check_columns(frame: pl.DataFrame, schema: TableSchema) -> None:
    missing = [name for name in schema.columns if name not in frame.columns]
    if missing:
        msg = f"table '{schema.name}' needs the column {', '.join(missing)}; the frame has {', '.join(frame.columns)}"
        raise StoreError(msg)
    unknown = [name for name in frame.columns if name not in schema.columns]
    if unknown and not schema.extra_columns:
        msg = f"table '{schema.name}' has no column {', '.join(unknown)}; its columns are {', '.join(schema.columns)}"
        raise StoreError(msg)


def _typed(frame: pl.DataFrame, name: str, dtype: pl.DataType, schema: TableSchema) -> pl.Expr:
    have = frame.schema[name]
    same_family = (
        have in (dtype, pl.Null)
        or (dtype.is_float() and have.is_numeric())
        or (dtype == pl.String and have in (pl.Categorical, pl.Enum))
        or (isinstance(dtype, pl.Datetime) and isinstance(have, pl.Datetime) and have.time_zone is not None)
    )
    if not same_family:
        msg = f"column '{name}' of table '{schema.name}' must be of type {dtype}, not {have}; cast it before writing"
        raise StoreError(msg)
    return pl.col(name).cast(dtype)


def _check_values(frame: pl.DataFrame, schema: TableSchema) -> None:
    for name in schema.columns:
        column = pl.col(name)
        if name in schema.required:
            _refuse(frame, schema, column.is_null(), f"'{name}' is missing")
        if frame.schema[name].is_float():
            _refuse(frame, schema, ~column.is_finite(), f"'{name}' is not a finite number")
        if name in schema.positive:
            _refuse(frame, schema, column <= 0, f"'{name}' must be above zero")
        if name in schema.choices:
            words = schema.choices[name]
            _refuse(frame, schema, ~column.is_in(words), f"'{name}' must be one of {', '.join(words)}")


def _refuse(frame: pl.DataFrame, schema: TableSchema, wrong: pl.Expr, what: str) -> None:
    rows = frame.filter(wrong)
    if rows.height:
        raise StoreError(_at(schema, rows, what))


def _at(schema: TableSchema, rows: pl.DataFrame, what: str) -> str:
    where = ", ".join(f"{name} {value}" for name, value in zip(schema.key, rows.select(schema.key).row(0), strict=True))
    place = f" at {where}" if where else ""
    return f"table '{schema.name}': {what}{place} ({rows.height} such rows)"
