"""From bytes to cells: what every provider's answer is checked for before a cell is read."""

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import polars as pl

from parquet_store.sources.interface import REJECTED_ROWS, WrongAnswer

__all__ = ["MISSING", "as_json", "csv_cells", "json_document", "read_cells", "refuse_mostly_unreadable"]

MISSING = ("", ".", "null")
"""How providers write a value that is missing."""

_SHOWN = 60
_UNREADABLE_ALLOWED = 5
_UNREADABLE_SHARE = 0.05


def csv_cells(body: bytes, headers: Sequence[tuple[str, ...]]) -> pl.DataFrame:
    """Return the cells of a CSV answer as text, under the names of the first of `headers`.

    Parameters
    ----------
    headers
        The header lines that are known; they mean the same.

    Raises
    ------
    WrongAnswer
        If the body is empty, a web page, not text, cut in the middle, ragged, or has another header.
    """
    text = _text(body)
    if not text.endswith("\n"):
        msg = "the answer ends in the middle of a line: half a body"
        raise WrongAnswer(msg)
    header = tuple(name.strip() for name in text.splitlines()[0].split(","))
    if header not in headers:
        expected = " or ".join(",".join(names) for names in headers)
        msg = f"the header is '{','.join(header)[:_SHOWN]}' instead of {expected}"
        raise WrongAnswer(msg)
    lines = text.splitlines()
    if any(line.count(",") != len(header) - 1 for line in lines if line.strip()):
        msg = "the lines of the answer have different numbers of cells"
        raise WrongAnswer(msg)
    cells = pl.read_csv(BytesIO(text.encode()), infer_schema=False, quote_char=None)
    filled = cells.filter(~pl.all_horizontal(pl.all().is_null())).fill_null("")
    return filled.rename(dict(zip(cells.columns, headers[0], strict=True)))


def json_document(body: bytes) -> Any:
    """Return a JSON answer.

    Raises
    ------
    WrongAnswer
        If the body is empty, a web page, or no whole JSON document.
    """
    text = _text(body)
    try:
        return json.loads(text)
    except ValueError:
        msg = f"the answer is no whole JSON document: it has {len(body):,} bytes and begins '{text[:_SHOWN]}'"
        raise WrongAnswer(msg) from None


def _text(body: bytes) -> str:
    if not body.strip():
        msg = "the answer is empty"
        raise WrongAnswer(msg)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        msg = "the answer is not text"
        raise WrongAnswer(msg) from None
    if text.lstrip()[:1] == "<":
        msg = f"the answer is a web page instead of data: '{' '.join(text.split())[:_SHOWN]}'"
        raise WrongAnswer(msg)
    return text


def read_cells(cells: pl.DataFrame, day: str, *, date_format: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read a day and numbers from text cells.

    Parameters
    ----------
    cells
        Text: the column `day`, and columns of numbers.
    date_format
        How the day is written.

    Returns
    -------
    tuple
        The rows that could be read (``date`` and the other columns as floats, missing as null), and the others, as
        `REJECTED_ROWS`.
    """
    names = [name for name in cells.columns if name != day]
    stripped = cells.with_columns(pl.all().str.strip_chars())
    rows = stripped.select(
        pl.col(day).str.to_date(date_format, strict=False).alias("date"),
        *(pl.col(name).cast(pl.Float64, strict=False) for name in names),
    )
    unread = pl.any_horizontal(~pl.col(name).is_in(MISSING) & ~_is_number(pl.col(name)) for name in names)
    wrong = stripped.select(unread).to_series() | rows["date"].is_null()
    if not wrong.any():
        return rows, pl.DataFrame(schema=dict(REJECTED_ROWS))
    reason = pl.when(pl.col("date").is_null()).then(pl.lit("the date cannot be read"))
    rejected = pl.DataFrame([rows["date"].filter(wrong), as_json(cells.filter(wrong))])
    why = reason.otherwise(pl.lit("a value is not a number")).alias("reason")
    return rows.filter(~wrong), rejected.with_columns(why)


def _is_number(cell: pl.Expr) -> pl.Expr:
    return cell.cast(pl.Float64, strict=False).is_finite().fill_null(value=False)


def as_json(rows: pl.DataFrame) -> pl.Series:
    """Return each row as a JSON object."""
    if rows.is_empty():
        return pl.Series("row", [], dtype=pl.String)
    return rows.select(pl.struct(pl.all()).struct.json_encode().alias("row")).to_series()


def refuse_mostly_unreadable(rejected: pl.DataFrame, rows: int) -> None:
    """Refuse an answer in which more than a few cells cannot be read: its format has changed.

    Raises
    ------
    WrongAnswer
        If more than five rows and more than a twentieth of all are rejected.
    """
    if rejected.height > max(_UNREADABLE_ALLOWED, _UNREADABLE_SHARE * rows):
        example: Mapping[str, Any] = rejected.row(0, named=True)
        msg = (
            f"{rejected.height} of {rows} rows cannot be read; the first is {example['row']}: {example['reason']}; "
            "the format may have changed"
        )
        raise WrongAnswer(msg)
