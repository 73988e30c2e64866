"""The weekly credit models from their description, in loops over weeks, and the published growth on the real data."""

import math
from datetime import date, timedelta

import numpy as np
import pytest

from engine.panel import Sample
from engine.studies import History, StudyError, find_study
from parquet_store.calendar import sessions
from tests.references.combined_credit_spread import closes_of_weeks, default_swap_model, high_yield_model, weeks_of

STUDY = find_study("credit_spread_model")
HY, CDX = "BAMLH0A0HYM2@next_morning", "CDX_NA_HY_5Y@next_morning"


def known(values: np.ndarray) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]


def slowly(history: History, equity: str) -> dict[tuple[str, int], tuple[float, float, int]]:
    """Growth of 1 by model and state (1 favourable, 0 not): as published, as traded, and weeks that were traded.

    Of the combined model the states are the scores 0, 1 and 2.
    """
    days = history.dates.tolist()
    exchange = sessions(days[0], days[-1] + timedelta(weeks=2))["date"].to_list()
    weeks = weeks_of(days, exchange)
    hy = high_yield_model(
        closes_of_weeks(known(history.closes(HY)), weeks),
        fast=13,
        slow=28,
        slow_average="of_fast_average",
        change_weeks=2,
        warmup_weeks=17,
    )
    swaps = closes_of_weeks(known(history.closes(CDX)), weeks)
    cdx = default_swap_model(swaps, fast=14, slow=25, sign=1, warmup_weeks=17)
    combined = [None if None in (a, b) else a + b for a, b in zip(hy, cdx, strict=True)]  # type: ignore[operator]
    price = history.closes(equity).tolist()
    grown: dict[tuple[str, int], list[float]] = {}
    for model, states in (("hy_oas", hy), ("cdx", cdx), ("combined", combined)):
        for week, state in enumerate(states):
            rows, following = weeks[week][0], weeks[week + 1] if week + 1 < len(weeks) else None
            if state is None or following is None or not following[1]:
                continue  # the week that it earns is not over
            cell = grown.setdefault((model, state), [1.0, 1.0, 0])
            published = price[following[0][-1]] / price[rows[-1]]
            if math.isnan(published):
                continue
            cell[0] *= published
            if week + 2 < len(weeks):
                cell[1] *= price[weeks[week + 2][0][0]] / price[following[0][0]]
                cell[2] += 1
    return {key: (cell[0], cell[1], int(cell[2])) for key, cell in grown.items()}


@pytest.mark.parametrize("first", [None, date(2012, 3, 5)])
def test_growth_by_state(simulated_market, first) -> None:
    history = simulated_market.history(Sample(first))
    result = STUDY.run(history, STUDY.parameters())
    expected = slowly(history, "^GSPC")
    growth = result.tables["credit_spread_model.growth"]
    states = {"favorable": 1, "unfavorable": 0}
    compared = 0
    for row in growth.filter(growth["model"].is_in(["hy_oas", "cdx"])).iter_rows(named=True):
        published, traded, weeks = expected[row["model"], states[row["state"]]]
        assert row["growth_published"] == pytest.approx(published, rel=1e-10)
        assert row["growth"] == pytest.approx(traded, rel=1e-10)
        assert row["n"] == weeks
        assert row["growth_low"] < row["growth"] < row["growth_high"]
        compared += 1
    for row in result.tables["credit_spread_model.combined"].iter_rows(named=True):
        published, traded, weeks = expected["combined", int(row["score"])]
        assert (row["growth_published"], row["growth"]) == pytest.approx((published, traded), rel=1e-10)
        assert row["n"] == weeks
        compared += 1
    assert compared == 7
    figures = {figure.id: figure for figure in result.figures}
    assert figures["credit_spread_model.hy_oas.favorable"].tradable == pytest.approx(expected["hy_oas", 1][1])


def test_returns_over_several_weeks(simulated_history) -> None:
    table = STUDY.run(simulated_history, STUDY.parameters()).tables["credit_spread_model.combined.forward"]
    assert table.height == 9
    month, quarter = (table.filter(score="2", horizon_weeks=weeks).row(0, named=True) for weeks in (4, 13))
    assert month["n"] >= quarter["n"] > 50
    assert quarter["effective_n"] < month["effective_n"] < month["n"]
    states = table.filter(horizon_weeks=4)["n"].to_list()
    owned = STUDY.run(simulated_history, STUDY.parameters()).tables["credit_spread_model.combined"]["n"].to_list()
    assert all(after <= weeks for after, weeks in zip(states, owned, strict=True))


def test_rolls_are_shown_apart_and_may_be_set(simulated_history) -> None:
    usual = STUDY.run(simulated_history, STUDY.parameters())
    removed = STUDY.run(simulated_history, STUDY.parameters(cdx_rolls="removed"))
    assert "cdx without rolls" in usual.tables["credit_spread_model.growth"]["model"].to_list()
    apart = usual.tables["credit_spread_model.growth"].filter(model="cdx without rolls")["growth"].to_list()
    assert removed.tables["credit_spread_model.growth"].filter(model="cdx")["growth"].to_list() == apart


def test_either_model_alone_and_none(simulated_market) -> None:
    history = simulated_market.history(Sample(date(2010, 1, 4), date(2020, 12, 31)))
    alone = STUDY.run(history, STUDY.parameters(cdx="nowhere"))
    assert set(alone.tables) == {"credit_spread_model.growth"}
    assert {figure.id.split(".")[1] for figure in alone.figures} == {"hy_oas"}
    with pytest.raises(StudyError, match="neither elsewhere nor nowhere is in the store"):
        STUDY.run(history, STUDY.parameters(cdx="nowhere", high_yield="elsewhere"))


@pytest.mark.real_data
def test_published_growth(real_market) -> None:
    history = real_market.history(Sample())
    figures = {figure.id: figure for figure in STUDY.run(history, STUDY.parameters()).figures}
    table = "credit_spread_model"
    assert figures[f"{table}.hy_oas.since"].reproduced == 1997
    assert round(figures[f"{table}.hy_oas.favorable"].reproduced, 1) == 12.2
    assert 0.68 <= figures[f"{table}.hy_oas.unfavorable"].reproduced <= 0.70
    assert figures[f"{table}.cdx.since"].reproduced == 2012
    # Traded, the gap between the states is narrower, and being out no longer loses for sure.
    favorable, unfavorable = (figures[f"{table}.hy_oas.{state}"] for state in ("favorable", "unfavorable"))
    assert favorable.tradable < favorable.reproduced
    assert unfavorable.reproduced < unfavorable.tradable < 1.0 < unfavorable.high
    expected = slowly(history, "^GSPC")
    assert favorable.tradable == pytest.approx(expected["hy_oas", 1][1], rel=1e-10)
    assert figures[f"{table}.cdx.unfavorable"].tradable == pytest.approx(expected["cdx", 0][1], rel=1e-10)
