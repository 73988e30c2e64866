"""Ratios as lines of text."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.kernels.measure import against
from benchmarks.kernels.table import ROWS

LIBRARIES = ("bottleneck", "talib", "numbagg", "pandas", "polars", "rank alone")


def speed_table(measured: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Return the table in Markdown: our time a value, each library's ratio, and the targets with what they miss."""
    yield "| kernel | ns a value | " + " | ".join(LIBRARIES) + " | targets |"
    yield "|---" * (len(LIBRARIES) + 3) + "|"
    for row in ROWS:
        if row.name not in measured:
            continue
        ratios = measured[row.name]["ratios"]
        cells = [f"{ratios[library]:.2f}" if library in ratios else "" for library in LIBRARIES]
        verdicts = []
        for target, least in row.targets.items():
            reached = against(target, ratios)
            verdicts.append(f"{target} {least:.3g}: " + ("met" if reached >= least else f"missed, {reached:.2f}"))
        time = f"{measured[row.name]['nanoseconds']:.2f}"
        yield "| " + " | ".join([row.name, time, *cells, "; ".join(verdicts)]) + " |"


def accuracy_table(measured: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """Return the largest errors in Markdown; a result that is NaN is infinitely wrong."""
    libraries = list(next(iter(measured.values())))
    yield "| series | " + " | ".join(libraries) + " |"
    yield "|---" * (len(libraries) + 1) + "|"
    for name, errors in measured.items():
        yield f"| {name} | " + " | ".join(f"{errors[library]:.0e}" for library in libraries) + " |"
