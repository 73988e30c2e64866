"""The credit spreads monitor read from its description, in plain loops: what the engine is compared with.

All series are lists over the sessions, `None` where nothing was known at that close. A window of L sessions is there
once L sessions have passed since the series' first value, and holds enough if at most one session in twenty is
missing. Spreads are in basis points.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

Values = Sequence[float | None]

YEAR = 252
COVERAGE = 0.95

UNDEFINED, NORMAL, RISK_OFF, BOUNCE, INVALIDATED = 0, 1, 2, 3, 4


def change(values: Values, sessions: int) -> list[float | None]:
    changes: list[float | None] = []
    for t in range(len(values)):
        now = values[t]
        before = values[t - sessions] if t >= sessions else None
        changes.append(None if now is None or before is None else now - before)
    return changes


def window_of(values: Values, t: int, length: int) -> list[float] | None:
    """Known values of the last `length` sessions, or `None` if they are not there yet or too many are missing."""
    first = next((row for row, value in enumerate(values) if value is not None), None)
    if first is None or t - first + 1 < length:
        return None
    known = [value for value in values[t + 1 - length : t + 1] if value is not None]
    return known if len(known) >= math.ceil(COVERAGE * length) else None


def mean_rank(window: Sequence[float], value: float) -> float:
    """Place of a value among those of the window, equal values sharing the mean of their places."""
    below = sum(1 for other in window if other < value)
    equal = sum(1 for other in window if other == value)
    return below + (equal + 1) / 2


def score_at(values: Values, t: int, length: int, smallest_deviation: float, window_end: str) -> float | None:
    """Z-score of a value in its window; of its percentile where the window hardly deviates."""
    value = values[t]
    with_today = window_of(values, t, length)
    window = with_today if window_end == "today" else window_of(values, t - 1, length)
    if value is None or window is None:
        return None
    mean = math.fsum(window) / len(window)
    deviation = math.sqrt(math.fsum((x - mean) ** 2 for x in window) / (len(window) - 1))
    if deviation > smallest_deviation:
        return (value - mean) / deviation
    if with_today is None:
        return None
    return NormalDist().inv_cdf((mean_rank(with_today, value) - 0.5) / len(with_today))


def scores(values: Values, lengths: Sequence[int], smallest_deviation: float, window_end: str) -> list[float | None]:
    """Z-score over the first of the windows that is there."""
    result: list[float | None] = []
    for t in range(len(values)):
        found = (score_at(values, t, length, smallest_deviation, window_end) for length in lengths)
        result.append(next((score for score in found if score is not None), None))
    return result


def quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def winsorised(values: Values, length: int, lower: float) -> list[float | None]:
    """Each value pulled in to the percentiles of what was known by then, at most `length` sessions back."""
    result: list[float | None] = []
    for t, value in enumerate(values):
        if value is None:
            result.append(None)
            continue
        window = sorted(x for x in values[max(0, t + 1 - length) : t + 1] if x is not None)
        result.append(min(max(value, quantile(window, lower)), quantile(window, 1 - lower)))
    return result


def percentile(values: Values, lengths: Sequence[int]) -> list[float | None]:
    """Percentile rank in the last `lengths[0]` sessions, or in all there are if these are at least `lengths[1]`."""
    first = next((row for row, value in enumerate(values) if value is not None), len(values))
    result: list[float | None] = []
    for t, value in enumerate(values):
        window = [x for x in values[max(0, t + 1 - lengths[0]) : t + 1] if x is not None]
        young = t - first + 1 < lengths[1] or len(window) < math.ceil(COVERAGE * lengths[1])
        result.append(None if value is None or young else mean_rank(window, value) / len(window))
    return result


def drawdown(closes: Values, window: int) -> list[float | None]:
    result: list[float | None] = []
    for t in range(len(closes)):
        seen = closes[max(0, t + 1 - window) : t + 1]
        complete = len(seen) == window and all(x is not None for x in seen)
        result.append(closes[t] / max(seen) - 1 if complete else None)  # type: ignore[operator,type-var]
    return result


def share_above_average(sectors: Sequence[Values], window: int) -> list[float | None]:
    """Share of the sectors that close above their own average; `None` until all have one."""
    result: list[float | None] = []
    for t in range(len(sectors[0])):
        above = 0
        for closes in sectors:
            seen = closes[max(0, t + 1 - window) : t + 1]
            if len(seen) < window or any(x is None for x in seen):
                break
            above += closes[t] > math.fsum(seen) / window  # type: ignore[operator,arg-type]
        else:
            result.append(above / len(sectors))
            continue
        result.append(None)
    return result


def at_most(value: float | None, threshold: float) -> bool:
    return value is not None and value <= threshold


def at_least(value: float | None, threshold: float) -> bool:
    return value is not None and value >= threshold


@dataclass(frozen=True)
class Monitor:
    """What the monitor says at each close."""

    level_score: list[float | None]
    momentum_score: list[float | None]
    stress: list[float | None]
    rank: list[float | None]
    rules: dict[str, list[bool]]
    wanted: list[int]


def credit_spreads_monitor(
    spread: Values,
    investment_grade: Values,
    spy: Values,
    vix: Values,
    sectors: Sequence[Values],
    *,
    lookback_years: int = 5,
    short_lookback_years: int = 3,
    level_weight: float = 0.7,
    winsor_share: float = 0.01,
    smallest_deviation: float = 0.1,
    window_end: str = "today",
    short_history: str = "percentile",
    top_share: float = 0.1,
    risk_off_score: float = 1.5,
    composite_score: float = 1.5,
    composite_trigger: bool = True,
    exit_score: float = 0.5,
    bounce_score: float = 2.0,
    bounce_drawdown: float = -0.08,
    bounce_drawdown_window: int = 60,
    bounce_sessions: int = 20,
    calm_score: float = 1.0,
    vix_calm_score: float = 1.0,
    invalidation: str = "at_trigger",
    ig_benign_score: float = 1.0,
    breadth_window: int = 50,
    breadth_benign_share: float = 0.5,
    stale_sessions: int = 5,
) -> Monitor:
    """Run the monitor once."""
    lengths = (YEAR * lookback_years, YEAR * short_lookback_years)
    change5, change20 = change(spread, 5), change(spread, 20)
    level = scores(spread, lengths, smallest_deviation, window_end)
    momentum = scores(winsorised(change20, lengths[0], winsor_share), lengths, smallest_deviation, window_end)
    stress = [
        None if z is None or m is None else level_weight * z + (1 - level_weight) * m
        for z, m in zip(level, momentum, strict=True)
    ]
    rank = percentile(spread, lengths)
    vix_score = scores(vix, lengths, 0.0, window_end)
    ig_score = scores(investment_grade, lengths, smallest_deviation, window_end)
    breadth = share_above_average(sectors, breadth_window)
    below_high = drawdown(spy, bounce_drawdown_window)

    rules: Mapping[str, list[bool]] = {"risk_off": [], "reflexive_bounce": [], "non_confirmation": []}
    wanted = []
    state, left, missing = UNDEFINED, 0, 0
    for t in range(len(spread)):
        z, d5, d20 = level[t], change5[t], change20[t]
        missing = missing + 1 if spread[t] is None else 0
        short = short_history == "percentile" and window_of(spread, t, lengths[0]) is None
        stressed = at_least(rank[t], 1 - top_share) if short else at_least(z, risk_off_score)
        trigger = stressed or (composite_trigger and at_least(stress[t], composite_score))
        leave = at_most(z, exit_score) and d20 is not None and d20 < 0
        vix_calm = vix_score[t] is not None and vix_score[t] < vix_calm_score  # type: ignore[operator]
        rules["risk_off"].append(stressed and d20 is not None and d20 > 0)
        bounce = at_least(z, bounce_score) and d5 is not None and d5 < 0 and at_most(below_high[t], bounce_drawdown)
        rules["reflexive_bounce"].append(bounce)
        rules["non_confirmation"].append(z is not None and z < calm_score and d20 is not None and d20 > 0 and vix_calm)
        ig_calm = ig_score[t] is not None and ig_score[t] < ig_benign_score  # type: ignore[operator]
        benign = invalidation != "off" and ig_calm and at_least(breadth[t], breadth_benign_share)

        if state != UNDEFINED and missing >= stale_sessions:
            state = INVALIDATED
        elif z is None:
            pass  # one day without a spread decides nothing
        elif state in (RISK_OFF, BOUNCE):
            if leave:
                state = NORMAL
            elif benign and invalidation == "always":
                state = INVALIDATED
            elif state == BOUNCE and left > 1:
                left -= 1
            elif bounce and bounce_sessions > 0:
                state, left = BOUNCE, bounce_sessions
            else:
                state = RISK_OFF
        elif not trigger or leave:
            state = NORMAL
        else:
            state = INVALIDATED if benign else RISK_OFF
        wanted.append(state)
    return Monitor(level, momentum, stress, rank, dict(rules), wanted)
