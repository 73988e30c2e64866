"""Figures of the documents as people read them: fractions, counts, days and words, with the printed digits."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date

import polars as pl

from engine.studies import Figure, Value

__all__ = ["figure_text", "figures_frame", "figures_json", "interval_text"]


def figure_text(value: Value | None, decimals: int | None = None) -> str:
    """Write one value; a hyphen where there is none.

    Parameters
    ----------
    decimals
        Digits after the point for a fraction; None: as many as are told apart.
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "..".join(figure_text(part, decimals) for part in value)
    if isinstance(value, float):
        return f"{value:.6g}" if decimals is None else f"{value:.{decimals}f}"
    return value.isoformat() if isinstance(value, date) else str(value)


def interval_text(figure: Figure, decimals: int | None = None) -> str:
    """Write the interval of the tradable figure."""
    if figure.low is None and figure.high is None:
        return "-"
    return f"{figure_text(figure.low, decimals)} to {figure_text(figure.high, decimals)}"


def figures_json(figures: Iterable[Figure]) -> str:
    """Return figures as a JSON list of objects; what is not there is null, days are ISO dates, ranges are lists."""
    return json.dumps([asdict(figure) for figure in figures], default=str, indent=2, allow_nan=False)


def figures_frame(figures: Iterable[Figure]) -> pl.DataFrame:
    """Return figures as a frame of text and numbers, as CSV wants them: one column a field, in their order."""
    rows = [
        {
            **asdict(figure),
            **{name: _cell(getattr(figure, name)) for name in ("published", "reproduced", "tradable")},
        }
        for figure in figures
    ]
    texts = dict.fromkeys(("id", "published", "reproduced", "tradable"), pl.String)
    numbers = {"low": pl.Float64, "high": pl.Float64, "n": pl.Int64, "episodes": pl.Int64, "reason": pl.String}
    return pl.DataFrame(rows, schema={**texts, **numbers})


def _cell(value: Value | None) -> str | None:
    return None if value is None else repr(value) if type(value) is float else figure_text(value)
