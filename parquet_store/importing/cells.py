"""From cells to dates and numbers; a cell that is neither is an error that names file, line and column."""

from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from parquet_store.calendar import EARLIEST
from parquet_store.importing.raw import LINE, RawTable, import_error, place

__all__ = ["dates", "numbers", "texts"]

_MISSING = ("", ".", "null")
"""How FRED (a point, or nothing) and Yahoo (null) write a value that is missing."""

_ISO = r"^(\d{4}-\d{2}-\d{2})(?:[ T]00:00(?::00(?:\.0+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$"
_MONTH_DAY_YEAR = r"^\d{1,2}/\d{1,2}/\d{4}$"


def dates(table: RawTable, column: str, *, month_first: bool) -> pl.Series:
    """Return a column as dates.

    Parameters
    ----------
    month_first
        Whether month/day/year is accepted beside year-month-day; elsewhere 01/02/2024 would have to be guessed.

    Raises
    ------
    EngineError
        If a cell is no date, or one before the session calendar begins or after tomorrow.
    """
    cells = table.frame[column]
    if cells.dtype == pl.String:
        cells = cells.str.strip_chars()
        days = cells.str.extract(_ISO, 1).str.to_date("%Y-%m-%d", strict=False)
        if month_first:
            american = cells.str.contains(_MONTH_DAY_YEAR).fill_null(value=False)
            slashed = cells.zip_with(american, pl.Series([None], dtype=pl.String)).str.to_date("%m/%d/%Y", strict=False)
            days = days.fill_null(slashed)
    elif cells.dtype == pl.Date:
        days = cells
    elif isinstance(cells.dtype, pl.Datetime):
        days = cells.dt.date()
        _refuse(table, column, cells.dt.time() != time(0, 0), "is a moment within the day, and only daily rows fit")
    else:
        raise import_error(table.path, f"column '{column}' holds {cells.dtype} instead of dates")
    how = "month/day/year" if month_first else "a date written like 2024-01-31"
    _refuse(table, column, days.is_null(), f"is not {how}")
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    _refuse(table, column, (days < EARLIEST) | (days > tomorrow), f"lies outside {EARLIEST} to tomorrow")
    return days


def numbers(table: RawTable, column: str) -> pl.Series:
    """Return a column as floats; missing cells (empty, ``.``, ``null``, not a number in Parquet) as null.

    Raises
    ------
    EngineError
        If a cell holds anything else, an infinite number included.
    """
    cells = table.frame[column]
    if cells.dtype == pl.String:
        stripped = cells.str.strip_chars()
        present = stripped.is_not_null() & ~stripped.is_in(_MISSING)
        values = stripped.cast(pl.Float64, strict=False)
        wrong = present & (values.is_null() | ~values.is_finite())
    elif cells.dtype.is_numeric() or cells.dtype == pl.Null:
        values = cells.cast(pl.Float64).fill_nan(None)
        wrong = values.is_infinite()
    else:
        raise import_error(table.path, f"column '{column}' holds {cells.dtype} instead of numbers")
    _refuse(table, column, wrong, "is not a number")
    return values


def texts(table: RawTable, column: str) -> pl.Series:
    """Return a column as text without surrounding blanks.

    Raises
    ------
    EngineError
        If a cell is empty, or the column holds no text.
    """
    cells = table.frame[column]
    if cells.dtype not in (pl.String, pl.Categorical, pl.Enum):
        raise import_error(table.path, f"column '{column}' holds {cells.dtype} instead of names")
    values = cells.cast(pl.String).str.strip_chars()
    _refuse(table, column, values.is_null() | (values == ""), "is empty")
    return values


def _refuse(table: RawTable, column: str, wrong: pl.Series, what: str) -> None:
    """Raise for the first row where `wrong` holds."""
    rows = table.frame.filter(wrong.fill_null(value=False)).select(LINE, column)
    if rows.height:
        line, cell = rows.row(0)
        shown = cell.isoformat() if isinstance(cell, date) else repr(cell)
        more = f" ({rows.height} such cells)" if rows.height > 1 else ""
        where = place(table.path, line)
        raise import_error(where, f"column '{column}': {shown} {what}{more}; mend the cell or remove the row")
