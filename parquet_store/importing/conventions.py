"""From parsed rows to rows of the store: each series under its name, in its unit and basis, with its timing."""

from collections.abc import Mapping, Sequence

import polars as pl

from parquet_store.calendar import known_at
from parquet_store.errors import EngineError
from parquet_store.importing.declarations import Declarations, declared_word, only_adjusted, series_specs
from parquet_store.importing.raw import FILE, LINE, import_error
from parquet_store.importing.shapes import ParsedFile, Rows
from parquet_store.schema import SCHEMAS
from parquet_store.universe import SeriesSpec, Universe

__all__ = ["store_rows"]

_FACTORS = {("percent", "basis_points"): 100.0, ("basis_points", "percent"): 0.01}


def store_rows(
    parsed: Sequence[ParsedFile], declared: Declarations, universe: Universe
) -> dict[str, list[pl.DataFrame]]:
    """Return the rows of all files by table, one frame a series and file.

    The frames have the columns of the table without ``seen_at``, and each row's origin; price rows keep
    ``adj_close`` as well, for the report.

    Raises
    ------
    EngineError
        If a series has no name, or its conventions are not declared or contradict the universe.
    """
    if declared.name is not None:
        _refuse_several_series(parsed, declared.name)
    tables: dict[str, list[pl.DataFrame]] = {}
    for file in parsed:
        for kind, rows in file.rows.items():
            named = _named(file, rows, declared, universe)
            specs = series_specs(file, kind, named, declared, universe)
            for (symbol,), of_series in named.group_by(["symbol"], maintain_order=True):
                table, frame = _of_series(file, kind, of_series, specs[str(symbol)], declared)
                tables.setdefault(table, []).append(frame)
    return tables


def _refuse_several_series(parsed: Sequence[ParsedFile], name: str) -> None:
    held = {symbol for file in parsed for rows in file.rows.values() for symbol in rows["symbol"].drop_nulls().unique()}
    if len(held) > 1:
        msg = f"--as {name} names one series, and the files hold {', '.join(sorted(held))}; import them without --as"
        raise EngineError(msg)


def _named(file: ParsedFile, rows: pl.DataFrame, declared: Declarations, universe: Universe) -> pl.DataFrame:
    """Return `rows` with every series under its name in the store."""
    if declared.name is not None:
        spec = universe.find(declared.name)
        return rows.with_columns(pl.lit(declared.name if spec is None else spec.name).alias("symbol"))
    if rows["symbol"].null_count():
        stem = file.table.path.stem
        spec = universe.find(stem) or universe.find(stem.removesuffix("_History"))
        if spec is None:
            raise import_error(file.table.path, "the file does not say which series it holds; name it with --as NAME")
        return rows.with_columns(pl.lit(spec.name).alias("symbol"))
    names: Mapping[str, str] = {
        name: spec.name for name in rows["symbol"].unique() if (spec := universe.find(name)) is not None
    }
    return rows.with_columns(pl.col("symbol").replace(names))


def _of_series(
    file: ParsedFile, kind: Rows, rows: pl.DataFrame, spec: SeriesSpec, declared: Declarations
) -> tuple[str, pl.DataFrame]:
    """Return the table of one series' rows, and the rows as it holds them."""
    table = spec.table if kind == "values" else kind
    _refuse_wrong_table(file, table, spec, declared)
    source = pl.col("source") if "source" in rows.columns else pl.lit(declared.source or _source(file))
    timed = rows.with_columns(known_at(spec, rows["date"]), source.alias("source"))
    columns = [name for name in SCHEMAS[table].columns if name != "seen_at"]
    match table:
        case "prices":
            prices = _prices(file, timed, spec, declared)
            return table, prices.select(*columns, "adj_close", FILE, LINE)
        case "macro":
            macro = _macro(file, timed, spec, declared)
            return table, macro.rename({"symbol": "series"}).select(*columns, FILE, LINE)
        case _:
            return table, timed.select(*columns, FILE, LINE)


def _refuse_wrong_table(file: ParsedFile, table: str, spec: SeriesSpec, declared: Declarations) -> None:
    # A price download may bear its dividends and splits as columns.
    accepted = {"prices": ("prices", "actions")}.get(declared.kind or table, (declared.kind or table,))
    if table not in accepted:
        what = f"{spec.name} belongs to the table {table}, not {declared.kind}; leave out --kind"
        raise import_error(file.table.path, what)
    if table != spec.table and spec.kind == "macro":
        what = f"the file holds {table} of {spec.name}, a macro series of the universe; name it otherwise with --as"
        raise import_error(file.table.path, what)


def _source(file: ParsedFile) -> str:
    return file.provider or f"file:{file.table.path.name}"


def _prices(file: ParsedFile, rows: pl.DataFrame, spec: SeriesSpec, declared: Declarations) -> pl.DataFrame:
    if "close" not in rows.columns:
        empty = [pl.lit(None, pl.Float64).alias(name) for name in ("open", "high", "low", "adj_close", "volume")]
        rows = rows.rename({"value": "close"}).with_columns(empty)
    basis = declared_word(file, rows, "basis", declared) or spec.basis
    if only_adjusted(rows):
        basis = "index" if spec.basis == "index" else "dividend_adjusted"
        rows = rows.with_columns(pl.col("adj_close").alias("close"), pl.lit(None, pl.Float64).alias("adj_close"))
    if (basis == "index") != (spec.basis == "index"):
        raise import_error(file.table.path, f"{spec.name} has the basis {spec.basis} in the universe, not {basis}")
    return rows.with_columns(pl.lit(basis).alias("basis"))


def _macro(file: ParsedFile, rows: pl.DataFrame, spec: SeriesSpec, declared: Declarations) -> pl.DataFrame:
    unit = declared_word(file, rows, "unit", declared) or spec.unit
    if unit == spec.unit:
        return rows.with_columns(pl.lit(unit).alias("unit"))
    factor = _FACTORS.get((unit, spec.unit))
    if factor is None:
        what = f"{spec.name} is held in {spec.unit}, and {unit} cannot be converted; correct --unit"
        raise import_error(file.table.path, what)
    return rows.with_columns(pl.col("value") * factor, pl.lit(spec.unit).alias("unit"))
