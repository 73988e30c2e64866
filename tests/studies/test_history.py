"""What a study reads: cuts of the market, its own calendars, series in other parts."""

from datetime import date, datetime

import numpy as np
import pytest

from engine.panel import PanelError, Sample, load_panel
from engine.studies import load_market, load_periods
from kernels import rolling_mean

FIRST, LAST = date(2019, 3, 1), date(2021, 6, 30)


@pytest.mark.parametrize("warmup", ["inside", "before"])
def test_a_cut_is_what_the_panel_of_that_sample_is(simulated_store, simulated_market, warmup):
    names = ("SPY", "VIX", "BTC-USD", "BAMLH0A0HYM2@next_morning")
    history = simulated_market.history(Sample(FIRST, LAST, warmup))
    panel = load_panel(simulated_store, names, Sample(FIRST, LAST, warmup))
    assert history.panel.start == panel.start
    np.testing.assert_array_equal(history.panel.dates, panel.dates)
    for name in names:
        np.testing.assert_array_equal(history.panel.values(name), panel.values(name))


def test_nothing_before_the_sample_is_seen_with_warm_up_inside(simulated_market):
    inside = simulated_market.history(Sample(FIRST, LAST))
    before = simulated_market.history(Sample(FIRST, LAST, "before"))
    assert inside.dates.tolist() == before.dates.tolist()
    for history, known in ((inside, 0), (before, 199)):
        average = history.inside(history.panel.indicator(rolling_mean, "XLF", 200))
        assert np.sum(~np.isnan(average[:199])) == known


def test_returns_begin_with_the_second_session(simulated_market):
    history = simulated_market.history(Sample(FIRST, LAST, "before"))
    closes, returns = history.closes("SPY"), history.returns("SPY")
    assert np.isnan(returns[0])
    np.testing.assert_allclose(returns[1:], closes[1:] / closes[:-1] - 1.0, rtol=1e-12)


def test_bitcoin_has_seven_days_a_week_on_its_own_calendar(simulated_history):
    days, closes = simulated_history.own_calendar("BTC-USD")
    assert (days[0], days[-1]) == (np.datetime64("2018-01-02"), np.datetime64("2026-03-06"))
    assert len(days) == len(closes) == 2986
    assert np.all(np.diff(days).astype(int) == 1)


def test_weekend_rows_of_bond_series_are_dropped(real_market):
    days = real_market.observations["BAMLH0A0HYM2"]["date"]
    assert days.dt.weekday().max() <= 5


def test_another_series_can_take_a_part(simulated_history):
    panel = simulated_history.panel_with(VIX="VIXCLS", SPY="SPY")
    np.testing.assert_array_equal(panel.values("VIX"), simulated_history.panel.values("VIXCLS"))
    assert simulated_history.panel_with(VIX="VIX") is simulated_history.panel


def test_what_is_missing_is_named_with_the_remedy(simulated_store):
    with pytest.raises(PanelError, match=r"series NOPE is not in the store at .*engine data import FILE"):
        load_market(simulated_store, ("SPY", "NOPE"), load_periods())
    market = load_market(simulated_store, ("SPY",), load_periods(), optional=("NOPE", "VIX"))
    assert market.missing(("SPY", "NOPE@next_morning", "NOPE", "VIX")) == ("NOPE",)


def test_a_sample_without_a_session_is_refused(simulated_market):
    with pytest.raises(PanelError, match=r"holds no session with data: the store has 2005-01-03\.\.2026-03-31"):
        simulated_market.history(Sample(date(1990, 1, 1), date(1991, 1, 1)))


def test_an_earlier_moment_has_no_later_data(fresh_simulated_store):
    from datetime import UTC

    with pytest.raises(PanelError):
        load_market(fresh_simulated_store, ("SPY",), load_periods(), as_of=datetime(2000, 1, 1, tzinfo=UTC))
