"""The combined credit spread model read from its description, in plain loops: what the engine is compared with.

Everything is weekly. A week's close of a series is its last value among the week's sessions; a week counts once its
last session is over. All numbers of one week are computed from the closes of that week and of those before it.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal

from tests.references.accounting import Weights, carry_out, evaluate
from tests.references.pair import Closes, Metrics

Values = Sequence[float | None]

NO_READING, UNFAVOURABLE, MIXED, FAVOURABLE = 0, 1, 2, 3


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def weeks_of(days: Sequence[date], exchange_sessions: Sequence[date]) -> list[tuple[list[int], bool]]:
    """Rows of each week, and whether the exchange's last session of the week is among them."""
    last_session = {monday_of(day): day for day in sorted(exchange_sessions)}
    weeks: dict[date, list[int]] = {}
    for row, day in enumerate(days):
        weeks.setdefault(monday_of(day), []).append(row)
    return [(rows, days[rows[-1]] == last_session[monday]) for monday, rows in weeks.items()]


def closes_of_weeks(values: Values, weeks: Sequence[tuple[list[int], bool]]) -> list[float | None]:
    """Last known value of each finished week, `None` where the week has none."""
    closes: list[float | None] = []
    for rows, finished in weeks:
        known = [values[row] for row in rows if values[row] is not None]
        if finished:
            closes.append(known[-1] if known else None)
    return closes


def exponential_average(closes: Sequence[float | None], weeks: int) -> list[float | None]:
    """Average that begins at the first close; a week without one is left out."""
    weight = 2 / (weeks + 1)
    average: float | None = None
    averages: list[float | None] = []
    for close in closes:
        if close is None:
            averages.append(None)
            continue
        average = close if average is None else average + weight * (close - average)
        averages.append(average)
    return averages


def difference(first: Sequence[float | None], second: Sequence[float | None]) -> list[float | None]:
    return [None if a is None or b is None else a - b for a, b in zip(first, second, strict=True)]


def high_yield_model(
    closes: Sequence[float | None],
    *,
    fast: int,
    slow: int,
    slow_average: Literal["of_fast_average", "of_closes"],
    change_weeks: int,
    warmup_weeks: int,
) -> list[int | None]:
    """G of each week: 1 favourable, 0 unfavourable, `None` without a reading."""
    b = exponential_average(closes, fast)
    c = exponential_average(b if slow_average == "of_fast_average" else closes, slow)
    d = difference(b, c)
    readings: list[int | None] = []
    seen = 0
    for week in range(len(closes)):
        seen += closes[week] is not None
        now = d[week]
        before = d[week - change_weeks] if week >= change_weeks else None
        if now is None or before is None or seen < warmup_weeks:
            readings.append(None)
        else:
            readings.append(0 if now > 0 and now - before > 0 else 1)
    return readings


def default_swap_model(
    closes: Sequence[float | None], *, fast: int, slow: int, sign: int, warmup_weeks: int
) -> list[int | None]:
    """1 favourable (D at or below 0), 0 unfavourable, `None` without a reading; `sign` is -1 for quotes as prices."""
    d = difference(exponential_average(closes, fast), exponential_average(closes, slow))
    readings: list[int | None] = []
    seen = 0
    for week in range(len(closes)):
        seen += closes[week] is not None
        now = d[week]
        readings.append(None if now is None or seen < warmup_weeks else int(sign * now <= 0))
    return readings


def without_rolls(values: Values, days: Sequence[date], roll_day: int) -> list[float | None]:
    """Take the change into the first value on or after each roll of March and September out of all later values."""
    removed = 0.0
    last: tuple[date, float] | None = None
    result: list[float | None] = []
    for day, value in zip(days, values, strict=True):
        if value is None:
            result.append(None)
            continue
        if last is not None:
            rolls = [date(year, month, roll_day) for year in range(last[0].year, day.year + 1) for month in (3, 9)]
            if any(last[0] < roll <= day for roll in rolls):
                removed += value - last[1]
        last = (day, value)
        result.append(value - removed)
    return result


def combined_credit_spread(
    days: Sequence[date],
    exchange_sessions: Sequence[date],
    high_yield: Values,
    default_swaps: Values,
    index: Closes,
    *,
    model: Literal["hy", "cdx", "combined"] = "combined",
    hy_fast_weeks: int = 13,
    hy_slow_weeks: int = 28,
    hy_slow_average: Literal["of_fast_average", "of_closes"] = "of_fast_average",
    hy_change_weeks: int = 2,
    cdx_fast_weeks: int = 14,
    cdx_slow_weeks: int = 25,
    cdx_quote: Literal["spread", "price"] = "spread",
    cdx_rolls: Literal["as_quoted", "removed"] = "as_quoted",
    cdx_roll_day: int = 27,
    warmup_weeks: int = 17,
    exposure_unfavourable: float = 0.0,
    exposure_mixed: float = 0.5,
    exposure_favourable: float = 1.0,
    rebalance: Literal["daily", "entry"] = "daily",
    cost: float = 0.0,
) -> tuple[list[int], list[int], Metrics]:
    """Posture wanted at each close, posture held after it, and the metrics.

    `high_yield` and `default_swaps` hold, in each row, the value that is dated by the row's session.
    """
    weeks = weeks_of(days, exchange_sessions)
    quotes = without_rolls(default_swaps, days, cdx_roll_day) if cdx_rolls == "removed" else default_swaps
    hy = high_yield_model(
        closes_of_weeks(high_yield, weeks),
        fast=hy_fast_weeks,
        slow=hy_slow_weeks,
        slow_average=hy_slow_average,
        change_weeks=hy_change_weeks,
        warmup_weeks=warmup_weeks,
    )
    cdx = default_swap_model(
        closes_of_weeks(quotes, weeks),
        fast=cdx_fast_weeks,
        slow=cdx_slow_weeks,
        sign=-1 if cdx_quote == "price" else 1,
        warmup_weeks=warmup_weeks,
    )
    week_ends = [rows[-1] for rows, finished in weeks if finished]
    wanted = []
    finished = 0
    for row in range(len(days)):
        if finished < len(week_ends) and week_ends[finished] == row:
            finished += 1
        if finished == 0:
            wanted.append(NO_READING)
            continue
        components = {"hy": [hy], "cdx": [cdx], "combined": [hy, cdx]}[model]
        answers = [component[finished - 1] for component in components]
        if None in answers:
            wanted.append(NO_READING)
        elif all(answers):
            wanted.append(FAVOURABLE)
        else:
            wanted.append(MIXED if any(answers) else UNFAVOURABLE)

    weights: list[Weights] = [
        {"^GSPC": exposure} for exposure in (0.0, exposure_unfavourable, exposure_mixed, exposure_favourable)
    ]
    closes = {"^GSPC": index}
    held = carry_out(lambda row, _: wanted[row], closes, weights, rebalance=rebalance)
    return wanted, held, evaluate(closes, weights, held, rebalance=rebalance, cost=cost)
