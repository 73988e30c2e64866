"""The last day's state, read off again in plain loops."""

import numpy as np
import pytest

from engine.studies import find_study


@pytest.fixture(scope="module", params=["simulated", pytest.param("real", marks=pytest.mark.real_data)])
def history(request):
    return request.getfixturevalue(f"{request.param}_history")


def _score(history, t: int) -> int:
    """The four components of the document at close t."""
    vix, hyg, spy, xlf = (history.closes(name) for name in ("VIX", "HYG", "SPY", "XLF"))
    window = vix[t - 59 : t + 1]
    extreme = (vix[t] - window.mean()) / window.std(ddof=1) > 2.0
    stressed = hyg[t] / hyg[t - 59 : t + 1].max() - 1.0 < -0.03
    declines = sum(spy[k] < spy[k - 1] for k in range(t - 9, t + 1))
    return int(extreme) + int(stressed) + int(declines >= 7) + int(xlf[t] < xlf[t - 199 : t + 1].mean())


def test_the_last_day(history):
    study = find_study("current_state")
    result = study.run(history, study.parameters())
    found = {figure.id.removeprefix("current_state."): figure.reproduced for figure in result.figures}
    last = len(history.dates) - 1
    hyg, vix = history.closes("HYG"), history.closes("VIX")
    assert found["hyg_drawdown"] == pytest.approx(hyg[last] / hyg[last - 59 :].max() - 1.0)
    assert found["capitulation_score"] == _score(history, last)
    regimes = find_study("vix_regimes")
    table = regimes.run(history, regimes.parameters(least_days=1)).tables["vix.regimes"]
    row = table.row(-1, named=True)
    trending = row["last"] == history.dates[-1].item()
    assert found["vix_regime_trending"] is trending
    assert found["vix_regime_days"] == (row["days"] if trending else 0)
    assert found["vix_regime_since"] == (row["first"] if trending else None)
    if trending:
        assert found["vix_average"] == pytest.approx(np.mean(vix[last + 1 - row["days"] :]))


def test_settings_are_those_of_the_strategies(simulated_history):
    study = find_study("documented_settings")
    found = {figure.id: figure.reproduced for figure in study.run(simulated_history, study.parameters()).figures}
    assert found["pair.ranges.xlf_dma"] == (150, 250)
    assert found["spread_monitor.rules.risk_off.horizon_days"] == (20, 60)
    assert found["momentum.thresholds.crash_spread_5d"] == -0.025
    assert len(found) == 12
