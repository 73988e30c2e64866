"""Strategies that look ahead on purpose, each in one way, for the tests of the audit.

They read HY, a series with gaps, and trade FUND. But for the condition, number or weight that leaks, they are alike and
honest.
"""

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from pydantic import ConfigDict, PlainSerializer

from engine.compiled import jit
from engine.panel import NEXT_MORNING, Panel, Sample
from engine.parameters import parameter
from engine.strategies import Condition, Parameters, Reading, Strategy
from engine.strategies.conditions import above, below
from engine.sweep import Costs, Grid, grid_of_one
from kernels import rolling_mean

Floats = NDArray[np.float64]

SESSIONS = 600
MORNING = "HY" + NEXT_MORNING


class SeenLater:
    """A number that is only known at the end: it is read from the last panel that a condition looked at."""

    panel: Panel | None = None

    def __float__(self) -> float:
        assert SeenLater.panel is not None
        return float(np.nanmin(SeenLater.panel.values("FUND")) / SeenLater.panel.values("FUND")[0] - 1.0)


class LeakingParameters(Parameters):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    window: int = parameter(20, ge=2, unit="sessions", meaning="length of the average", source="test")
    stop_loss: float | Annotated[SeenLater, PlainSerializer(float)] = parameter(
        -0.03, unit="fraction", meaning="exit", source="test"
    )


@jit
def decide(rule: "LeakingRule", state: int, held_return: float, code: int) -> int:
    if state == 1 and held_return <= rule.stop_loss:
        return 0
    return 1 if code & 1 else 0


class LeakingRule(NamedTuple):
    stop_loss: float

    decide = decide


def honest(panel: Panel, window: int) -> Reading:
    SeenLater.panel = panel
    return below(panel.indicator(rolling_mean, "HY", window), 4.5)


def honest_on_the_morning_after(panel: Panel) -> Reading:
    """What is known before the next session opens, in time for its close."""
    return below(panel.values(MORNING), 4.5)


def centred_window(panel: Panel) -> Reading:
    beyond = np.full(5, np.nan)
    padded = np.concatenate([beyond, panel.values("HY"), beyond])
    return below(sliding_window_view(padded, 11).mean(axis=1), 4.5)


def negative_shift(panel: Panel) -> Reading:
    """The change over the five rows that follow."""
    values = panel.values("HY")
    later = np.append(values, np.full(5, np.nan))[5:]
    return above(later - values, 0.0)


def tomorrow(panel: Panel) -> Reading:
    return below(np.append(panel.values("HY")[1:], np.nan), 4.5)


def tomorrow_only_in_the_verdict(panel: Panel) -> Reading:
    reading = below(panel.values("HY"), 4.5)
    return replace(reading, met=np.append(reading.met[1:], False))


def tomorrow_unless_there_is_none(panel: Panel) -> Reading:
    """Falls back on today's value at the end of the data, as careful code would."""
    values = panel.values("HY")
    return below(np.append(values[1:], values[-1]), 4.5)


def whole_sample_score(panel: Panel) -> Reading:
    values = panel.values("HY")
    known = values[~np.isnan(values)]
    spread = known.std() if known.size else np.nan
    return below((values - known.sum() / max(known.size, 1)) / (spread or np.nan), 0.0)


def whole_sample_threshold(panel: Panel) -> Reading:
    values = panel.values("HY")
    return below(values, np.median(values[~np.isnan(values)]) if not np.isnan(values).all() else np.nan)


def filled_backwards(panel: Panel) -> Reading:
    values = panel.values("HY").copy()
    for t in range(len(values) - 2, -1, -1):
        if np.isnan(values[t]):
            values[t] = values[t + 1]
    return below(values, 4.5)


def interpolated(panel: Panel) -> Reading:
    """A gap becomes a straight line to the value that ends it."""
    values = panel.values("HY")
    rows = np.arange(len(values))
    known = ~np.isnan(values)
    return below(np.interp(rows, rows[known], values[known]) if known.any() else values, 4.5)


def last_row_of_the_week_by_what_follows(panel: Panel) -> Reading:
    """The weekly close, found by looking whether the next row lies in another week."""
    weeks = (panel.dates.astype(np.int64) + 3) // 7
    last = np.append(weeks[1:] != weeks[:-1], True)
    return below(np.where(last, panel.values("HY"), np.nan), 4.5)


def half(held: float = 0.5) -> Callable[..., Floats]:
    return lambda: np.array([[0.0], [held]])


def weight_by_whole_sample_risk() -> Floats:
    assert SeenLater.panel is not None
    return np.array([[0.0], [0.01 / np.std(np.diff(np.log(SeenLater.panel.values("FUND"))))]])


def strategy(
    condition: Callable[..., Reading] = honest, target_weights: Callable[..., Floats] | None = None
) -> Strategy:
    return Strategy(
        name="leaking",
        title="A strategy of the tests",
        source="test",
        parameters=LeakingParameters,
        inputs=("HY", MORNING),
        legs=("FUND",),
        conditions=(Condition("HY is calm", condition),),
        rule=LeakingRule,
        postures=("flat", "held"),
        target_weights=target_weights or half(),
    )


def grid(one: Strategy, **values: object) -> Grid:
    return grid_of_one(one, values, sample=Sample(), costs=Costs(commission_bps=1.0))


def market(*, gaps: bool = True) -> Panel:
    """Return a market of one fund and one spread, which has a late start and, if wanted, gaps."""
    random = np.random.default_rng(11)
    dates = np.busday_offset("2019-01-01", np.arange(SESSIONS), roll="forward").astype("datetime64[D]")
    calm = np.zeros(SESSIONS + 1)
    for t in range(1, SESSIONS + 1):
        calm[t] = 0.9 * calm[t - 1] + random.normal(0.0, 0.05)
    spread = 4.5 * np.exp(calm)
    if gaps:
        spread[:30] = np.nan
        for start in (100, 250, 400):
            spread[start : start + 3] = np.nan
    fund = 100.0 * np.exp(np.cumsum(random.normal(0.0, 0.01, SESSIONS)))
    columns = {"HY": spread[:-1], MORNING: spread[1:], "FUND": fund}
    for values in columns.values():
        values.flags.writeable = False
    return Panel(dates, MappingProxyType(columns), 0, None, None, simulated=True)
