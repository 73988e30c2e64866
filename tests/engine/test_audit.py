"""The look-ahead audit: every strategy passes it, and every kind of look-ahead is caught by it."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from engine.audit import (
    AuditError,
    audit,
    audit_panel,
    audited_combinations,
    compute,
    fill_delays,
    find_leaks,
    first_differences,
    truncated,
    with_holes,
    with_noise_after,
)
from engine.audit import computation as computations
from engine.panel import Panel, Sample
from engine.report.audit import audit_json, render_audit
from engine.strategies import ParameterError, Reading, find_strategy, strategy_names
from engine.strategies.conditions import below
from engine.sweep import Costs, Grid, grid_of_one, load_grid, make_plan, parse_grid, posture_paths, strategy_panel
from engine.sweep.accounting import account
from parquet_store import Store
from tests.conftest import ROOT, Engine
from tests.engine import leaking_strategies as leaking

CUTS = 12


@pytest.mark.parametrize("name", strategy_names())
def test_no_shipped_strategy_looks_ahead(market_store: Store, name: str) -> None:
    grids = audited_combinations(name)
    panel = strategy_panel(market_store, grids[0].strategy, grids[0].sample)
    checked, leaks = find_leaks(panel, grids, cuts=CUTS)
    assert leaks == ()
    assert checked.histories["cut off"] == checked.histories["noise"] > CUTS * len(checked.combinations) // 2
    assert checked.histories["cut off, with holes"] > 0
    assert checked.combinations[0] == {}


@pytest.mark.parametrize("gaps", [True, False])
@pytest.mark.parametrize("condition", [leaking.honest, leaking.honest_on_the_morning_after])
def test_what_is_known_in_time_passes(condition: Callable[..., Reading], gaps: bool) -> None:
    audited = audit_panel(leaking.market(gaps=gaps), [leaking.grid(leaking.strategy(condition))], cuts=60)
    assert audited.leaks == ()
    assert audited.delays["trades"].min() > 5


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        (leaking.centred_window, "value"),
        (leaking.negative_shift, "value"),
        (leaking.tomorrow, "value"),
        (leaking.tomorrow_only_in_the_verdict, "verdict"),
        (leaking.tomorrow_unless_there_is_none, "value"),
        (leaking.whole_sample_score, "value"),
        (leaking.whole_sample_threshold, "threshold"),
        (leaking.filled_backwards, "value"),
        (leaking.interpolated, "value"),
        (leaking.last_row_of_the_week_by_what_follows, "value"),
    ],
)
@pytest.mark.parametrize("gaps", [True, False])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_leaking_condition_is_caught(condition: Callable[..., Reading], kind: str, gaps: bool, seed: int) -> None:
    _, leaks = find_leaks(leaking.market(gaps=gaps), [leaking.grid(leaking.strategy(condition))], cuts=60, seed=seed)
    assert leaks
    first = leaks[0]
    assert (first.kind, first.name) == (kind, "HY is calm")
    assert first.day <= first.cut
    assert first.before != first.after


def test_the_first_difference_is_the_day_and_the_values_that_differ() -> None:
    panel = leaking.market(gaps=False)
    _, leaks = find_leaks(panel, [leaking.grid(leaking.strategy(leaking.tomorrow))], cuts=60)
    rows = {day.item(): row for row, day in enumerate(panel.dates)}
    values = panel.values("HY")
    first = leaks[0]
    assert first.before == values[rows[first.day] + 1]
    assert first.day == first.cut  # only the last row that both histories have depends on the next
    assert np.isnan(first.after) if first.history == "cut off" else first.after != first.before
    follows = {"value", "verdict", "code", "state", "position at the next close"}
    assert {leak.kind for leak in leaks} >= follows


def test_a_leak_in_a_number_of_the_rule_is_caught() -> None:
    one = leaking.grid(leaking.strategy(), stop_loss=leaking.SeenLater())
    _, leaks = find_leaks(leaking.market(), [one], cuts=60)
    assert (leaks[0].kind, leaks[0].name) == ("number of the rule", "stop_loss")


def test_a_leak_in_the_target_weights_is_caught() -> None:
    one = leaking.grid(leaking.strategy(target_weights=leaking.weight_by_whole_sample_risk))
    _, leaks = find_leaks(leaking.market(), [one], cuts=60)
    assert (leaks[0].kind, leaks[0].name) == ("target weight", "FUND in posture 'held'")
    assert "return" in {leak.kind for leak in leaks}


def test_a_fill_at_the_close_of_the_decision_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that traded at close t what was decided at close t would hold it one session too early."""

    def hasty(plan: object) -> object:
        trace = honest_trace(plan)  # type: ignore[arg-type]
        return replace(trace, path=trace.wanted.astype(np.int8))

    honest_trace = computations.trace_rule
    monkeypatch.setattr(computations, "trace_rule", hasty)
    _, leaks = find_leaks(leaking.market(), [leaking.grid(leaking.strategy())], cuts=60)
    assert leaks[0].kind == "position at the next close"


def test_a_strategy_that_fails_on_a_short_history_is_named() -> None:
    def needs_fifty_rows(panel: Panel) -> Reading:
        return below(panel.values("HY") - panel.values("HY")[50], 0.0)

    with pytest.raises(
        AuditError, match=r"leaking cannot be computed on the history up to \d{4}-\d\d-\d\d: IndexError"
    ):
        find_leaks(leaking.market(gaps=False), [leaking.grid(leaking.strategy(needs_fifty_rows))], cuts=60)


def test_the_first_combination_that_leaks_ends_the_audit() -> None:
    one = leaking.strategy(leaking.tomorrow)
    checked, _ = find_leaks(leaking.market(), [leaking.grid(one), leaking.grid(one, window=30)], cuts=10)
    assert len(checked.combinations) == 1


def test_the_same_seed_gives_the_same_audit(simulated_store: Store) -> None:
    first, second = (audit(simulated_store, audited_combinations("pair", seed=3), cuts=8, seed=3) for _ in range(2))
    assert first.checked == second.checked
    assert first.delays.equals(second.delays)
    assert audited_combinations("pair", seed=4) != audited_combinations("pair", seed=3)


def test_a_history_cut_off_keeps_what_was_known_on_the_morning_after() -> None:
    panel = leaking.market(gaps=False)
    short = truncated(panel, 100)
    assert len(short.dates) == 101
    assert short.values(leaking.MORNING)[100] == panel.values("HY")[101]
    assert len(short.values("HY")) == 101


def test_noise_changes_every_value_after_the_cut_and_none_before() -> None:
    panel = leaking.market()
    noisy = with_noise_after(panel, 300, np.random.default_rng(0), complete=("FUND",))
    for name, values in panel.columns.items():
        np.testing.assert_array_equal(noisy.values(name)[:301], values[:301])
        assert not np.any(noisy.values(name)[301:] == values[301:])
    assert np.isnan(noisy.values("HY")[301:]).any()
    assert (noisy.values("FUND") > 0).all()


def test_holes_are_made_in_what_is_not_traded() -> None:
    panel = leaking.market(gaps=False)
    holed, starts = with_holes(panel, 4, np.random.default_rng(0), complete=("FUND",))
    assert len(starts) == 8  # four in each of two series
    np.testing.assert_array_equal(holed.values("FUND"), panel.values("FUND"))
    for row in starts:
        assert any(np.isnan(holed.values(name)[row]) for name in ("HY", leaking.MORNING))
    missing = np.isnan(holed.values("HY"))
    np.testing.assert_array_equal(holed.values("HY")[~missing], panel.values("HY")[~missing])


def test_equal_computations_do_not_differ_and_nan_equals_nan() -> None:
    panel, one = leaking.market(), leaking.grid(leaking.strategy())
    assert first_differences(compute(panel, one), compute(panel, one), leaking.SESSIONS - 1) == []
    assert np.isnan(compute(panel, one).layers[0].values[:30]).all()


def test_fills_are_moved_and_nothing_else(simulated_store: Store) -> None:
    """Each row is what the accounting makes of the law's decisions, shifted by hand."""
    plan = make_plan(simulated_store, audited_combinations("pair")[0])
    delays = fill_delays(plan, (0, 1, 3))
    law = posture_paths(plan, np.zeros(1, np.int64))
    shifted = {
        0: np.append(law[:, 1:], law[:, -1:], axis=1),  # the last decision is to hold on to what is held
        1: law,
        3: np.append(np.zeros((1, 2), np.int8), law[:, :-2], axis=1),
    }
    assert delays["tradable"].to_list() == [False, True, True]
    for delay, path in shifted.items():
        returns, _ = account(plan.market, path, np.zeros(1, np.int64), np.array([True]))
        row = delays.row(by_predicate=pl.col("delay") == delay, named=True)
        assert row["total_return"] == pytest.approx(np.prod(1.0 + returns) - 1.0, rel=1e-9)
        assert row["trades"] == np.count_nonzero(np.diff(path[0].astype(int), prepend=0) > 0)


def test_combinations_are_the_defaults_and_a_handful_of_the_grid() -> None:
    chosen = audited_combinations("pair")
    assert chosen[0].fixed == find_strategy("pair").parameters()
    assert len(chosen) == 6
    shipped = load_grid(ROOT / "configs" / "pair.toml")
    for one in chosen:
        assert (one.sample, one.costs) == (shipped.sample, shipped.costs)
    for one in chosen[1:]:
        assert all(getattr(one.fixed, name) in values for name, values in shipped.axes.items())


def test_combinations_without_meaning_are_passed_over() -> None:
    content = {"strategy": {"name": "pair"}, "grid": {"vix_fast": [10, 50, 60], "vix_slow": [40, 55]}}
    chosen = audited_combinations("pair", grid=parse_grid(content))
    pairs = {(one.fixed.vix_fast, one.fixed.vix_slow) for one in chosen[1:]}  # type: ignore[attr-defined]
    assert pairs == {(10, 40), (10, 55), (50, 55)}


def test_a_request_that_cannot_be_met_is_refused(simulated_store: Store) -> None:
    other = parse_grid({"strategy": {"name": "vix_regime"}})
    with pytest.raises(AuditError, match="sweeps vix_regime, not pair"):
        audited_combinations("pair", grid=other)
    with pytest.raises(AuditError, match="not by both"):
        audited_combinations("pair", grid=parse_grid({"strategy": {"name": "pair"}}), values={"xlf_dma": 180})
    with pytest.raises(ParameterError, match="xlf_dma"):
        audited_combinations("pair", values={"xlf_dma": 0})
    with pytest.raises(AuditError, match="three at least"):
        audit(simulated_store, [_pair_from(date(2020, 3, 16), date(2020, 3, 17))])


def _pair_from(first: date, last: date) -> Grid:
    return grid_of_one(find_strategy("pair"), {}, sample=Sample(first, last), costs=Costs())


def test_the_command_states_what_was_checked(engine: Engine, simulated_store: Store) -> None:
    done = engine("audit", "pair", "--store", simulated_store.root, "--cuts", 5, "--set", "xlf_dma=180")
    assert done.returncode == 0
    for words in ("No look-ahead found", "SIMULATED MARKET", "same close: look-ahead, not tradable", "the law"):
        assert words in done.stdout


LEAKING_COMMAND = """
import sys
from dataclasses import replace
import numpy as np
from engine.strategies import Condition, pair
from engine.strategies.conditions import below

def sees_tomorrow(panel):
    return below(np.append(panel.values("HYG")[1:], np.nan), panel.values("HYG"))

leaking = (Condition("HYG falls tomorrow", sees_tomorrow), *pair.STRATEGY.conditions[1:])
pair.STRATEGY = replace(pair.STRATEGY, conditions=leaking)
sys.argv = "engine audit pair --cuts 5 --set xlf_dma=180 --format json --store".split() + sys.argv[1:]
from cli import main
main()
"""


def test_the_command_ends_with_one_where_something_leaks(simulated_store: Store) -> None:
    command = [sys.executable, "-c", LEAKING_COMMAND, str(simulated_store.root)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert answer["clean"] is False
    assert answer["checked"]["combinations"] == [{"xlf_dma": 180}]
    assert (answer["leaks"][0]["kind"], answer["leaks"][0]["name"]) == ("value", "HYG falls tomorrow")
    assert answer["leaks"][0]["after"] is None or answer["leaks"][0]["history"] == "noise"
    assert [fill["delay"] for fill in answer["delays"]] == [0, 1, 2, 5]


def test_what_a_result_owes_to_a_proxy_or_to_hindsight_is_said(simulated_store: Store) -> None:
    assets = {"date": date(2026, 5, 3), "XLE": 43.6, "XLB": 6.54, "XLU": 24.42}
    asked = {"basket_weights": "market_cap", "market_cap": assets}
    audited = audit(simulated_store, audited_combinations("pair", values=asked), cuts=3)
    assert audited.notes == ("market-cap weights are those of 2026-05-03, fixed in hindsight for the whole sample",)
    console = Console(record=True, width=400, file=io.StringIO())
    render_audit(audited, console)
    assert f"Note: {audited.notes[0]}." in console.export_text()
    assert json.loads(audit_json(audited))["notes"] == list(audited.notes)


def test_a_leak_is_told_in_a_sentence() -> None:
    audited = audit_panel(leaking.market(), [leaking.grid(leaking.strategy(leaking.tomorrow_only_in_the_verdict))])
    first = audited.leaks[0]
    console = Console(record=True, width=400, file=io.StringIO())
    render_audit(audited, console)
    before, after = ("met" if value else "not met" for value in (first.before, first.after))
    sentence = f"the verdict of 'HY is calm' on {first.day} is {before} on the whole history, and {after} when"
    assert f"LOOK-AHEAD with the defaults: {sentence}" in console.export_text()
