"""The capitulation score's studies against plain loops, on the simulated and on the real market."""

from collections.abc import Sequence
from datetime import date

import pytest

from engine.studies import History, Market, StudyError
from tests.references import event_studies as plain
from tests.references.capitulation import components, declines, weighted_score, z_score
from tests.references.pair import drawdown_from_high
from tests.studies.runs import figures, result_of, sample_of

DEFAULTS = {
    "vix_z_window": 60,
    "vix_z": 2.0,
    "hyg_window": 60,
    "hyg_drawdown": -0.03,
    "breadth_window": 10,
    "breadth_declines": 7,
    "xlf_dma": 200,
}


def scores_of(history: History, weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0)) -> list[float]:
    closes = {name: tuple(history.closes(name)) for name in ("VIX", "HYG", "SPY", "XLF")}
    return weighted_score(components(closes, **DEFAULTS), weights)


def test_the_shares_of_the_scores_are_counted_by_hand(history: History):
    scores = scores_of(history)
    found = figures(result_of("capitulation_distribution", history))
    for level in range(5):
        share = sum(1 for score in scores if score == level) / len(scores)
        assert found[f"capitulation.score_share.{level}"].reproduced == pytest.approx(share)
        assert share > 0.0


def test_weights_make_other_levels(real_history: History):
    table = result_of("capitulation_distribution", real_history, weight_xlf=0.5).tables["capitulation.score_share"]
    scores = scores_of(real_history, (1.0, 1.0, 1.0, 0.5))
    assert table["score"].to_list() == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    assert table["days"].to_list() == [scores.count(level) for level in table["score"]]


def test_returns_after_each_score_are_followed_by_hand(history: History):
    scores, spy = scores_of(history), list(history.closes("SPY"))
    returns = plain.daily_returns(spy)
    found = figures(result_of("capitulation_returns", history))
    for level in (1, 2, 3, 4):
        days = [t for t, score in enumerate(scores) if score >= level]
        published = plain.summary([plain.window_with_the_signal_day(returns, t, 22) for t in days])
        traded = plain.summary([plain.bought_at_the_next_close(spy, t, 21) for t in days])
        for name in ("n", "mean", "median", "positive"):
            figure = found[f"capitulation.forward_1m.{level}.{name}"]
            assert figure.reproduced == pytest.approx(published[name], rel=1e-9)
            assert figure.tradable == pytest.approx(traded[name], rel=1e-9)
            assert figure.n == traded["n"]
            assert figure.low is None or figure.low <= figure.tradable <= figure.high


def test_breadth_clusters_are_those_found_by_hand(history: History):
    dates, spy = history.dates.tolist(), list(history.closes("SPY"))
    extreme = [count is not None and count >= 8 for count in declines(tuple(spy), 10)]
    clusters = plain.runs_of(extreme, quiet=10)
    result = result_of("breadth_clusters", history)
    table, found = result.tables["capitulation.breadth_clusters"], figures(result)
    assert table["first"].to_list() == [dates[first] for first, _ in clusters]
    assert table["last"].to_list() == [dates[last] for _, last in clusters]
    assert len(clusters) > 3
    for first, _ in clusters:
        window = spy[first : first + 63]
        key = f"capitulation.breadth_clusters.{dates[first]}"
        three_months = window[-1] / window[0] - 1.0 if len(window) == 63 else None
        assert found[f"{key}.spy_3m"].reproduced == pytest.approx(three_months)
        assert found[f"{key}.spy_3m"].tradable == pytest.approx(plain.bought_at_the_next_close(spy, first, 63))
        assert found[f"{key}.max_drawdown_first"].reproduced == pytest.approx(min(window) / window[0] - 1.0)


def test_high_yield_triggers_are_counted_by_hand(history: History):
    dates, spy = history.dates.tolist(), list(history.closes("SPY"))
    drawdown = drawdown_from_high(tuple(history.closes("HYG")), 60)
    triggers = [t for t, value in enumerate(drawdown) if value is not None and value < -0.05]
    found = figures(result_of("high_yield_drawdowns", history))
    key = "capitulation.hyg_drawdown_5pct"
    assert found[f"{key}.triggers"].reproduced == len(triggers) > 0
    years = sorted({dates[t].year for t in triggers})
    assert str(found[f"{key}.year"].reproduced) == ", ".join(map(str, years))
    deepest = dates[min(triggers, key=lambda t: drawdown[t])].year  # type: ignore[arg-type, return-value]
    first_ten = [t for t in triggers if dates[t].year == deepest][:10]
    published = [spy[t + 62] / spy[t] - 1.0 for t in first_ten if t + 62 < len(spy)]
    assert found[f"{key}.spy_3m_range"].reproduced == pytest.approx((min(published), max(published)))
    followed = [t for t in first_ten if plain.bought_at_the_next_close(spy, t, 63) is not None]
    there = [plain.bought_at_the_next_close(spy, t, 63) for t in followed]
    figure = found[f"{key}.spy_3m_range"]
    assert figure.tradable == pytest.approx((min(there), max(there)))  # type: ignore[type-var]
    assert figure.n == len(there) <= 10
    assert figure.episodes == len(plain.runs_of([t in followed for t in range(len(spy))]))
    everything = [value for t in triggers if (value := plain.bought_at_the_next_close(spy, t, 63)) is not None]
    assert f"all {len(everything)} trigger days, traded, is {min(everything):+.1%} to {max(everything):+.1%}" in str(
        figure.reason
    )


def test_vix_above_its_band_is_found_by_hand(history: History):
    dates, spy, vix = history.dates.tolist(), list(history.closes("SPY")), tuple(history.closes("VIX"))
    extreme = [value is not None and value > 3.0 for value in z_score(vix, 20)]
    events = result_of("vix_bollinger", history).tables["capitulation.vix_bollinger"]
    firsts = [first for first, _ in plain.runs_of(extreme)]
    assert events["date"].to_list() == [dates[t] for t in firsts]
    for t, row in zip(firsts, events.iter_rows(named=True), strict=True):
        course = plain.course_after(spy, t)
        high_enough = [level for level in ("40 and above", "30 to 40", "20 to 30") if vix[t] >= int(level[:2])]
        assert row["level"] == (high_enough[0] if high_enough else "below 20")
        assert row["sessions_to_bottom"] == course.bottom - t
        assert row["further_fall"] == pytest.approx(spy[course.bottom] / spy[t] - 1.0)
        assert row["three_months_traded"] == pytest.approx(plain.bought_at_the_next_close(spy, t, 63))


def test_a_market_with_gaps_is_refused_in_one_sentence(real_market: Market):
    history = real_market.history(sample_of(date(2014, 1, 2), date(2015, 12, 31)))
    for name in ("breadth_clusters", "high_yield_drawdowns", "vix_bollinger", "signal_sequence", "momentum_crashes"):
        with pytest.raises(
            StudyError, match=r"BTC-USD has no close on 17. sessions of .* choose a sample that it covers"
        ):
            result_of(name, history, equity="BTC-USD")
