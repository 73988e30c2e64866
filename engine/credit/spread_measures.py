"""Measures of the credit spread in basis points, in the documented order: high-yield OAS, then what stands in for it.

Source: credit spreads monitor, data definitions and fallback proxies. A proxy is a series of its own. It is read only
where it is asked for by name, its results have lower confidence, and the overlap with the high-yield OAS is said.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from engine.panel import Panel, PanelError, how_to_get
from kernels import change

__all__ = ["MEASURES", "REFERENCE", "Overlap", "SpreadMeasure", "overlap", "proxy_note", "spread_in_basis_points"]

Floats = NDArray[np.float64]

BASIS_POINTS = 100.0
"""In one percentage point."""

REFERENCE = "hy_oas"
"""The measure that the rules are written for."""

MEDIUM_CHANGE = 20


@dataclass(frozen=True)
class SpreadMeasure:
    """One way to measure the credit spread.

    Attributes
    ----------
    title
        What it is.
    inputs
        Series that it is made of.
    in_basis_points
        Function of the panel to float64 (rows,), higher under stress, NaN where an input is unknown.
    proxy
        Whether it stands in for the high-yield OAS, with lower confidence.
    """

    title: str
    inputs: tuple[str, ...]
    in_basis_points: Callable[[Panel], Floats]
    proxy: bool


@dataclass(frozen=True)
class Overlap:
    """How a measure and the high-yield OAS compare where both are known.

    Attributes
    ----------
    sessions
        Sessions on which both are known.
    levels, changes
        Correlation of the two levels, and of their changes over 20 sessions; NaN if there are too few.
    """

    sessions: int
    levels: float
    changes: float


def _percent(series: str) -> Callable[[Panel], Floats]:
    return lambda panel: BASIS_POINTS * panel.values(series)


def _percent_less(series: str, less: str) -> Callable[[Panel], Floats]:
    return lambda panel: BASIS_POINTS * (panel.values(series) - panel.values(less))


def _relative_return(safer: str, riskier: str) -> Callable[[Panel], Floats]:
    """Log of the safer fund's total return over the riskier one's, since the first day of the history."""
    return lambda panel: BASIS_POINTS * 100.0 * np.log(panel.values(safer) / panel.values(riskier))


MEASURES: Mapping[str, SpreadMeasure] = MappingProxyType(
    {
        REFERENCE: SpreadMeasure(
            "ICE BofA US High Yield OAS", ("BAMLH0A0HYM2",), _percent("BAMLH0A0HYM2"), proxy=False
        ),
        "ig_oas": SpreadMeasure("ICE BofA US Corporate OAS", ("BAMLC0A0CM",), _percent("BAMLC0A0CM"), proxy=True),
        "baa_minus_dgs10": SpreadMeasure(
            "Moody's Baa yield, the average of the last month, less the 10-year Treasury yield",
            ("BAA", "DGS10"),
            _percent_less("BAA", "DGS10"),
            proxy=True,
        ),
        "baa10y": SpreadMeasure(
            "Moody's Baa yield of the day less the 10-year Treasury yield", ("BAA10Y",), _percent("BAA10Y"), proxy=True
        ),
        "hyg_lqd": SpreadMeasure(
            "relative return of LQD over HYG", ("HYG", "LQD"), _relative_return("LQD", "HYG"), proxy=True
        ),
        "lqd_tlt": SpreadMeasure(
            "relative return of TLT over LQD", ("LQD", "TLT"), _relative_return("TLT", "LQD"), proxy=True
        ),
    }
)
"""All measures by the word that asks for them, in the order of preference."""


def spread_in_basis_points(panel: Panel, spread: str) -> Floats:
    """Level of a measure, float64 (rows,), NaN where unknown.

    Raises
    ------
    PanelError
        The panel lacks one of its series; the message names the measures that it could make instead.
    """
    measure = MEASURES[spread]
    missing = [name for name in measure.inputs if name not in panel.columns]
    if not missing:
        return measure.in_basis_points(panel)
    others = [name for name, other in MEASURES.items() if all(series in panel.columns for series in other.inputs)]
    are = "is" if len(missing) == 1 else "are"
    message = f"series {', '.join(missing)}, for spread = {spread!r}, {are} not in the store: {how_to_get(missing)}"
    if others:
        message += f"; or name another measure: {', '.join(others)}"
    raise PanelError(message)


def overlap(panel: Panel, spread: str) -> Overlap | None:
    """Compare a measure with the high-yield OAS; None if the panel holds none."""
    if not all(series in panel.columns for series in MEASURES[REFERENCE].inputs):
        return None
    ours, theirs = spread_in_basis_points(panel, spread), spread_in_basis_points(panel, REFERENCE)
    return Overlap(
        sessions=int((~np.isnan(ours) & ~np.isnan(theirs)).sum()),
        levels=_correlation(ours, theirs),
        changes=_correlation(change(ours, MEDIUM_CHANGE), change(theirs, MEDIUM_CHANGE)),
    )


def _correlation(a: Floats, b: Floats) -> float:
    both = ~np.isnan(a) & ~np.isnan(b)
    a, b = a[both], b[both]
    if a.size < 2 or a.min() == a.max() or b.min() == b.max():
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def proxy_note(panel: Panel, spread: str) -> str | None:
    """Sentence that must stand beside every result of a proxy; None for the high-yield OAS itself."""
    measure = MEASURES[spread]
    if not measure.proxy:
        return None
    note = f"{spread} ({measure.title}) stands in for the high-yield OAS: lower confidence"
    common = overlap(panel, spread)
    if common is None or common.sessions == 0:
        return f"{note}; there is no high-yield OAS on these sessions to compare it with"
    return (
        f"{note}; on {common.sessions:,} common sessions its level correlates {common.levels:.2f} with it, "
        f"its {MEDIUM_CHANGE}-session change {common.changes:.2f}"
    )
