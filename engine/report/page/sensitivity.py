"""How much a metric depends on each parameter of a grid: medians and bands along the axes, medians over the planes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from engine.sweep.grid import is_numeric_axis

__all__ = ["AxisEffect", "axis_effects", "plane_medians"]


@dataclass(frozen=True)
class AxisEffect:
    """What one axis of the grid does to a metric.

    Attributes
    ----------
    name
        The parameter.
    values
        Its values, in the order of the grid.
    numeric
        Whether they are numbers; otherwise words.
    explained
        Share of the variance of the metric over all combinations that lies between the means of the axis's values
        (the correlation ratio): 1 if nothing else matters, 0 if the axis alone tells nothing.
    along
        One row for each value with any result: ``place`` on the axis, ``low``, ``median``, ``high`` (quantiles 5%,
        50% and 95%) and ``trials``.
    """

    name: str
    values: tuple[Any, ...]
    numeric: bool
    explained: float
    along: pl.DataFrame


def axis_effects(traded: pl.DataFrame, axes: Mapping[str, Sequence[Any]], metric: str) -> tuple[AxisEffect, ...]:
    """Look along each axis of a grid that has more than one value; those that explain most come first.

    Parameters
    ----------
    traded
        Results of a sweep: ``combination`` and the metric. Rows without a value are left out.
    axes
        The grid.
    metric
        The column looked at.
    """
    known = _places(traded.filter(pl.col(metric).is_finite()), axes)
    values = known[metric].to_numpy()
    total = values.var() if len(values) else 0.0
    effects = []
    for name, axis in axes.items():
        if len(axis) < 2 or known.is_empty():
            continue
        along = (
            known.group_by(pl.col(name).alias("place"))
            .agg(
                pl.col(metric).quantile(0.05, "linear").alias("low"),
                pl.col(metric).median().alias("median"),
                pl.col(metric).quantile(0.95, "linear").alias("high"),
                pl.col(metric).mean().alias("mean"),
                pl.len().alias("trials"),
            )
            .sort("place")
        )
        between = np.average((along["mean"].to_numpy() - values.mean()) ** 2, weights=along["trials"].to_numpy())
        explained = float(between / total) if total > 0.0 else 0.0
        effects.append(AxisEffect(name, tuple(axis), is_numeric_axis(axis), explained, along.drop("mean")))
    return tuple(sorted(effects, key=lambda effect: -effect.explained))


def plane_medians(
    traded: pl.DataFrame,
    axes: Mapping[str, Sequence[Any]],
    metric: str,
    plane: tuple[str, str],
    facets: Sequence[str],
    *,
    most: int,
) -> pl.DataFrame:
    """Medians of a metric over a plane of the grid, over all other axes.

    Parameters
    ----------
    traded, axes, metric
        See `axis_effects`.
    plane
        The two axes of the plane.
    facets
        Axes along which planes are kept apart.
    most
        Cells along an axis at the most; longer axes have several values to a cell.

    Returns
    -------
    ``x`` and ``y`` (the first place on the axis that the cell stands for), one column a facet with the place on its
    axis, ``median`` and ``trials``. Cells without a value have no row.
    """
    known = _places(traded.filter(pl.col(metric).is_finite()), axes)
    x, y = (
        (pl.col(name) // width * width).alias(side)
        for side, name, width in (
            (side, name, cell_width(axes[name], most)) for side, name in zip("xy", plane, strict=True)
        )
    )
    return (
        known.group_by(x, y, *facets)
        .agg(pl.col(metric).median().alias("median"), pl.len().alias("trials"))
        .sort(*facets, "y", "x")
    )


def cell_width(values: Sequence[Any], most: int) -> int:
    """How many values of an axis share a cell."""
    return math.ceil(len(values) / most)


def _places(results: pl.DataFrame, axes: Mapping[str, Sequence[Any]]) -> pl.DataFrame:
    """Replace the parameters by their places on the axes, which follow from the number of the combination."""
    places, step = [], 1
    for name, values in reversed(list(axes.items())):
        places.append((pl.col("combination") // step % len(values)).cast(pl.Int64).alias(name))
        step *= len(values)
    return results.with_columns(places)
