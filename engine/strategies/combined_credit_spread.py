"""Combined credit spread model: S&P 500 exposure by two weekly models of high-yield credit.

Source: the combined credit spread model. Each component is favourable or unfavourable at a weekly close:

* *High-yield OAS.* A = weekly close of the ICE BofA US High Yield OAS, B = its 13-week exponential average, C = a
  28-week one, D = B - C, F = D less D two weeks before. Unfavourable when D and F are both above 0.
* *CDX.* A = weekly close of the CDX high-yield index, B and C = its 14- and 25-week exponential averages, D = B - C.
  Unfavourable when D is above 0.

The score counts the favourable ones: 0, 1 or 2. ``model`` chooses one component instead: its score is 0 or 2.

A week is closed by the last value among its sessions. The value of the last session is published on the next morning,
so the state of a week is decided for the close of the first session of the next week and owns the return from there.
A week without any value has no reading, and neither has F while it reaches back to one; nothing is held without a
reading. The leg is the S&P 500 index itself, as in the document: it pays no dividends.
"""

from datetime import date
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compiled import jit
from engine.panel import NEXT_MORNING, Panel, PanelError
from engine.parameters import parameter
from engine.strategies.conditions import Condition, Reading, above, at_least
from engine.strategies.parameters import Parameters
from engine.strategies.strategy import Ambiguity, Strategy
from engine.weeks import carry_weekly, weekly_values
from kernels import change, ema

__all__ = ["STRATEGY", "CombinedCreditSpreadParameters", "without_roll_jumps"]

SOURCE = "the combined credit spread model"

HIGH_YIELD = "BAMLH0A0HYM2" + NEXT_MORNING
CDX = "CDX_NA_HY_5Y" + NEXT_MORNING
LEG = "^GSPC"

# Bits of the code, in the order of the conditions below.
HY_READING, HY_UNFAVOURABLE = 0b00001, 0b00110
CDX_READING, CDX_UNFAVOURABLE = 0b01000, 0b10000

NO_READING, UNFAVOURABLE, MIXED, FAVOURABLE = 0, 1, 2, 3
ONLY_HY, ONLY_CDX = 0.0, 1.0

ROLL_MONTHS = (3, 9)
PRICE_OR_SPREAD = 150.0
"""A high-yield index has never been quoted above this price, nor at a spread below this many basis points."""
SMALLEST_JUMP = 1e-6
"""Less than this is rounding: no quote has so many decimals."""

Floats = NDArray[np.float64]


def _weeks(default: int, meaning: str, source: str = SOURCE) -> Any:
    return parameter(default, ge=1, le=520, unit="weeks", meaning=meaning, source=source)


def _exposure(default: float, meaning: str) -> Any:
    return parameter(default, ge=-2, le=2, unit="fraction", meaning=meaning, source="this engine")


class CombinedCreditSpreadParameters(Parameters):
    """Parameters of the combined model. The document gives one value for each span and no ranges."""

    model: Literal["hy", "cdx", "combined"] = parameter(
        "combined",
        documented=("hy", "cdx", "combined"),
        unit="choice",
        meaning="which component is read, or their sum",
        source=SOURCE,
    )
    hy_fast_weeks: int = _weeks(13, "span of the fast average of the OAS")
    hy_slow_weeks: int = _weeks(28, "span of the slow average of the OAS")
    hy_slow_average: Literal["of_fast_average", "of_closes"] = parameter(
        "of_fast_average",
        documented=("of_fast_average", "of_closes"),
        unit="choice",
        meaning="what the slow average of the OAS is taken of",
        source=SOURCE,
    )
    hy_change_weeks: int = _weeks(2, "span of the change F of the averages' difference")
    cdx_fast_weeks: int = _weeks(14, "span of the fast average of CDX")
    cdx_slow_weeks: int = _weeks(25, "span of the slow average of CDX")
    cdx_quote: Literal["spread", "price"] = parameter(
        "spread",
        unit="choice",
        meaning="how CDX is quoted: a spread in basis points rises with risk, a price falls",
        source="this engine",
    )
    cdx_rolls: Literal["as_quoted", "removed"] = parameter(
        "as_quoted",
        unit="choice",
        meaning="whether the jump of the on-the-run quote at a roll is left in or taken out",
        source="this engine",
    )
    cdx_roll_day: int = parameter(
        27,
        ge=1,
        le=30,
        unit="day of the month",
        meaning="day of the rolls of March and September",
        source="Markit index rules",
    )
    warmup_weeks: int = _weeks(17, "weekly closes before a component is read", "the published sample's first week")
    exposure_unfavourable: float = _exposure(0.0, "S&P 500 held when every component read is unfavourable")
    exposure_mixed: float = _exposure(0.5, "S&P 500 held when one of two components is unfavourable")
    exposure_favourable: float = _exposure(1.0, "S&P 500 held when every component read is favourable")


@jit
def decide(rule: "CombinedCreditSpreadRule", _state: int, _held_return: float, code: int) -> int:
    """Return the state wanted from the next close on; see `engine.strategies.strategy`."""
    reads_hy, reads_cdx = rule.model != ONLY_CDX, rule.model != ONLY_HY
    if (reads_hy and not code & HY_READING) or (reads_cdx and not code & CDX_READING):
        return NO_READING
    hy_unfavourable = reads_hy and (code & HY_UNFAVOURABLE) == HY_UNFAVOURABLE
    cdx_unfavourable = reads_cdx and code & CDX_UNFAVOURABLE != 0
    if not hy_unfavourable and not cdx_unfavourable:
        return FAVOURABLE
    favourable = (reads_hy and not hy_unfavourable) or (reads_cdx and not cdx_unfavourable)
    return MIXED if favourable else UNFAVOURABLE


class CombinedCreditSpreadRule(NamedTuple):
    """The numbers that `decide` reads at each close."""

    model: float

    decide = decide  # type: ignore[misc]  # a compiled function, not a field


def hy_has_reading(
    panel: Panel,
    model: str,
    hy_slow_average: str,
    hy_change_weeks: int,
    hy_fast_weeks: int,
    hy_slow_weeks: int,
    warmup_weeks: int,
) -> Reading:
    """Enough weekly closes of the OAS are known, and those that F compares are among them."""
    if model != "cdx":
        panel.values(HIGH_YIELD)  # says what to do if it is not there
    growth = _hy_growth(panel, hy_slow_average, hy_change_weeks, hy_fast_weeks, hy_slow_weeks)
    return _has_reading(panel, _hy_closes(panel), growth, warmup_weeks)


def hy_averages_diverge(panel: Panel, hy_slow_average: str, hy_fast_weeks: int, hy_slow_weeks: int) -> Reading:
    """D is above 0, in percentage points."""
    return above(carry_weekly(panel, _hy_difference(panel, hy_slow_average, hy_fast_weeks, hy_slow_weeks)), 0.0)


def hy_divergence_grows(
    panel: Panel, hy_slow_average: str, hy_change_weeks: int, hy_fast_weeks: int, hy_slow_weeks: int
) -> Reading:
    """F is above 0, in percentage points."""
    growth = _hy_growth(panel, hy_slow_average, hy_change_weeks, hy_fast_weeks, hy_slow_weeks)
    return above(carry_weekly(panel, growth), 0.0)


def cdx_has_reading(
    panel: Panel, model: str, cdx_quote: str, cdx_rolls: str, cdx_roll_day: int, warmup_weeks: int
) -> Reading:
    """Enough weekly closes of CDX are known, this week's among them."""
    if model != "hy":
        _check_quote(panel.values(CDX), cdx_quote)
    closes = _cdx_closes(panel, cdx_quote, cdx_rolls, cdx_roll_day)
    return _has_reading(panel, closes, closes, warmup_weeks)


def cdx_averages_diverge(
    panel: Panel, cdx_quote: str, cdx_rolls: str, cdx_roll_day: int, cdx_fast_weeks: int, cdx_slow_weeks: int
) -> Reading:
    """D is above 0, in basis points, or in points of price with the sign turned."""
    closes = _cdx_closes(panel, cdx_quote, cdx_rolls, cdx_roll_day)
    return above(carry_weekly(panel, ema(closes, cdx_fast_weeks) - ema(closes, cdx_slow_weeks)), 0.0)


def _has_reading(panel: Panel, closes: Floats, looked_at: Floats, warmup_weeks: int) -> Reading:
    """Count the weekly closes known so far, where what the model looks at is defined."""
    count = np.cumsum(~np.isnan(closes)).astype(np.float64)
    return at_least(carry_weekly(panel, np.where(np.isnan(looked_at), np.nan, count)), warmup_weeks)


def _values(panel: Panel, series: str) -> Floats:
    """One series, or nothing known of it: the component that needs it may not be asked for."""
    return panel.columns.get(series, np.full(len(panel.dates), np.nan))


def _hy_closes(panel: Panel) -> Floats:
    return weekly_values(panel, _values(panel, HIGH_YIELD))


def _hy_difference(panel: Panel, slow_average: str, fast: int, slow: int) -> Floats:
    closes = _hy_closes(panel)
    fast_average = ema(closes, fast)
    return fast_average - ema(fast_average if slow_average == "of_fast_average" else closes, slow)


def _hy_growth(panel: Panel, slow_average: str, change_weeks: int, fast: int, slow: int) -> Floats:
    return change(_hy_difference(panel, slow_average, fast, slow), change_weeks)


def _cdx_closes(panel: Panel, quote: str, rolls: str, roll_day: int) -> Floats:
    values = _values(panel, CDX)
    if rolls == "removed":
        values = without_roll_jumps(panel.dates, values, roll_day)
    closes = weekly_values(panel, values)
    return -closes if quote == "price" else closes


def without_roll_jumps(dates: NDArray[np.datetime64], values: Floats, roll_day: int) -> Floats:
    """Take the change into the first value on or after each roll out of that value and all later ones.

    The market's own move of that day goes with it: the two cannot be told apart.

    Parameters
    ----------
    dates
        ``datetime64[D]``, ascending.
    values
        An on-the-run quote, float64 of the same length; NaN where unknown, and NaN in the result.
    roll_day
        Day of March and September on which a new series becomes the one that is quoted.
    """
    known = np.flatnonzero(~np.isnan(values))
    rolls = np.searchsorted(_roll_dates(dates, roll_day), dates[known], side="right")  # rolls up to each value
    changes = np.diff(values[known], prepend=0.0)
    changes[np.diff(rolls, prepend=rolls[:1]) > 0] = 0.0
    result = np.full_like(values, np.nan)
    result[known] = np.cumsum(changes)
    return result


def _roll_dates(dates: NDArray[np.datetime64], roll_day: int) -> NDArray[np.datetime64]:
    years = range(dates[0].item().year, dates[-1].item().year + 1)
    return np.array([date(year, month, roll_day) for year in years for month in ROLL_MONTHS], "datetime64[D]")


def _check_quote(values: Floats, quote: str) -> None:
    """Refuse a spread called a price, and a price called a spread: either would turn the signal around."""
    known = values[~np.isnan(values)]
    if known.size and (known[0] > PRICE_OR_SPREAD) != (quote == "spread"):
        other = "price" if quote == "spread" else "spread"
        message = (
            f"CDX begins at {known[0]:g}, which is no {quote}: set cdx_quote = {other!r}, "
            "or import the series in basis points"
        )
        raise PanelError(message)


def target_weights(
    exposure_unfavourable: float, exposure_mixed: float, exposure_favourable: float
) -> NDArray[np.float64]:
    """Fractions of equity in the index by posture."""
    return np.array([[0.0], [exposure_unfavourable], [exposure_mixed], [exposure_favourable]])


def feasible(hy_fast_weeks: int, hy_slow_weeks: int, cdx_fast_weeks: int, cdx_slow_weeks: int) -> bool:
    """Tell whether the fast averages are the faster ones."""
    return hy_fast_weeks < hy_slow_weeks and cdx_fast_weeks < cdx_slow_weeks


def notes(panel: Panel, model: str, cdx_rolls: str, cdx_roll_day: int) -> str | None:
    """Say what the rolls add to an on-the-run quote of CDX."""
    values = _values(panel, CDX)
    jumps = np.diff(values - without_roll_jumps(panel.dates, values, cdx_roll_day))
    jumps = jumps[np.abs(jumps) > SMALLEST_JUMP]
    if model == "hy" or cdx_rolls == "removed" or not jumps.size:
        return None
    return (
        f"CDX is the on-the-run quote: at {jumps.size} rolls of March and September it moved by {jumps.mean():+.1f} on "
        "average, which counts as news; cdx_rolls = 'removed' takes it out"
    )


STRATEGY = Strategy(
    name="combined_credit_spread",
    title="Combined credit spread model: S&P 500 by high-yield OAS and CDX",
    source=SOURCE,
    parameters=CombinedCreditSpreadParameters,
    inputs=(),
    optional_inputs=(HIGH_YIELD, CDX),
    legs=(LEG,),
    conditions=(
        Condition("enough weekly closes of the high-yield OAS are known", hy_has_reading),
        Condition("the fast average of the high-yield OAS is above the slow one", hy_averages_diverge),
        Condition("the difference of the two averages has grown", hy_divergence_grows),
        Condition("enough weekly closes of CDX are known", cdx_has_reading),
        Condition("the fast average of CDX is above the slow one", cdx_averages_diverge),
    ),
    rule=CombinedCreditSpreadRule,
    postures=("no reading", "unfavourable", "mixed", "favourable"),
    target_weights=target_weights,
    always=FAVOURABLE,
    feasible=feasible,
    notes=notes,
    stand_ins=({"model": "hy"}, {"model": "cdx"}),
    ambiguities=(
        Ambiguity(
            parameter="hy_slow_average",
            text="C is the 28-week average of B in the formula, and of A where the rule is put in words.",
            readings={
                "of_fast_average": "The average of B, as in the formula.",
                "of_closes": "The average of A, as in the words. Both readings give D, and F, of the same sign.",
            },
            chosen="of_fast_average",
        ),
        Ambiguity(
            parameter="cdx_quote",
            text="The document's CDX index rises with risk; dealers quote its high-yield form as a price, which falls.",
            readings={
                "spread": "Basis points over Treasuries.",
                "price": "Percent of par: D is taken with the sign turned.",
            },
            chosen="spread",
        ),
        Ambiguity(
            parameter="cdx_rolls",
            text="The document does not say how it treats the change of the quoted series in March and September.",
            readings={
                "as_quoted": "The on-the-run quote as it stands: the longer term of the new series looks like stress.",
                "removed": "The change into the first quote of the new series is taken out.",
            },
            chosen="as_quoted",
        ),
        Ambiguity(
            parameter="exposure_mixed",
            text="The document calls a score of 1 a mixed signal and does not say what to hold.",
            readings={"0.5": "Half of what is held when both are favourable.", "1.0": "Only a score of 0 leaves."},
            chosen="0.5",
        ),
    ),
)
