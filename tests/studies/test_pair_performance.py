"""Basket and pair from dictionaries of closes, day by day."""

import itertools
from datetime import date

import numpy as np
import pytest

from engine.studies import find_study


def _slowly(history, first: date, last: date, basket, short) -> dict[str, float]:
    """Growth of each portfolio over the days from first to last, each day against the session before it."""
    days = history.dates.tolist()
    closes = {name: dict(zip(days, history.closes(name), strict=True)) for name in (*basket, short)}
    growth = {"commodities": 1.0, "software": 1.0, "pair": 1.0}
    for before, day in itertools.pairwise(days):
        if first <= day <= last:
            long = sum(closes[name][day] / closes[name][before] - 1.0 for name in basket) / len(basket)
            sold = closes[short][day] / closes[short][before] - 1.0
            growth = {
                "commodities": growth["commodities"] * (1.0 + long),
                "software": growth["software"] * (1.0 + sold),
                "pair": growth["pair"] * (1.0 + long - sold),
            }
    return {name: value - 1.0 for name, value in growth.items()}


@pytest.mark.parametrize("short", ["IGV", "QQQ"])
def test_returns_of_sample_and_periods(simulated_history, short):
    study = find_study("pair_performance")
    result = study.run(simulated_history, study.parameters(short=short))
    found = {figure.id: figure.reproduced for figure in result.figures}
    basket = ("XLE", "XLB", "XLU")
    whole = _slowly(simulated_history, date.min, date.max, basket, short)
    for name, expected in whole.items():
        assert found[f"pair.full_period.{name}.total_return"] == pytest.approx(expected, rel=1e-10)
    assert len(simulated_history.periods) == 3
    for period in simulated_history.periods:
        for name, expected in _slowly(simulated_history, period.first, period.last, basket, short).items():
            assert found[f"pair.periods.{period.name}.{name}"] == pytest.approx(expected, rel=1e-10)


def test_annual_figures_follow_from_daily_returns(simulated_history):
    study = find_study("pair_performance")
    row = (
        study.run(simulated_history, study.parameters())
        .tables["pair.full_period"]
        .filter(portfolio="spy")
        .row(0, named=True)
    )
    closes = simulated_history.closes("SPY")
    daily = closes[1:] / closes[:-1] - 1.0
    assert row["ann_return"] == pytest.approx((closes[-1] / closes[0]) ** (252 / len(daily)) - 1.0)
    assert row["ann_vol"] == pytest.approx(np.sqrt(252 * np.sum((daily - daily.mean()) ** 2) / (len(daily) - 1)))
    assert row["sharpe"] == pytest.approx(row["ann_return"] / row["ann_vol"])
