"""Both conventions against loops written from their descriptions."""

from datetime import date, timedelta

import numpy as np
import pytest

from engine.studies import timing


@pytest.fixture
def closes() -> np.ndarray:
    steps = np.random.default_rng(3).normal(0.0, 0.02, 60)
    values = 100.0 * np.exp(np.cumsum(steps))
    values[17] = np.nan
    return values


def test_the_published_conventions(closes):
    for t in range(60):
        same = closes[t] / closes[t - 1] - 1.0 if t else np.nan
        later = closes[t + 5] / closes[t] - 1.0 if t + 5 < 60 else np.nan
        assert timing.same_day(closes)[t] == pytest.approx(same, nan_ok=True)
        assert timing.close_to_close(closes, 5)[t] == pytest.approx(later, nan_ok=True)


@pytest.mark.parametrize("horizon", [1, 5, 21, 70])
def test_what_is_known_at_a_close_is_traded_at_the_next(closes, horizon):
    for t in range(60):
        day = closes[t + 2] / closes[t + 1] - 1.0 if t + 2 < 60 else np.nan
        forward = closes[t + 1 + horizon] / closes[t + 1] - 1.0 if t + 1 + horizon < 60 else np.nan
        assert timing.traded_day(closes)[t] == pytest.approx(day, nan_ok=True)
        assert timing.traded_forward(closes, horizon)[t] == pytest.approx(forward, nan_ok=True)


def test_a_published_window_begins_with_the_signal_day_and_may_be_cut_short(closes):
    returns = timing.same_day(closes)
    for t in range(60):
        window = [value for value in returns[t : t + 22] if not np.isnan(value)]
        expected = np.prod([1.0 + value for value in window]) - 1.0 if len(window) >= 11 else np.nan
        assert timing.window_from_signal_day(returns, 22, 11)[t] == pytest.approx(expected, nan_ok=True)


def test_calendar_days_are_counted_from_the_day_after_the_signal():
    days = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
    values = np.linspace(1.0, 2.0, len(days))
    days, values = np.delete(days, 12), np.delete(values, 12)  # 2024-01-13 is missing
    bars = dict(zip(days.tolist(), values, strict=True))
    signals = np.array(["2024-01-05", "2024-01-12", "2023-12-14", "2024-01-29", "2024-01-31"], "datetime64[D]")
    found = timing.traded_calendar_days(signals, days, values, 30)
    for signal, value in zip(signals.tolist(), found, strict=True):
        bought, sold = bars.get(signal + timedelta(1)), bars.get(signal + timedelta(31))
        expected = sold / bought - 1.0 if bought and sold else np.nan
        assert value == pytest.approx(expected, nan_ok=True)
    assert np.isnan(found).tolist() == [False, True, True, False, True]


def test_weeks_are_labelled_by_friday_and_traded_from_first_close_to_first_close():
    sessions = [date(2024, 1, 4), date(2024, 1, 5), date(2024, 1, 8), date(2024, 1, 12)]  # a Thursday first
    sessions += [date(2024, 1, 16), date(2024, 1, 18), date(2024, 1, 22)]  # the week begins on a Tuesday
    dates = np.array(sessions, "datetime64[D]")
    closes = np.array([100.0, 101.0, 103.0, 104.0, 107.0, 109.0, 115.0])
    fridays, published = timing.week_after(dates, closes)
    assert fridays.tolist() == [date(2024, 1, 5), date(2024, 1, 12), date(2024, 1, 19), date(2024, 1, 26)]
    assert published[:3] == pytest.approx([104 / 101 - 1, 109 / 104 - 1, 115 / 109 - 1])
    assert np.isnan(published[3])
    same, traded = timing.traded_week(dates, closes)
    assert same.tolist() == fridays.tolist()
    assert traded[:2] == pytest.approx([107 / 103 - 1, 115 / 107 - 1])
    assert np.isnan(traded[2:]).all()
