"""Firing sequence and signal quality against plain loops, on the simulated and on the real market."""

from datetime import date

import polars as pl
import pytest

from engine.studies import History, Market
from tests.references import event_studies as plain
from tests.references.capitulation import declines, z_score
from tests.references.pair import drawdown_from_high, entry_conditions, moving_average
from tests.references.vix_regime import trending
from tests.studies.runs import figures, result_of, sample_of
from tests.studies.test_capitulation_studies import scores_of


def signals_of(history: History) -> dict[str, list[bool | None]]:
    """Whether each signal holds at each close; None where it is not yet defined."""
    spy, xlf, vix, hyg = (tuple(history.closes(name)) for name in ("SPY", "XLF", "VIX", "HYG"))
    average, drawdown = moving_average(xlf, 200), drawdown_from_high(hyg, 60)
    slow = moving_average(vix, 50)
    trend = trending(vix, 20, 50, 5, True)
    return {
        "financials_weak": [None if mean is None else close < mean for close, mean in zip(xlf, average, strict=True)],
        "vix_trends": [trend[t] if t >= 5 and slow[t - 5] is not None else None for t in range(len(vix))],
        "breadth_extreme": [None if count is None else count >= 8 for count in declines(spy, 10)],
        "vix_above_band": [None if value is None else value > 3.0 for value in z_score(vix, 20)],
        "credit_stress": [None if value is None else value < -0.03 for value in drawdown],
        "credit_panic": [None if value is None else value < -0.05 for value in drawdown],
    }


def test_leads_are_counted_by_hand(history: History):
    dates, spy = history.dates.tolist(), list(history.closes("SPY"))
    falls, signals = plain.falls_of(spy, -0.10), signals_of(history)
    table = result_of("signal_sequence", history).tables["capitulation.sequence"]
    assert len(falls) >= 3
    assert table.height == len(falls) * len(signals)
    for fall in falls:
        for name, held in signals.items():
            row = table.row(
                by_predicate=(pl.col("bottom") == dates[fall.bottom]) & (pl.col("signal") == name), named=True
            )
            between = range(fall.high + 1, fall.bottom + 1)
            assert row["high"] == dates[fall.high]
            assert row["defined"] == all(held[t] is not None for t in between)
            firing = [t for t in between if held[t]] if row["defined"] else []
            assert row["lead"] == (fall.bottom - firing[0] if firing else None)
            assert row["first"] == (dates[firing[0]] if firing else None)


def test_the_order_of_the_stages_is_compared_pair_by_pair(history: History):
    tables = result_of("signal_sequence", history).tables
    firings, order = tables["capitulation.sequence"], tables["capitulation.sequence.order"]
    for row in order.iter_rows(named=True):
        leads: dict[int, int] = {}
        for firing in firings.filter(bottom=row["bottom"]).iter_rows(named=True):
            if firing["lead"] is not None:
                leads[firing["stage"]] = max(firing["lead"], leads.get(firing["stage"], -1))
        pairs = [(leads[a], leads[b]) for a in leads for b in leads if a < b]
        assert row["in_order"] == sum(a > b for a, b in pairs)
        assert row["together"] == sum(a == b for a, b in pairs)
        assert row["reversed"] == sum(a < b for a, b in pairs)
        assert row["stages_fired"] == len(leads)


def test_the_bottoms_of_the_real_market_are_the_known_ones(real_history: History):
    table = result_of("signal_sequence", real_history).tables["capitulation.sequence"]
    bottoms = table["bottom"].unique().sort().to_list()
    assert bottoms == [date(2018, 2, 8), date(2018, 12, 24), date(2020, 3, 23), date(2022, 10, 12), date(2025, 4, 8)]
    deep = result_of("signal_sequence", real_history, depth=-0.3).tables["capitulation.sequence"]
    assert deep["bottom"].unique().to_list() == [date(2020, 3, 23)]


def test_warm_up_before_the_sample_defines_every_signal(real_market: Market):
    before = real_market.history(sample_of(date(2018, 1, 2), date(2026, 3, 6), warmup="before"))
    table = result_of("signal_sequence", before).tables["capitulation.sequence"]
    assert table["defined"].all()
    assert table.filter(bottom=date(2018, 12, 24), signal="financials_weak")["lead"][0] is not None


def test_a_sample_without_a_fall_gives_empty_tables(real_market: Market):
    calm = real_market.history(sample_of(date(2017, 1, 3), date(2017, 12, 29)))
    result = result_of("signal_sequence", calm)
    assert result.tables["capitulation.sequence"].height == 0
    assert result_of("signal_quality", calm).tables["signal_quality"]["falls"].to_list() == [0] * 6


def test_the_quality_of_each_signal_is_counted_by_hand(history: History):
    spy = list(history.closes("SPY"))
    falls = plain.falls_of(spy, -0.10)
    stress = [any(fall.high < t <= fall.bottom for fall in falls) for t in range(len(spy))]
    closes = {name: tuple(history.closes(name)) for name in ("XLF", "HYG", "VIX", "XLE", "XLB", "XLU", "IGV")}
    returns = {name: plain.daily_returns(values) for name, values in closes.items()}
    pair = [1.0]
    for t in range(1, len(spy)):
        basket = sum(returns[name][t] for name in ("XLE", "XLB", "XLU")) / 3.0  # type: ignore[misc]
        pair.append(pair[-1] * (1.0 + basket - returns["IGV"][t]))  # type: ignore[operator]
    spread, hyg20 = plain.weekly_spread(list(history.closes("QQQ")), spy), drawdown_from_high(closes["HYG"], 20)
    crash = [value is not None and value < -0.025 for value in spread]
    scores = scores_of(history)
    entry = entry_conditions(
        closes,
        xlf_dma=200,
        hyg_drawdown=-0.03,
        slope_lookback=20,
        hyg_window=60,
        vix_fast=20,
        vix_slow=50,
        hyg_reading="deeper",
    )
    expected = {
        "sector rotation entry": (entry, pair, 1.0),
        "VIX trending": (trending(closes["VIX"], 20, 50, 5, True), spy, -1.0),
        "momentum liquidation": (
            [c and h is not None and h < -0.03 for c, h in zip(crash, hyg20, strict=True)],
            spy,
            -1.0,
        ),
        "momentum rotation": (
            [c and h is not None and h >= -0.03 for c, h in zip(crash, hyg20, strict=True)],
            spy,
            1.0,
        ),
        "capitulation score severe": ([3.0 <= score < 4.0 for score in scores], spy, -1.0),
        "capitulation": ([score >= 4.0 for score in scores], spy, 1.0),
    }
    table = result_of("signal_quality", history).tables["signal_quality"]
    assert table["signal"].to_list() == list(expected)
    for row in table.iter_rows(named=True):
        held, asset, sign = expected[row["signal"]]
        days = [t for t, flag in enumerate(held) if flag]
        followed = [(t, plain.bought_at_the_next_close(asset, t, 21)) for t in days]
        right = [(t, sign * value > 0.0) for t, value in followed if value is not None]
        assert row["days"] == len(days)
        assert row["share_of_days"] == pytest.approx(len(days) / len(spy))
        assert row["right"] == share([won for _, won in right])
        assert row["right_in_stress"] == share([won for t, won in right if stress[t]])
        assert row["right_outside"] == share([won for t, won in right if not stress[t]])
        assert row["mean"] == pytest.approx(plain.summary([sign * v for _, v in followed if v is not None])["mean"])
        outside = [held[t] for t in range(len(spy)) if not stress[t]]
        assert row["false_positive_rate"] == share(outside)
        assert row["episodes_outside"] == share([not stress[first] for first, _ in plain.runs_of(held)])
        leads = [
            fall.bottom - next(t for t in range(fall.high + 1, fall.bottom + 1) if held[t])
            for fall in falls
            if any(held[fall.high + 1 : fall.bottom + 1])
        ]
        assert row["falls_signalled"] == len(leads)
        assert row["lead_median"] == (plain.median(leads) if leads else None)


def share(flags: list[bool]) -> object:
    return pytest.approx(sum(flags) / len(flags)) if flags else None


def test_the_pair_gained_in_two_of_three_episodes(real_history: History):
    found = figures(result_of("signal_quality", real_history))
    assert found["signal_quality.sector_rotation.episodes_won"].reproduced == "2 of 3"
