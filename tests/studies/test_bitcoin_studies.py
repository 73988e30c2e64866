"""Bitcoin in stress and on days of a VIX jump against plain loops, on the simulated and on the real market."""

from datetime import date, timedelta

import numpy as np
import pytest

from engine.studies import History, Market, StudyError
from tests.references import event_studies as plain
from tests.studies.runs import figures, result_of, sample_of


def bars_of(history: History) -> list[tuple[date, float]]:
    days, values = history.own_calendar("BTC-USD")
    return list(zip(days.tolist(), values.tolist(), strict=True))


def test_bitcoin_in_stress_is_described_as_by_hand(history: History):
    bars = bars_of(history)
    sessions = list(zip(history.dates.tolist(), history.closes("SPY").tolist(), strict=True))
    found = figures(result_of("bitcoin_stress", history))
    assert len(history.periods) == 3
    for period in history.periods:
        expected = plain.bitcoin_in_period(bars, sessions, period.first, period.last)
        key = f"btc.periods.{period.name}"
        assert found[f"{key}.total_return"].reproduced == pytest.approx(expected.total_return)
        assert found[f"{key}.max_drawdown"].reproduced == pytest.approx(expected.max_drawdown)
        assert found[f"{key}.corr_spy"].reproduced == pytest.approx(expected.correlation)
    spy = [plain.market_in_period(sessions, period.first, period.last) for period in history.periods]
    episodes = [plain.bitcoin_in_period(bars, sessions, period.first, period.last) for period in history.periods]
    totals, correlations = [row.total_return for row in episodes], [row.correlation for row in episodes]
    assert found["btc.summary.return_range"].reproduced == pytest.approx((min(totals), max(totals)))
    assert found["btc.summary.corr_spy_range"].reproduced == pytest.approx((min(correlations), max(correlations)))
    harder = all(own < market for own, market in zip(totals, spy, strict=True))
    assert found["btc.summary.fell_harder_than_equities"].reproduced == harder
    whole = plain.bitcoin_in_period(bars, sessions, sessions[0][0], sessions[-1][0])
    assert found["btc.periods.full_period_corr_spy"].reproduced == pytest.approx(whole.correlation)


def test_episodes_before_bitcoins_history_are_left_out(real_market: Market):
    early = real_market.history(sample_of(date(2011, 1, 3), date(2019, 6, 28)))
    table = result_of("bitcoin_stress", early).tables["btc.periods"]
    assert "euro_2011" in {period.name for period in early.periods}
    assert table["period"].to_list() == ["q4_2018", "full_period"]


def test_a_sample_before_bitcoin_is_refused(real_market: Market):
    before = real_market.history(sample_of(date(2011, 1, 3), date(2013, 6, 28)))
    with pytest.raises(StudyError, match="choose a"):
        result_of("bitcoin_stress", before)
    with pytest.raises(StudyError, match="choose a"):
        result_of("bitcoin_vix_spikes", before)


def test_bitcoin_after_a_vix_jump_is_followed_on_its_own_calendar(history: History):
    bars = bars_of(history)
    price, place = dict(bars), {day: t for t, (day, _) in enumerate(bars)}
    returns = plain.daily_returns([close for _, close in bars])
    vix = plain.daily_returns(history.closes("VIX").tolist())
    jumps = [
        day for day, change in zip(history.dates.tolist(), vix, strict=True) if change is not None and change > 0.15
    ]

    def traded(day: date, days: int) -> float | None:
        bought, sold = price.get(day + timedelta(1)), price.get(day + timedelta(1 + days))
        return sold / bought - 1.0 if bought is not None and sold is not None else None

    found = figures(result_of("bitcoin_vix_spikes", history))
    same_day = plain.summary([returns[place[day]] for day in jumps])
    next_day = plain.summary([traded(day, 1) for day in jumps])
    window = plain.summary([plain.window_with_the_signal_day(returns, place[day], 22) for day in jumps])
    month = plain.summary([traded(day, 30) for day in jumps])
    key = "btc.vix_spike_days"
    for name, published, tradable in (
        ("n", same_day["n"], next_day["n"]),
        ("mean", same_day["mean"], next_day["mean"]),
        ("median", same_day["median"], next_day["median"]),
        ("pct_negative", 1.0 - same_day["positive"], 1.0 - next_day["positive"]),
        ("fwd30_mean", window["mean"], month["mean"]),
        ("fwd30_median", window["median"], month["median"]),
        ("fwd30_positive", window["positive"], month["positive"]),
    ):
        assert found[f"{key}.{name}"].reproduced == pytest.approx(published, rel=1e-9), name
        assert found[f"{key}.{name}"].tradable == pytest.approx(tradable, rel=1e-9), name
    for name in ("mean", "median", "pct_negative", "fwd30_mean", "fwd30_median", "fwd30_positive"):
        figure = found[f"{key}.{name}"]
        assert figure.low < figure.tradable < figure.high
        assert figure.n >= figure.episodes


def test_the_forward_month_looks_at_no_bar_up_to_the_next_days(real_history: History):
    table = result_of("bitcoin_vix_spikes", real_history).tables["btc.vix_spike_days"]
    days, values = real_history.own_calendar("BTC-USD")
    row = table.filter(date=date(2020, 2, 24)).row(0, named=True)
    bought = values[int(np.searchsorted(days, np.datetime64("2020-02-25")))]
    sold = values[int(np.searchsorted(days, np.datetime64("2020-03-26")))]
    assert row["traded_month"] == sold / bought - 1.0
