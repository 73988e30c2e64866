"""The ledger of studies: every run and every figure it found, in the store, never overwritten.

A run is one row of ``study_runs``; its figures are rows of ``study_figures``. Numbers have columns of their own; days
and words stand in the columns that end in ``_words``.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from engine.studies.history import History
from engine.studies.study import Figure, Value
from engine.version import code_version
from parquet_store import Store, append_many

__all__ = ["record"]

_MOMENT = pl.Datetime("us", "UTC")
_COLUMNS = ("published", "reproduced", "tradable")
_FIGURES = pl.Schema(
    {
        "id": pl.String(),
        **{name: pl.Float64() for name in _COLUMNS},
        **{f"{name}_words": pl.String() for name in _COLUMNS},
        "low": pl.Float64(),
        "high": pl.Float64(),
        "n": pl.Int64(),
        "episodes": pl.Int64(),
        "agrees": pl.Boolean(),
        "reason": pl.String(),
    }
)


def record(
    store: Store,
    what: str,
    history: History,
    figures: Sequence[Figure],
    agreeing: Sequence[bool | None],
    *,
    begun: datetime,
    seconds: float,
    parameters: Mapping[str, Any] | None = None,
) -> str:
    """Write a run and its figures in one step, and return the run's name.

    Parameters
    ----------
    what
        ``replicate``, or the name of the study.
    history
        What was read.
    figures, agreeing
        What was found, and whether each comes out as published; None where it was not compared.
    begun, seconds
        When the run began (UTC) and how long it took.
    parameters
        What was set, by name.

    Raises
    ------
    StoreError
        The store cannot be written to.
    """
    panel, sample = history.panel, history.sample
    run_id = f"{what}-{begun.astimezone(UTC):%Y%m%dT%H%M%S%f}"
    run = pl.DataFrame(
        {
            "run_id": run_id,
            "study": what,
            "parameters": json.dumps(dict(parameters or {}), default=str),
            "first": sample.first,
            "last": sample.last,
            "sessions": panel.sessions,
            "warmup": sample.warmup,
            "as_of": panel.as_of,
            "data_seen_at": panel.seen_at,
            "data_fingerprint": panel.fingerprint(),
            "simulated": panel.simulated,
            "code_version": code_version(),
            "started_at": begun,
            "seconds": seconds,
            "figures": len(figures),
            "agreeing": sum(value is True for value in agreeing),
        },
        schema_overrides={"as_of": _MOMENT, "data_seen_at": _MOMENT, "started_at": _MOMENT},
    )
    frames = [("study_runs", run)]
    if figures:
        rows = [_row(figure, value) for figure, value in zip(figures, agreeing, strict=True)]
        found = pl.DataFrame(rows, schema=_FIGURES).select(pl.lit(run_id).alias("run_id"), pl.all())
        frames.append(("study_figures", found))
    append_many(store, frames, run_id=run_id)
    return run_id


def _row(figure: Figure, agreeing: bool | None) -> dict[str, Any]:
    values = {name: getattr(figure, name) for name in _COLUMNS}
    return {
        "id": figure.id,
        **{name: _number(value) for name, value in values.items()},
        **{f"{name}_words": _words(value) for name, value in values.items()},
        "low": figure.low,
        "high": figure.high,
        "n": figure.n,
        "episodes": figure.episodes,
        "agrees": agreeing,
        "reason": figure.reason,
    }


def _number(value: Value | None) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _words(value: Value | None) -> str | None:
    if value is None or _number(value) is not None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "..".join(str(part) for part in value)
    return value.isoformat() if isinstance(value, date) else str(value)
