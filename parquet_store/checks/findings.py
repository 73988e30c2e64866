"""What a check finds, as rows of one frame."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

import polars as pl

__all__ = ["Finding", "Severity", "findings_frame"]

Severity = Literal["damage", "fault", "notice"]
"""``damage``: a file is not what was written. ``fault``: a row is wrong and belongs in quarantine. ``notice``: look
at it, it may be right."""

_COLUMNS = {
    "severity": pl.String(),
    "table": pl.String(),
    "series": pl.String(),
    "date": pl.Date(),
    "file": pl.String(),
    "what": pl.String(),
    "remedy": pl.String(),
}
_ORDER = ("damage", "fault", "notice")


@dataclass(frozen=True)
class Finding:
    """One thing that a check found: how grave, where, what, and what to do.

    Attributes
    ----------
    severity
        See `Severity`.
    table, series, date, file
        Where, as far as it applies; the file relative to the store.
    what, remedy
        A short sentence each.
    """

    severity: Severity
    table: str
    what: str
    remedy: str
    series: str | None = None
    date: dt.date | None = None
    file: str | None = None


def findings_frame(findings: Iterable[Finding]) -> pl.DataFrame:
    """Return findings as a frame, the gravest first, then by table, series, date and file."""
    frame = pl.DataFrame([asdict(finding) for finding in findings], schema=_COLUMNS)
    rank = pl.col("severity").replace_strict(_ORDER, range(len(_ORDER)), return_dtype=pl.Int8)
    return frame.sort(rank, "table", "series", "date", "file", maintain_order=True)
