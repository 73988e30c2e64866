"""VIX regimes and the returns by regime, again in plain loops from the document's words."""

import itertools

import numpy as np
import pytest

from engine.studies import find_study

TRENDING = {"fast": 20, "slow": 50, "back": 5}


def _trending(vix: list[float]) -> list[bool]:
    """SMA20 above SMA50, and neither lower than five sessions before."""

    def average(t: int, n: int) -> float | None:
        return None if t + 1 < n else sum(vix[t + 1 - n : t + 1]) / n

    found = []
    for t in range(len(vix)):
        fast, slow = average(t, 20), average(t, 50)
        before = (average(t - 5, 20), average(t - 5, 50)) if t >= 5 else (None, None)
        if None in (fast, slow, *before):
            found.append(False)
            continue
        rising = all(round(now / then - 1.0, 12) >= 0.0 for now, then in zip((fast, slow), before, strict=True))
        found.append(fast > slow and rising)
    return found


@pytest.fixture(scope="module", params=["simulated", pytest.param("real", marks=pytest.mark.real_data)])
def history(request):
    return request.getfixturevalue(f"{request.param}_history")


def test_regimes_of_ten_days_or_more(history):
    study = find_study("vix_regimes")
    table = study.run(history, study.parameters()).tables["vix.regimes"]
    vix, spy, days = history.closes("VIX").tolist(), history.closes("SPY"), history.dates.tolist()
    expected, t = [], 0
    for trending, group in itertools.groupby(_trending(vix)):
        length = len(list(group))
        if trending and length >= 10:
            inside = vix[t : t + length]
            spy_return = spy[t + length - 1] / spy[t] - 1.0
            expected.append((days[t], days[t + length - 1], length, sum(inside) / length, max(inside), spy_return))
        t += length
    assert len(expected) == table.height > 0
    for row, wanted in zip(table.iter_rows(), expected, strict=True):
        assert row[:3] == wanted[:3]
        assert row[3:] == pytest.approx(wanted[3:], rel=1e-9)


def test_returns_by_regime_same_day_and_traded(history):
    study = find_study("vix_returns")
    result = study.run(history, study.parameters())
    figures = {figure.id.removeprefix("vix.returns_by_regime."): figure for figure in result.figures}
    spy, trending = history.closes("SPY").tolist(), _trending(history.closes("VIX").tolist())
    for name, wanted in (("trending_up", True), ("normal", False)):
        same = [spy[t] / spy[t - 1] - 1.0 for t in range(1, len(spy)) if trending[t] is wanted]
        traded = [spy[t + 2] / spy[t + 1] - 1.0 for t in range(len(spy) - 2) if trending[t] is wanted]
        assert figures[f"{name}.days"].reproduced == len(same)
        assert figures[f"{name}.ann_return"].reproduced == pytest.approx(252 * np.mean(same))
        assert figures[f"{name}.ann_vol"].reproduced == pytest.approx(np.std(same, ddof=1) * 252**0.5)
        assert figures[f"{name}.ann_return"].tradable == pytest.approx(252 * np.mean(traded))
        assert figures[f"{name}.ann_vol"].tradable == pytest.approx(np.std(traded, ddof=1) * 252**0.5)
        assert figures[f"{name}.ann_return"].n == len(traded)
        assert figures[f"{name}.ann_return"].low < 252 * np.mean(traded) < figures[f"{name}.ann_return"].high
        ratio = figures[f"{name}.sharpe"]
        assert ratio.tradable == pytest.approx(np.mean(traded) / np.std(traded, ddof=1) * 252**0.5)
        assert ratio.low < ratio.tradable < ratio.high
    assert figures["trending_up.pct_of_days"].reproduced == pytest.approx(sum(trending) / len(spy))


def test_the_floor_rises_where_its_minimum_does(history):
    study = find_study("vix_returns")
    table = study.run(history, study.parameters()).tables["vix.returns_by_floor"]
    vix, spy = history.closes("VIX").tolist(), history.closes("SPY").tolist()
    floor = [min(vix[t - 19 : t + 1]) if t >= 19 else None for t in range(len(vix))]
    rising = [t >= 24 and floor[t] > floor[t - 5] for t in range(len(vix))]
    traded = [spy[t + 2] / spy[t + 1] - 1.0 for t in range(len(spy) - 2) if rising[t]]
    row = table.filter(state="rising").row(0, named=True)
    assert row["n"] == len(traded)
    assert row["ann_return"] == pytest.approx(252 * np.mean(traded))
    assert row["days"] == sum(rising[1:])


def test_the_seed_is_part_of_the_result(simulated_history):
    study = find_study("vix_returns")
    one, same, other = (study.run(simulated_history, study.parameters(seed=seed)).figures for seed in (0, 0, 1))
    assert one == same
    assert one != other
    assert [figure.tradable for figure in one] == [figure.tradable for figure in other]
