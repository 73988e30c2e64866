import numpy as np
import polars as pl
import pytest

from engine.metrics import GROSS_METRICS, METRICS
from engine.sweep import statistics
from engine.sweep.statistics import Statistics
from engine.sweep.trials import TrialSet, fingerprints, metric_matrix

NAMES = [metric.name for metric in METRICS]


def random_metrics(rows: int, *, distinct: int, seed: int = 3) -> pl.DataFrame:
    """Metrics of combinations of which many are alike; some never trade."""
    random = np.random.default_rng(seed)
    trials = {name: random.normal(0.0, 10.0 ** random.integers(-3, 2), distinct) for name in (*NAMES, *GROSS_METRICS)}
    trials["trades"] = random.integers(0, 40, distinct)
    frame = pl.DataFrame(trials).with_columns(pl.col("trades").cast(pl.Int32))
    frame = frame.with_columns(pl.when(pl.col("trades") > 0).then(pl.col("sharpe")).alias("sharpe"))
    return frame[np.sort(random.integers(0, distinct, rows)).tolist()]


def observed(metrics: pl.DataFrame, parts: int, *, best: int = 0) -> Statistics:
    """Statistics of all rows, learned part by part in a random order and merged."""
    total = Statistics.empty("sharpe", best=best)
    edges = np.linspace(0, metrics.height, parts + 1).astype(int)
    for k in np.random.default_rng(parts).permutation(parts):
        part = Statistics.empty("sharpe", best=best)
        rows = np.arange(edges[k], edges[k + 1])
        part.observe(rows, metrics[rows])
        total.merge(Statistics.from_bytes(part.to_bytes()))
    return total


def test_counts_are_exact_and_do_not_depend_on_parts() -> None:
    metrics = random_metrics(20_000, distinct=700)
    whole, parts = observed(metrics, 1), observed(metrics, 7)
    assert whole.to_bytes() == parts.to_bytes()
    traded = metrics.filter(pl.col("trades") > 0)
    assert (whole.evaluated, whole.traded) == (20_000, traded.height)
    assert whole.never_traded == 20_000 - traded.height > 0
    assert whole.positive == (traded["total_return"] > 0).sum()
    assert whole.positive_share == pytest.approx((traded["total_return"] > 0).mean())
    assert whole.distinct_trials == metrics.select(NAMES).n_unique()
    assert whole.all_remembered


def test_distinct_trials_know_their_first_combination_and_how_many_are_alike() -> None:
    metrics = random_metrics(5_000, distinct=300)
    found = observed(metrics, 4).distinct.settle()
    numbered = metrics.with_row_index("combination")
    expected = numbered.group_by(NAMES).agg(pl.col("combination").min(), pl.len().alias("alike")).sort("combination")
    order = np.argsort(found.combinations)
    assert found.combinations[order].tolist() == expected["combination"].to_list()
    assert found.alike[order].tolist() == expected["alike"].to_list()


def test_best_and_worst_are_those_of_the_sorted_frame() -> None:
    metrics = random_metrics(30_000, distinct=2_000)
    found = observed(metrics, 5, best=300)
    ranked = (
        metrics.with_row_index("combination")
        .filter((pl.col("trades") > 0) & pl.col("sharpe").is_not_null())
        .group_by(NAMES)
        .agg(pl.col("combination").min(), pl.len().alias("alike"))
        .sort("sharpe", descending=True)
    )
    assert found.best.settle().combinations.tolist() == ranked["combination"].head(300).to_list()
    assert found.best.alike.tolist() == ranked["alike"].head(300).to_list()
    assert found.worst.settle().combinations.tolist() == ranked["combination"].reverse().head(200).to_list()


def test_less_volatility_ranks_first() -> None:
    metrics = random_metrics(1_000, distinct=400)
    found = Statistics.empty("volatility")
    found.observe(np.arange(1_000), metrics)
    least = metrics.filter(pl.col("trades") > 0)["volatility"].min()
    assert found.best.settle().values[0] == least


@pytest.mark.parametrize("metric", NAMES)
def test_quantiles_are_low_by_less_than_a_thousandth(metric: str) -> None:
    metrics = random_metrics(9_000, distinct=4_000)
    found = observed(metrics, 3)
    values = metrics.filter(pl.col("trades") > 0)[metric].drop_nulls().sort()
    shares = (0.0, 0.05, 0.25, 0.5, 0.95, 1.0)
    for share, quantile in zip(shares, found.quantiles(metric, shares), strict=True):
        exact = values[int(share * (len(values) - 1))]
        assert abs(quantile) <= abs(exact)
        assert quantile == pytest.approx(exact, rel=1e-3)
    assert found.quantiles(metric, [0.0, 1.0]) == [values[0], values[-1]]
    if metric == "trades":
        assert found.quantiles(metric, [0.5]) == [values[int(0.5 * (len(values) - 1))]]
    kept, counts = found.values(metric)
    assert counts.sum() == len(values)
    assert (np.diff(kept) > 0).all()


def test_many_distinct_trials_are_estimated_and_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "REMEMBERED", 4_096)
    metrics = random_metrics(200_000, distinct=60_000)
    found = observed(metrics, 6)
    distinct = metrics.select(NAMES).n_unique()
    assert not found.all_remembered
    assert found.distinct_trials == pytest.approx(distinct, rel=0.06)  # four standard errors of a 64th
    assert len(found.distinct.combinations) == 4_096
    sharpes = found.distinct.values[np.isfinite(found.distinct.values)]
    assert sharpes.std() == pytest.approx(metrics.select(NAMES).unique()["sharpe"].std(), rel=0.05)


def test_fingerprints_tell_rows_apart_and_see_through_signs_of_zero_and_nan() -> None:
    rows = metric_matrix(random_metrics(3_000, distinct=3_000))
    assert len(np.unique(fingerprints(rows))) == len(np.unique(np.nan_to_num(rows, nan=1e300), axis=0))
    alike = np.array([[0.0, np.nan], [-0.0, -np.nan], [0.0, 1.0], [1.0, 0.0]])
    names = fingerprints(alike)
    assert names[0] == names[1]
    assert len(np.unique(names)) == 3


def test_a_set_keeps_its_trials_however_they_arrive() -> None:
    random = np.random.default_rng(11)
    names = random.integers(0, 50, 400).astype(np.uint64)
    ranks = (names % np.uint64(7)).astype(np.float64)  # many equal ranks
    numbers = np.arange(400)
    sets = []
    for order in (np.arange(400), random.permutation(400)):
        held = TrialSet(12)
        for part in np.array_split(order, 9):
            held.add(names[part], ranks[part], numbers[part], np.ones(len(part), np.int64), ranks[part])
            held.settle()
        sets.append(held)
    first, second = sets
    assert first.names.tolist() == second.names.tolist()
    assert first.combinations.tolist() == second.combinations.tolist()
    assert first.alike.tolist() == [int((names == name).sum()) for name in first.names]


def test_nothing_observed_says_nothing() -> None:
    found = Statistics.from_bytes(Statistics.empty("sharpe").to_bytes())
    assert found.positive_share is None
    assert found.quantiles("sharpe", [0.5]) == [None]
    assert found.distinct_trials == 0
