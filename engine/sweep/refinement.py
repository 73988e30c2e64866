"""Sweep again, finer, where a coarse sweep is good: around its best plateau, not around its best point.

A plateau is a combination with its grid neighbours (at most one step away on every axis of numbers, the same on every
axis of words); it is worth the median of its combinations. The best of many points is the luckiest; the best of many
medians much less so.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.metrics import METRICS
from engine.sweep.evaluation import SweepError
from engine.sweep.grid import Grid, is_numeric_axis, parse_grid
from engine.sweep.plan import Plan
from engine.sweep.results import Results
from engine.sweep.run import SweepRun
from parquet_store import Store
from parquet_store.files import disk_faults_explained, make_folder, publish, write_synced

__all__ = ["Plateau", "best_plateau", "grid_text", "refined_grid", "write_refined_grid"]

LOOKED_AT = 500
"""Combinations from the top of the ranking whose surroundings are looked at first."""


@dataclass(frozen=True)
class Plateau:
    """A combination that is good together with its neighbours.

    Attributes
    ----------
    combination
        The one in the middle.
    median
        Of the ranking metric over it and its neighbours; those that never trade count as the worst.
    """

    combination: int
    median: float


def best_plateau(sweep: SweepRun) -> Plateau | None:
    """Find the plateau with the best median of the ranking metric; None if nothing trades.

    Only surroundings of the best combinations are looked at: a plateau that has none of the combinations above some
    value has a median below it. More of them are taken until the best median is above that value, which proves it best.

    Raises
    ------
    SweepError
        Not all combinations were evaluated and stored.
    """
    grid, source = sweep.plan.grid, sweep.source
    if not source.complete or sweep.run.sample is not None:
        message = (
            f"{grid.name} can be refined only where all its combinations were evaluated and stored: "
            "sweep it with --keep all and without sample in [evaluate]"
        )
        raise SweepError(message)
    metric = grid.evaluation.metric
    sign = 1.0 if next(item.higher_is_better for item in METRICS if item.name == metric) else -1.0
    looked_at = LOOKED_AT
    while True:
        near, limit = _top(source, metric, sign, looked_at)
        if not len(near):
            return None
        found = _medians(source, _surroundings(sweep.plan, near), metric, sign)
        best = found.sort("median", "combination", descending=[True, False]).row(0, named=True)
        if best["median"] >= limit or looked_at >= source.stored:
            return Plateau(int(best["combination"]), sign * float(best["median"]))
        looked_at *= 4


def refined_grid(sweep: SweepRun, plateau: Plateau, steps: int) -> Grid:
    """Return the grid over a plateau in finer steps.

    Parameters
    ----------
    plateau
        It reaches from one neighbour of its middle to the other on every axis of numbers; words stay what they are.
    steps
        Steps that take the place of one. Whole numbers stay whole.
    """
    return parse_grid(refined_content(sweep, plateau, steps), name=f"{sweep.plan.grid.name}_refined")


def write_refined_grid(store: Store, sweep: SweepRun, steps: int) -> tuple[Grid, Path, str]:
    """Write the grid around the best plateau of a sweep to ``grids/`` in the store.

    Returns
    -------
    The grid, its file, and a sentence that says around what it was made.

    Raises
    ------
    SweepError
        Nothing trades, no axis can be refined, or not all results are there.
    StoreError
        The file cannot be written.
    """
    plateau = best_plateau(sweep)
    grid = sweep.plan.grid
    if plateau is None or not any(is_numeric_axis(values) and len(values) > 1 for values in grid.axes.values()):
        what = "no combination trades" if plateau is None else "no parameter with numbers is swept"
        message = f"{grid.name} cannot be refined: {what}"
        raise SweepError(message)
    content = refined_content(sweep, plateau, steps)
    refined = refined_grid(sweep, plateau, steps)
    middle = sweep.plan.parameters(np.array([plateau.combination])).row(0, named=True)
    told = (
        f"the best plateau of {sweep.run.run_id} is around "
        + ", ".join(f"{name} {value}" for name, value in middle.items())
        + f": median {grid.evaluation.metric} {plateau.median:.3f}"
    )
    path = store.root / "grids" / f"{refined.name}-{refined.hash()[:8]}.toml"
    with disk_faults_explained(f"the refined grid {path} could not be written"):
        make_folder(path.parent)
        staged = path.with_suffix(".new")
        write_synced(staged, grid_text(content, told).encode())
        publish(staged, path)
    return refined, path, told


def refined_content(sweep: SweepRun, plateau: Plateau, steps: int) -> dict[str, Any]:
    """Content of the refined grid's file."""
    grid = sweep.plan.grid
    digits = sweep.plan.digits(np.array([plateau.combination]))[0].tolist()
    axes = {
        name: _finer(values, at, steps) if is_numeric_axis(values) else [values[at]]
        for (name, values), at in zip(grid.axes.items(), digits, strict=True)
    }
    sample = {name: getattr(grid.sample, name) for name in ("first", "last", "warmup")}
    return {
        "strategy": {"name": grid.strategy.name, **grid.fixed.model_dump(exclude_unset=True)},
        "grid": axes,
        "sample": {name: value for name, value in sample.items() if value is not None},
        "costs": grid.costs.model_dump(),
        "evaluate": {"metric": grid.evaluation.metric},
    }


def grid_text(content: Mapping[str, Any], comment: str) -> str:
    """Write the content of a grid file as TOML."""
    lines = [f"# {comment}"]
    for table, values in content.items():
        apart = {key: value for key, value in values.items() if table == "strategy" and isinstance(value, Mapping)}
        lines += ["", f"[{table}]", *(f"{key} = {_toml(value)}" for key, value in values.items() if key not in apart)]
        for key, value in apart.items():
            lines += ["", f"[{table}.{key}]", *(f"{name} = {_toml(part)}" for name, part in value.items())]
    return "\n".join(lines) + "\n"


def _top(source: Results, metric: str, sign: float, count: int) -> tuple[NDArray[np.int64], float]:
    """Return the best combinations, as many as are asked for and those equal to the last, and the value of the last."""
    signed = (pl.col(metric) * sign).alias("value")
    ranked = source.scan().filter(pl.col(metric).is_not_null(), pl.col("trades") > 0).select("combination", signed)
    last = ranked.select("value").top_k(count, by="value").collect()["value"].min()
    if last is None:
        return np.empty(0, np.int64), 0.0
    limit = float(last)  # type: ignore[arg-type]  # the least of a column of floats
    near = ranked.filter(pl.col("value") >= limit).select(pl.col("combination").cast(pl.Int64).sort()).collect()
    return near["combination"].to_numpy(), limit


def _surroundings(plan: Plan, near: NDArray[np.int64]) -> NDArray[np.int64]:
    """Combinations that have one of some others among themselves and their neighbours."""
    numbers, there = _boxes(plan, near)
    around = np.unique(numbers[there])
    return around[plan.is_feasible(around)]


def _boxes(plan: Plan, middles: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Neighbours of each combination and itself, (combinations, most neighbours), and which of them exist."""
    axes = plan.grid.axes
    reach = [(-1, 0, 1) if is_numeric_axis(values) else (0,) for values in axes.values()]
    offsets = np.array(list(itertools.product(*reach)), np.int64).reshape(-1, len(axes))
    places = plan.digits(middles)[:, None, :] + offsets[None, :, :]
    there = ((places >= 0) & (places < np.array(plan.grid.shape, np.int64))).all(axis=2)
    strides = np.array([int(np.prod(plan.grid.shape[k + 1 :], dtype=np.int64)) for k in range(len(axes))], np.int64)
    numbers: NDArray[np.int64] = np.where(there, places @ strides, -1)
    return numbers, np.asarray(there, np.bool_)


def _medians(source: Results, middles: NDArray[np.int64], metric: str, sign: float) -> pl.DataFrame:
    """Medians over the boxes of some combinations: ``combination``, ``median``."""
    numbers, there = _boxes(source.plan, middles)
    wanted = np.unique(numbers[there])
    rows = source.of(wanted)
    known = rows["combination"].to_numpy()
    values = sign * rows[metric].fill_null(np.nan).to_numpy()
    values = np.where((rows["trades"].to_numpy() > 0) & np.isfinite(values), values, -np.inf)
    at = np.searchsorted(known, numbers).clip(0, len(known) - 1)
    has_meaning = there & (known[at] == numbers)
    table = np.where(has_meaning, values[at], np.nan)
    with np.errstate(invalid="ignore"):  # the mean of two worst ones
        medians = np.nanmedian(table, axis=1)
    return pl.DataFrame({"combination": middles, "median": np.nan_to_num(medians, nan=-np.inf, neginf=-np.inf)})


def _finer(values: tuple[Any, ...], at: int, steps: int) -> dict[str, Any] | list[Any]:
    ends = values[max(at - 1, 0)], values[min(at + 1, len(values) - 1)]
    if ends[0] == ends[1]:
        return [values[at]]
    whole = all(isinstance(value, int) for value in values)
    start, stop = (Decimal(str(end)) for end in ends)
    parts = steps * (min(at + 1, len(values) - 1) - max(at - 1, 0))
    step = (stop - start) / parts
    if whole and step != step.to_integral_value():
        return sorted({round(start + step * k) for k in range(parts + 1)}, reverse=start > stop)
    if not whole and Decimal(str(float(step))) * parts != stop - start:
        return [float(round(start + step * k, 12)) for k in range(parts + 1)]
    kind = int if whole else float
    return {"start": kind(start), "stop": kind(stop), "step": kind(step)}


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(part)}" for key, part in value.items()) + " }"
    return str(value)
