import json
import re
import shlex
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_series_equal

from engine.metrics import METRICS
from engine.report.numbers import number_text
from engine.report.page import report_html
from engine.report.page.curves import drawdown, equity_curves
from engine.report.page.sensitivity import axis_effects
from engine.report.questions import command, questions
from engine.strategies import strategy_names
from engine.sweep import Grid, Summary, parse_grid, run_sweep, summarise
from engine.sweep.run import SweepRun
from parquet_store import Store, append, open_store, scan
from sql import query
from tests.report.parsed_page import find_class, parse_page, section, tables, titles, words
from tests.report.sweeps import AXES, pair_grid


def swept(store: Store, grid: Grid, metric: str | None = None) -> tuple[SweepRun, Summary]:
    run = run_sweep(store, grid)
    return run, summarise(store, run, metric=metric)


@pytest.fixture(scope="module")
def pair(simulated_store: Store) -> tuple[SweepRun, Summary]:
    return swept(simulated_store, pair_grid())


def test_page_says_everything_in_order(pair: tuple[SweepRun, Summary]) -> None:
    page = parse_page(report_html(*pair))
    assert titles(page) == [
        "The best 10 by Sharpe ratio",
        "What the first of them is worth",
        "Equity",
        "All trials",
        "Peak or plateau",
        "What each parameter does",
        "Benchmarks",
        "Questions to the ledger",
        "Definitions",
    ]
    assert [words(part) for part in find_class(page, "simulated")] == ["SIMULATED MARKET"]
    head = words(page.find("body/header"))
    run, summary = pair
    for fact in (
        run.run.run_id,
        run.run.code_version,
        "1 + 1 basis points",
        "2018-01-02 to 2026-03-06",
        "24 combinations",
    ):
        assert fact in head
    assert f"stored by {run.run.data_seen_at:%Y-%m-%d %H:%M} UTC" in head
    said = [words(sentence) for sentence in find_class(page, "notes")[0].iter("p")]
    assert said == [f"Note: {text}." for text in summary.notes]
    assert len(said) == 2


def test_best_table_is_that_of_the_summary(pair: tuple[SweepRun, Summary]) -> None:
    run, summary = pair
    page = parse_page(report_html(run, summary))
    heading, *body = tables(section(page, "The best"))[0]
    assert heading[:9] == [
        *("xlf dma", "hyg drawdown", "basket weights", "stop loss", "†"),
        *("Sharpe ratio", "gross Sharpe ratio", "neighbours' median", "of"),
    ]
    assert len(body) == summary.best.height == 10
    for cells, row in zip(body, summary.best.iter_rows(named=True), strict=True):
        assert cells[:4] == [number_text(name, row[name]) for name in AXES]
        assert (cells[4] == "†") == row["hindsight"] == (row["basket_weights"] == "market_cap")
        assert cells[5:9] == [
            *(f"{row[name]:.3f}" for name in ("sharpe", "gross_sharpe", "neighbours_median")),
            str(row["neighbours"]),
        ]
        assert f"{row['total_return']:+.1%}" in cells


def test_neighbours_are_written_like_the_metric_they_are_of(simulated_store: Store) -> None:
    run, summary = swept(simulated_store, pair_grid(), "total_return")
    _, first, *_ = tables(section(parse_page(report_html(run, summary)), "The best"))[0]
    assert first[5:8] == [
        f"{summary.best[name][0]:+.1%}" for name in ("total_return", "gross_total_return", "neighbours_median")
    ]


def test_tests_of_the_winner_are_told_in_sentences(pair: tuple[SweepRun, Summary]) -> None:
    run, summary = pair
    part = section(parse_page(report_html(run, summary)), "What the first")
    told, windows = tables(part)
    text = {name: (figure, sentence) for name, figure, sentence in told}
    tests = summary.scrutiny
    assert tests is not None
    assert text["Deflated Sharpe ratio"][0] == f"{tests.deflated_sharpe.probability:.3f}"
    assert f"expected to show {tests.deflated_sharpe.expected_maximum:.3f}" in text["Deflated Sharpe ratio"][1]
    assert text["Probability of overfitting"][0] == f"{tests.overfitting.probability:.0%}"
    assert text["Superior ability"][0] == f"p = {tests.superior_ability.p_value:.3f}"
    assert f"{tests.walk_forward.total_return:+.1%} in total" in text["Walk-forward"][1]
    assert text["Trades"][0] == str(summary.best["trades"][0])
    assert len(windows) == 1 + tests.walk_forward.windows.height
    chosen = run.results.filter(pl.col("combination") == tests.compared[tests.walk_forward.windows["trial"][0]])
    assert windows[1][0] == str(tests.walk_forward.windows["trained_to"][0])
    assert windows[1][3:7] == [number_text(name, chosen[name][0]) for name in AXES]


@pytest.mark.parametrize(("probability", "said"), [(0.96, "clears the 95%"), (0.94, "falls short of the 95%")])
def test_a_verdict_follows_from_the_number(pair: tuple[SweepRun, Summary], probability: float, said: str) -> None:
    run, summary = pair
    test = replace(summary.scrutiny.deflated_sharpe, probability=probability)
    changed = replace(summary, scrutiny=replace(summary.scrutiny, deflated_sharpe=test))
    assert said in words(section(parse_page(report_html(run, changed)), "What the first"))


def test_curves_agree_with_the_ledger_and_the_benchmarks(pair: tuple[SweepRun, Summary]) -> None:
    run, summary = pair
    for place in (0, 7):
        best = summary.best.row(place, named=True)
        curves = equity_curves(run.plan, best["combination"])
        assert curves["net"][-1] - 1.0 == pytest.approx(best["total_return"], abs=1e-12)
        assert curves["gross"][-1] - 1.0 == pytest.approx(best["gross_total_return"], abs=1e-12)
        assert drawdown(curves["net"]).min() == pytest.approx(best["max_drawdown"], abs=1e-12)
        assert (curves["posture"] != 0).mean() == pytest.approx(best["exposure"], abs=1e-12)
        held = {row["benchmark"]: row["total_return"] for row in summary.benchmarks.iter_rows(named=True)}
        assert curves["buy_and_hold"][-1] - 1.0 == pytest.approx(held["SPY bought and held"], abs=1e-12)
        always = held[f"pair always on, {best['basket_weights']}"]
        assert curves["always_on"][-1] - 1.0 == pytest.approx(always, abs=1e-12)


def test_equity_chart_shows_every_line_and_shades_every_trade(pair: tuple[SweepRun, Summary]) -> None:
    run, summary = pair
    part = section(parse_page(report_html(run, summary)), "Equity")
    data = json.loads(next(part.iter("script")).text)
    curves = equity_curves(run.plan, summary.best["combination"][0])
    assert len(data["days"]) == run.run.sessions
    assert data["days"][0] == (run.run.first - date(1970, 1, 1)).days
    for name in ("net", "gross", "always_on", "buy_and_hold"):
        assert_series_equal(pl.Series(data["equity"][name]), curves[name], abs_tol=5e-5, rel_tol=0, check_names=False)
        drawn = next(path for path in find_class(part, name) if path.tag == "path")
        assert drawn.get("d").count("L") == run.run.sessions - 1
    shades = [path for path in find_class(part, "held") if path.tag == "path"]
    assert len(shades) == 2  # one in each panel
    assert {path.get("d").count("M") for path in shades} == {summary.best["trades"][0]}
    assert "held: long basket, short software" in words(part)


def test_histogram_counts_every_trial_and_marks_what_matters(pair: tuple[SweepRun, Summary]) -> None:
    run, summary = pair
    part = section(parse_page(report_html(run, summary)), "All trials")
    counts = [
        int(found[1])
        for found in re.finditer(r": ([\d,]+) combinations", " ".join(words(t) for t in part.iter("title")))
    ]
    assert sum(counts) == run.results.filter(pl.col("trades") > 0).height
    text = words(part)
    chance = summary.scrutiny.deflated_sharpe
    for mark in (
        f"the best {summary.best['sharpe'][0]:.3f}",
        f"median of its neighbours {summary.best['neighbours_median'][0]:.3f}",
        f"expected best of {chance.trials:,} without skill {chance.expected_maximum:.3f}",
        f"median of all {run.results['sharpe'].median():.3f}",
    ):
        assert mark in text


def test_heat_map_has_a_cell_for_every_pair_of_values(pair: tuple[SweepRun, Summary]) -> None:
    run, summary = pair
    part = section(parse_page(report_html(run, summary)), "Peak or plateau")
    effects = [effect.name for effect in axis_effects(run.results, run.plan.grid.axes, "sharpe")]
    x, y = sorted([name for name in effects if name != "basket_weights"][:2], key=lambda name: -len(AXES[name]))
    told = {words(title) for title in part.iter("title")}
    for keys, rows in run.results.group_by(x, y, "basket_weights"):
        median = number_text("sharpe", rows["sharpe"].median())
        assert f"{x} {keys[0]:g}, {y} {keys[1]:g}: median {median} of {rows.height} combinations" in told
    assert len(find_class(part, "winner-cell")) == 1
    assert [words(title) for title in part.iter("h3")] == ["basket_weights = equal", "basket_weights = market_cap"]


def test_benchmarks_stand_beside_the_winner(pair: tuple[SweepRun, Summary]) -> None:
    run, summary = pair
    _, *body = tables(section(parse_page(report_html(run, summary)), "Benchmarks"))[0]
    assert [row[0] for row in body] == ["the best combination", *summary.benchmarks["benchmark"]]
    assert [row[1] for row in body[1:]] == [f"{value:+.1%}" for value in summary.benchmarks["total_return"]]


def test_questions_can_be_asked_as_they_stand(simulated_store: Store, pair: tuple[SweepRun, Summary]) -> None:
    run, summary = pair
    effects = axis_effects(run.results, run.plan.grid.axes, "sharpe")
    asked = questions(run, "sharpe", [effect.name for effect in effects])
    shown = ["".join(part.itertext()) for part in parse_page(report_html(run, summary)).iter("pre")]
    assert shown == [command(statement) for _, statement in asked]
    plateau, survivors, runs = (query(simulated_store, shlex.split(line)[2]) for line in shown)
    first, second = (effect.name for effect in effects[:2])
    assert plateau.columns == [first, second, "trials", "median", "best"]
    assert plateau["best"].max() == pytest.approx(run.results["sharpe"].max(), abs=1e-15)
    wanted = run.results.filter((pl.col("total_return") > 0) & (pl.col("max_drawdown") > -0.2))
    assert survivors.height == min(20, wanted.height)
    assert run.run.run_id in runs["run_id"].to_list()


def test_definitions_are_those_of_the_metrics(pair: tuple[SweepRun, Summary]) -> None:
    metrics, parameters = tables(section(parse_page(report_html(*pair)), "Definitions"))
    assert metrics[1:] == [[metric.name, metric.unit, metric.definition] for metric in METRICS]
    described = {row[0]: row[1] for row in parameters[1:]}
    assert described["xlf_dma"] == "swept"
    assert described["vix_slow"] == "50"
    assert described["market_cap"] == "date 2026-05-03, XLE 43.6, XLB 6.54, XLU 24.42"


def test_nothing_is_loaded_from_elsewhere(pair: tuple[SweepRun, Summary]) -> None:
    html = report_html(*pair)
    page = parse_page(html)
    assert not [part for part in page.iter() if {"src", "href", "srcset", "data"} & set(part.attrib)]
    assert re.findall(r"https?://[^\"'\s<]*", html) == ["http://www.w3.org/2000/svg"]  # a name, not an address
    assert "@import" not in html
    assert "url(" not in html
    assert len(html) < 1_000_000


def test_names_are_text_and_never_markup(pair: tuple[SweepRun, Summary]) -> None:
    run, summary = pair
    name = "</style><script>alert('1')</script>&amp;\"x\""
    strategy = replace(run.plan.grid.strategy, title=name, postures=("flat", name))
    grid = replace(run.plan.grid, strategy=strategy)
    changed = replace(run, plan=replace(run.plan, grid=grid), run=replace(run.run, grid_name=name))
    page = parse_page(report_html(changed, replace(summary, notes=(name,))))
    assert words(page.find(".//h1")) == name
    assert words(page.find("head/title")).startswith(name)
    assert words(find_class(page, "notes")[0]) == f"Note: {name}."
    assert f"held: {name}" in words(section(page, "Equity"))
    assert len(list(page.iter("script"))) == 2  # the chart's numbers and the page's own


def test_page_of_a_sweep_that_never_trades(simulated_store: Store) -> None:
    run, summary = swept(simulated_store, pair_grid({"hyg_drawdown": [-0.9, -0.8]}))
    page = parse_page(report_html(run, summary))
    assert titles(page) == ["Benchmarks", "Questions to the ledger", "Definitions"]
    assert "No combination ever traded" in words(find_class(page, "lead")[0])
    assert tables(section(page, "Benchmarks"))[0][1][0] == "SPY bought and held"


def test_page_without_spy(simulated_store: Store, tmp_path: str) -> None:
    store = open_store(f"{tmp_path}/store", create=True)
    for table in ("prices", "macro"):
        frame = scan(simulated_store, table).collect(engine="in-memory")
        rows = frame.filter(pl.col("symbol") != "SPY") if table == "prices" else frame
        append(store, table, rows.drop("seen_at"))
    run, summary = swept(store, pair_grid({"xlf_dma": [150, 200]}))
    part = section(parse_page(report_html(run, summary)), "Equity")
    assert "SPY is not in the store" in words(part)
    assert set(json.loads(next(part.iter("script")).text)["equity"]) == {"net", "gross", "always_on"}


@pytest.mark.parametrize("axes", [{"xlf_dma": [150, 200, 250]}, {"basket_weights": ["equal", "market_cap"]}, {}])
def test_page_of_a_grid_with_one_axis_or_none(simulated_store: Store, axes: dict[str, list[object]]) -> None:
    run, summary = swept(simulated_store, pair_grid(axes))
    page = parse_page(report_html(run, summary))
    assert "needs two parameters" in words(section(page, "Peak or plateau"))
    charts = find_class(section(page, "What each parameter does"), "chart")
    assert len(charts) == len(axes)
    assert len(find_class(section(page, "Equity"), "chart")) == 1
    for line in ("".join(part.itertext()) for part in page.iter("pre")):
        assert query(simulated_store, shlex.split(line)[2]).columns  # it can be asked, whatever the answer


def test_metric_of_which_less_is_better(simulated_store: Store) -> None:
    run, summary = swept(simulated_store, pair_grid(), "volatility")
    page = parse_page(report_html(run, summary))
    assert "The best 10 by volatility" in titles(page)
    assert "known for the Sharpe ratio only" in words(section(page, "All trials"))
    assert "ORDER BY volatility ASC" in next("".join(part.itertext()) for part in list(page.iter("pre"))[1:])
    assert not find_class(section(page, "Peak or plateau"), "below")


def test_each_posture_of_a_strategy_has_a_shade_of_its_own(simulated_store: Store) -> None:
    assert "vix_regime" in strategy_names()
    grid = parse_grid({"strategy": {"name": "vix_regime"}})
    run, summary = swept(simulated_store, grid)
    curves = equity_curves(run.plan, summary.best["combination"][0])
    held = sorted(set(curves["posture"].to_list()) - {0})
    assert len(held) > 1
    part = section(parse_page(report_html(run, summary)), "Equity")
    legend = words(find_class(part, "legend")[0])
    for posture in held:
        shades = [path for path in find_class(part, f"posture-{posture}") if path.tag == "path"]
        spans = np.count_nonzero(np.diff(np.r_[0, curves["posture"].to_numpy() == posture, 0]) == 1)
        assert [path.get("d").count("M") for path in shades] == [spans, spans]
        assert f"held: {grid.strategy.postures[posture]}" in legend
