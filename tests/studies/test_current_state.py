"""The last day's state, read off again in plain loops, and the documents' settings from their words."""

from datetime import date

import numpy as np
import pytest

from engine.studies import History, Market, find_study
from tests.references.pair import (
    average_falls,
    drawdown_from_high,
    moving_average,
    reclaimed,
    vix_calms,
)
from tests.references.vix_regime import rolling_floor, trending
from tests.studies.runs import figures, result_of, sample_of

LASTS = (date(2026, 3, 6), date(2020, 3, 20), date(2021, 6, 30))
"""One of them trends up, and one does not, in either market."""

SETTINGS = {
    "pair.ranges.xlf_dma": (150, 250),
    "pair.ranges.hyg_drawdown": (-0.05, -0.02),
    "pair.ranges.basket_weights": ("equal", "market_cap"),
    "pair.ranges.stop_loss": (-0.20, -0.10),
    "vix.ranges.sma_fast": (15, 25),
    "vix.ranges.sma_slow": (40, 60),
    "vix.ranges.floor_window": (15, 25),
    "vix.ranges.slope_lookback": (3, 7),
    "momentum.thresholds.crash_spread_5d": -0.025,
    "momentum.thresholds.liquidation_hyg_drawdown_20d": -0.03,
    "spread_monitor.rules.risk_off.horizon_days": (20, 60),
    "spread_monitor.rules.reflexive_bounce.horizon_days": (5, 20),
}


@pytest.fixture(scope="module", params=["simulated", pytest.param("real", marks=pytest.mark.real_data)])
def market(request: pytest.FixtureRequest) -> Market:
    found: Market = request.getfixturevalue(f"{request.param}_market")
    return found


@pytest.fixture(params=LASTS, ids=str)
def history(market: Market, request: pytest.FixtureRequest) -> History:
    return market.history(sample_of(date(2018, 1, 2), request.param))


def closes_of(history: History) -> dict[str, tuple[float, ...]]:
    return {name: tuple(history.closes(name).tolist()) for name in ("VIX", "HYG", "SPY", "XLF")}


def score(history: History, t: int) -> int:
    """The four components of the document at close t."""
    vix, hyg, spy, xlf = (history.closes(name) for name in ("VIX", "HYG", "SPY", "XLF"))
    window = vix[t - 59 : t + 1]
    extreme = (vix[t] - window.mean()) / window.std(ddof=1) > 2.0
    stressed = hyg[t] / hyg[t - 59 : t + 1].max() - 1.0 < -0.03
    declines = sum(spy[k] < spy[k - 1] for k in range(t - 9, t + 1))
    return int(extreme) + int(stressed) + int(declines >= 7) + int(xlf[t] < xlf[t - 199 : t + 1].mean())


def test_the_last_day(history: History) -> None:
    result = result_of("current_state", history)
    found = {key.removeprefix("current_state."): figure.reproduced for key, figure in figures(result).items()}
    last, hyg, vix = len(history.dates) - 1, history.closes("HYG"), history.closes("VIX")
    assert found["hyg_drawdown"] == pytest.approx(hyg[last] / hyg[last - 59 :].max() - 1.0)
    assert found["capitulation_score"] == score(history, last)
    trend = trending(tuple(vix.tolist()), 20, 50, 5, True)
    days = next(k for k in range(len(trend) + 1) if not trend[last - k])
    assert found["vix_regime_trending"] is trend[last]
    assert found["vix_regime_days"] == days
    if days:
        assert found["vix_regime_since"] == history.dates[last + 1 - days].item()
        assert found["vix_average"] == pytest.approx(sum(vix[last + 1 - days :]) / days)
    else:
        assert found["vix_regime_since"] is found["vix_average"] is None
    floor = rolling_floor(tuple(vix.tolist()), 20)
    rising = floor[last] > floor[last - 5]  # type: ignore[operator]
    said = {row["state"]: row["value"] for row in result.tables["current_state"].iter_rows(named=True)}
    assert said["vix"] == f"{vix[last]:.6g}"
    assert said["vix_floor_rises"] == ("yes" if rising else "no")
    assert said["vix_score"] == str(int(trend[last]) + int(rising))


def test_the_score_says_what_it_is_made_of(history: History) -> None:
    figure = figures(result_of("current_state", history))["current_state.capitulation_score"]
    made = str(figure.reason).split("in these data ")[1]
    parts = made.removeprefix("it is made of: ").split(", ") if made != "no component is met" else []
    assert len(parts) == figure.reproduced


def test_the_pair_conditions_of_the_last_day(history: History) -> None:
    table = result_of("current_state", history).tables["current_state.pair_conditions"]
    closes = closes_of(history)
    average, drawdown = moving_average(closes["XLF"], 200)[-1], drawdown_from_high(closes["HYG"], 60)[-1]
    fast, slow = (moving_average(closes["VIX"], n)[-1] for n in (20, 50))
    before = moving_average(closes["XLF"], 200)[-21]
    slope = average / before - 1.0  # type: ignore[operator]
    expected = [
        (closes["XLF"][-1], "<", average, closes["XLF"][-1] < average),  # type: ignore[operator]
        (slope, "<", 0.0, average_falls(closes["XLF"], 200, 20)[-1]),
        (drawdown, "<", -0.03, drawdown < -0.03),  # type: ignore[operator]
        (fast, ">", slow, fast > slow),  # type: ignore[operator]
        (None, ">=", 5.0, reclaimed(closes["XLF"], 200, 5)[-1]),
        (fast, "<", slow, vix_calms(closes, vix_fast=20, vix_slow=50)[-1]),
    ]
    assert table.height == len(expected)
    for row, (value, relation, threshold, met) in zip(table.iter_rows(named=True), expected, strict=True):
        assert (row["relation"], row["met"]) == (relation, met)
        assert row["threshold"] == pytest.approx(threshold)
        assert value is None or row["value"] == pytest.approx(value, abs=1e-12)


def test_regimes_of_both_kinds_are_tested(market: Market) -> None:
    ends = [market.history(sample_of(date(2018, 1, 2), last)) for last in LASTS]
    states = [trending(tuple(each.closes("VIX").tolist()), 20, 50, 5, True)[-1] for each in ends]
    assert len(set(states)) == 2
    assert len({int(np.sum(score(each, len(each.dates) - 1))) for each in ends}) > 1


def test_settings_are_those_of_the_documents(simulated_history: History) -> None:
    study = find_study("documented_settings")
    found = {figure.id: figure.reproduced for figure in study.run(simulated_history, study.parameters()).figures}
    assert found == SETTINGS
