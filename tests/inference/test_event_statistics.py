"""Event and state statistics: against plain loops, against statsmodels and arch, and against known answers."""

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.inference import (
    EventStatistics,
    StateStatistics,
    benjamini_hochberg,
    effective_observations,
    episodes,
    event_statistics,
    expanded_percentiles,
    hansen_hodrick,
    newey_west,
    optimal_block_length,
    random_entry_null,
    resampled_medians,
    resampled_sums,
    richardson_smith,
    state_statistics,
    wilson_interval,
)
from engine.inference.standard_errors import student_t_p_value, student_t_quantile

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ROWS = 1200


def autoregressive(rows: int, *, seed: int, correlation: float = 0.1, mean: float = 0.0) -> Floats:
    """Daily returns with a known mean and first autocorrelation."""
    noise = np.random.default_rng(seed).normal(0.0, 0.01, rows + 50)
    values = np.empty_like(noise)
    previous = 0.0
    for t, shock in enumerate(noise):
        previous = values[t] = correlation * previous + shock
    return mean + values[50:]


def forward(returns: Floats, horizon: int) -> Floats:
    """Sum of the next ``horizon`` returns; NaN where they are not all there."""
    sums = np.full(len(returns), np.nan)
    for t in range(len(returns) - horizon):
        sums[t] = returns[t + 1 : t + 1 + horizon].sum()
    return sums


def clustered(rows: int, *, seed: int, share: float = 0.01, length: float = 8.0) -> Flags:
    """Events in runs of geometric length."""
    random = np.random.default_rng(seed)
    events = np.zeros(rows, np.bool_)
    t = 0
    while t < rows:
        if random.random() < share:
            run = int(random.geometric(1.0 / length))
            events[t : t + run] = True
            t += run
        t += 1
    return events


def test_episodes_are_runs() -> None:
    events = np.array([1, 1, 0, 1, 0, 0, 1, 1, 1], np.bool_)
    found = episodes(events)
    assert found.starts.tolist() == [0, 3, 6]
    assert found.lengths.tolist() == [2, 1, 3]
    assert episodes(np.zeros(4, np.bool_)).count == 0


@pytest.mark.parametrize("horizon", [1, 5, 21, 63])
def test_effective_observations_by_all_pairs(horizon: int) -> None:
    events = clustered(400, seed=horizon, share=0.05)
    rows = np.flatnonzero(events).tolist()
    shared = sum(max(0.0, 1.0 - abs(i - j) / horizon) for i, j in itertools.product(rows, rows))
    assert effective_observations(events, horizon) == pytest.approx(len(rows) ** 2 / shared, rel=1e-12)


def test_effective_observations_of_a_long_run_and_of_lone_events() -> None:
    assert effective_observations(np.ones(2100, np.bool_), 21) == pytest.approx(100.0, rel=0.02)
    lone = np.zeros(500, np.bool_)
    lone[::50] = True
    assert effective_observations(lone, 50) == 10.0
    assert effective_observations(np.zeros(9, np.bool_), 3) == 0.0


@pytest.mark.parametrize("horizon", [1, 5, 21])
def test_standard_errors_agree_with_statsmodels(horizon: int) -> None:
    from statsmodels.regression.linear_model import OLS

    returns = np.nan_to_num(forward(autoregressive(ROWS, seed=2), horizon))
    events = clustered(ROWS, seed=3, share=0.02)
    indicator = events.astype(np.float64)
    fit = OLS(returns * indicator, indicator)

    def reference(lags: int, kernel: str) -> float:
        options = {"maxlags": lags, "kernel": kernel, "use_correction": False}
        return float(fit.fit(cov_type="HAC", cov_kwds=options).bse[0])

    assert hansen_hodrick(returns, events, horizon) == pytest.approx(reference(horizon - 1, "uniform"), rel=1e-12)
    assert newey_west(returns, events, 7) == pytest.approx(reference(7, "bartlett"), rel=1e-12)


def test_without_overlap_the_imposed_error_is_the_usual_one() -> None:
    from scipy.stats import sem

    returns, events = autoregressive(300, seed=4), clustered(300, seed=5, share=0.1)
    assert richardson_smith(returns, events, 1) == pytest.approx(float(sem(returns[events])), rel=1e-12)


def test_an_estimated_error_of_one_episode_is_no_error() -> None:
    """All pairs of one short run count alike, so that their sum is the square of 0: nothing or rounding."""
    returns = forward(autoregressive(200, seed=6), 21)
    events = np.zeros(200, np.bool_)
    events[50:55] = True
    estimated = hansen_hodrick(np.nan_to_num(returns), events, 21)
    assert estimated is None or estimated < 1e-9
    assert richardson_smith(np.nan_to_num(returns), events, 21) is None


@pytest.mark.parametrize("degrees", [0.7, 1.5, 4.0, 33.3, 2000.0])
def test_student_t_agrees_with_scipy(degrees: float) -> None:
    from scipy.stats import t

    for statistic in (0.0, 1e-3, 0.5, 1.96, 7.0, 60.0):
        assert student_t_p_value(statistic, degrees) == pytest.approx(float(2.0 * t.sf(statistic, degrees)), rel=1e-10)
    assert student_t_quantile(degrees, 0.95) == pytest.approx(float(t.ppf(0.975, degrees)), rel=1e-9)


def series_of_many_kinds() -> list[Floats]:
    random = np.random.default_rng(7)
    walk = random.normal(size=700).cumsum()
    sparse = np.where(clustered(900, seed=8), random.normal(size=900), 0.0)
    return [
        random.normal(size=800),
        walk,
        forward(autoregressive(900, seed=9), 21)[:870],
        sparse,
        random.normal(size=40),
    ]


@pytest.mark.parametrize("values", series_of_many_kinds())
def test_block_length_agrees_with_arch(values: Floats) -> None:
    from arch.bootstrap import optimal_block_length as reference

    expected = max(1.0, float(reference(values)["stationary"].iloc[0]))
    assert optimal_block_length(values) == pytest.approx(expected, rel=1e-9)


def test_block_length_of_what_has_none() -> None:
    assert optimal_block_length(np.ones(100)) == 1.0
    assert optimal_block_length(np.arange(5.0)) == 1.0


def drawn_rows(rows: int, block_length: float, resamples: int, seed: int) -> list[list[int]]:
    """Rows of each resample, from the description: blocks begin anywhere and go on with probability 1 - 1/length."""
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        chosen: list[int] = []
        while len(chosen) < rows:
            start, chance = int(random.random() * rows), 1.0 - random.random()
            length = 1 if block_length == 1.0 else 1 + math.floor(math.log(chance) / math.log(1.0 - 1.0 / block_length))
            chosen.extend((start + k) % rows for k in range(length))
        drawn.append(chosen[:rows])
    return drawn


@pytest.mark.parametrize("block_length", [1.0, 6.5, 300.0])
def test_resamples_by_hand(block_length: float) -> None:
    returns, events = autoregressive(150, seed=10), clustered(150, seed=11, share=0.05, length=4.0)
    rows = drawn_rows(150, block_length, 40, seed=12)
    options = {"block_length": block_length, "resamples": 40, "seed": 12}
    sums = resampled_sums(np.column_stack([returns, events]), **options)  # type: ignore[arg-type]
    medians = resampled_medians(returns, events, **options)  # type: ignore[arg-type]
    for k, chosen in enumerate(rows):
        np.testing.assert_allclose(sums[k], [returns[chosen].sum(), events[chosen].sum()], rtol=1e-10, atol=1e-13)
        observed = [returns[row] for row in chosen if events[row]]
        assert np.isnan(medians[k]) if not observed else medians[k] == np.median(observed)


def test_resamples_spread_as_those_of_arch() -> None:
    from arch.bootstrap import StationaryBootstrap

    values = forward(autoregressive(600, seed=13), 10)[:580]
    ours = resampled_sums(values[:, None], block_length=15.0, resamples=3000, seed=14)[:, 0] / 580
    bootstrap = StationaryBootstrap(15, values, seed=np.random.default_rng(15))
    theirs = bootstrap.apply(np.mean, 3000)[:, 0]
    assert ours.mean() == pytest.approx(theirs.mean(), abs=0.1 * theirs.std())
    assert ours.std() == pytest.approx(theirs.std(), rel=0.08)


def test_random_entry_against_every_placement() -> None:
    returns = np.array([0.01, 0.03, -0.02, 0.05, np.nan, -0.04, 0.02, 0.0, 0.01, -0.03])
    # A run of two, and a lone event; the one in row 4 owns no return.
    events = np.array([0, 1, 1, 0, 1, 0, 0, 0, 1, 0], np.bool_)
    rows = np.flatnonzero(~np.isnan(returns))
    means = []
    for first, second in itertools.product(range(len(rows) - 1), range(len(rows))):
        if second in (first - 1, first, first + 1, first + 2):
            continue
        means.append(returns[rows[[first, first + 1, second]]].mean())
    own = returns[[1, 2, 8]].mean()
    higher, lower = (np.array(means) >= own - 1e-15).mean(), (np.array(means) <= own + 1e-15).mean()
    found = random_entry_null(returns, events, seed=16, resamples=40_000)
    assert found is not None
    assert found.mean == pytest.approx(np.mean(means), abs=2e-4)
    assert found.p_value == pytest.approx(min(1.0, 2.0 * min(higher, lower)), abs=0.015)
    assert found.higher_p_value == pytest.approx(higher, abs=0.01)
    assert found.low == pytest.approx(np.quantile(means, 0.025), abs=2e-4)


def test_random_entry_keeps_overlapping_episodes_together() -> None:
    returns = np.random.default_rng(26).normal(size=12)
    events = np.array([0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0], np.bool_)  # with a horizon of 3, two clusters: 4 rows and 1
    patterns = []
    for first, second in itertools.product(range(9), range(12)):
        if second not in range(first - 1, first + 5):
            patterns.append([first, first + 1, first + 3, second])
    means = [returns[rows].mean() for rows in patterns]
    found = random_entry_null(returns, events, seed=27, horizon=3, resamples=40_000)
    assert found is not None
    own = returns[events].mean()
    higher, lower = (np.array(means) >= own - 1e-15).mean(), (np.array(means) <= own + 1e-15).mean()
    assert found.mean == pytest.approx(np.mean(means), abs=0.01)
    assert found.p_value == pytest.approx(min(1.0, 2.0 * min(higher, lower)), abs=0.015)
    assert found.p_value != random_entry_null(returns, events, seed=27, horizon=1, resamples=40_000).p_value  # type: ignore[union-attr]


def test_random_entry_needs_another_place() -> None:
    returns = np.arange(6.0)
    assert random_entry_null(returns, np.zeros(6, np.bool_), seed=1) is None
    assert random_entry_null(returns, np.ones(6, np.bool_), seed=1) is None
    assert random_entry_null(returns, np.array([1, 0, 1, 0, 1, 1], np.bool_), seed=1) is not None
    assert random_entry_null(returns[:5], np.array([1, 0, 1, 0, 1], np.bool_), seed=1, horizon=2) is None


def test_wilson_agrees_with_statsmodels() -> None:
    from statsmodels.stats.proportion import proportion_confint

    for successes, n in ((0, 5), (3, 5), (81, 100), (26, 26)):
        assert wilson_interval(successes, n) == pytest.approx(
            proportion_confint(successes, n, method="wilson"), abs=1e-12
        )
    assert wilson_interval(0.0, 0.9) is None
    with pytest.raises(ValueError, match="6 successes of 5"):
        wilson_interval(6, 5)


def test_benjamini_hochberg_agrees_with_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    p_values = np.random.default_rng(17).random(30) ** 3
    adjusted = benjamini_hochberg([None, *p_values, None])
    assert adjusted[0] is None
    assert adjusted[-1] is None
    assert adjusted[1:-1] == pytest.approx(multipletests(p_values, method="fdr_bh")[1], rel=1e-12)
    assert benjamini_hochberg([]) == ()


def described(seed: int, horizon: int = 5, mean: float = 0.0) -> EventStatistics:
    returns = forward(autoregressive(ROWS, seed=seed, mean=mean), horizon)
    return event_statistics(returns, clustered(ROWS, seed=seed + 1), horizon=horizon, seed=5, resamples=300)


def test_what_is_counted_and_averaged() -> None:
    returns = forward(autoregressive(ROWS, seed=18), 21)
    events = clustered(ROWS, seed=19)
    events[-30:] = True  # the last of them own no complete return
    statistics = event_statistics(returns, events, horizon=21, seed=1)
    observed = [returns[t] for t in range(ROWS) if events[t] and not np.isnan(returns[t])]
    runs = [t for t in range(ROWS - 21) if events[t] and (t == 0 or not events[t - 1])]
    assert (statistics.n, statistics.episodes) == (len(observed), len(runs))
    assert statistics.mean == pytest.approx(np.mean(observed), rel=1e-12)
    assert statistics.median == np.median(observed)
    assert statistics.positive == np.mean(np.array(observed) > 0)
    assert 1.0 < statistics.effective_n < statistics.n / 3


@pytest.mark.parametrize("horizon", [1, 21])
def test_intervals_hold_the_truth_as_often_as_they_say(horizon: int) -> None:
    """Over 150 histories with a mean of 0, 95% of which must be covered, and not by endless intervals."""
    found = [described(seed, horizon) for seed in range(0, 300, 2)]
    known = [each for each in found if each.mean_low is not None]
    assert len(known) > 100
    covered = {
        "mean": [each.mean_low <= 0.0 <= each.mean_high for each in known],  # type: ignore[operator]
        "median": [each.median_low <= 0.0 <= each.median_high for each in known],  # type: ignore[operator]
        "positive": [each.positive_low <= 0.5 <= each.positive_high for each in known],  # type: ignore[operator]
        "against 0": [each.p_value > 0.05 for each in known],  # type: ignore[operator]
        "random entry": [each.null_p_value > 0.05 for each in known],  # type: ignore[operator]
    }
    for name, holds in covered.items():
        assert 0.87 <= np.mean(holds) <= 0.995, name


def test_a_mean_that_is_not_0_is_found() -> None:
    found = [described(seed, 5, mean=0.004) for seed in range(0, 40, 2)]
    assert np.mean([each.p_value is not None and each.p_value < 0.05 for each in found]) > 0.8
    assert np.mean([each.null_p_value is not None and each.null_p_value < 0.05 for each in found]) < 0.25


def test_event_statistics_are_reproducible_from_their_seed() -> None:
    assert described(20) == described(20)
    returns, events = forward(autoregressive(ROWS, seed=20), 5), clustered(ROWS, seed=21)
    other = event_statistics(returns, events, horizon=5, seed=6)
    assert other.mean_low != described(20).mean_low


@pytest.mark.parametrize("count", [0, 1, 4])
def test_nothing_is_said_of_few_events(count: int) -> None:
    returns = forward(autoregressive(300, seed=22), 5)
    events = np.zeros(300, np.bool_)
    events[40 : 40 + 50 * count : 50] = True
    statistics = event_statistics(returns, events, horizon=5, seed=1)
    assert (statistics.n, statistics.episodes, statistics.effective_n) == (count, count, count)
    assert (statistics.mean is None) == (statistics.positive_low is None) == (count == 0)
    silent = ("mean_low", "mean_high", "median_low", "median_high", "standard_error", "p_value", "block_length")
    assert all(getattr(statistics, name) is None for name in silent)


def test_nothing_is_said_of_returns_that_are_all_equal() -> None:
    statistics = event_statistics(np.full(100, 0.01), clustered(100, seed=23, share=0.2), horizon=1, seed=1)
    assert statistics.mean == pytest.approx(0.01, rel=1e-12)
    assert (statistics.mean_low, statistics.standard_error, statistics.p_value) == (None, None, None)
    with pytest.raises(ValueError, match="of one length"):
        event_statistics(np.zeros(3), np.zeros(2, np.bool_), horizon=1, seed=1)


def state(seed: int, *, mean: float = 0.0, correlation: float = 0.1) -> tuple[StateStatistics, Floats]:
    returns = autoregressive(ROWS, seed=seed, mean=mean, correlation=correlation)
    holds = clustered(ROWS, seed=seed + 1, share=0.03, length=15.0)
    return state_statistics(returns, holds, seed=3, resamples=300), returns[holds]


def test_state_statistics_by_hand() -> None:
    statistics, owned = state(24)
    assert statistics.mean == pytest.approx(252 * owned.mean(), rel=1e-12)
    assert statistics.volatility == pytest.approx(owned.std(ddof=1) * math.sqrt(252), rel=1e-12)
    grown = 1.0
    for value in owned:
        grown *= 1.0 + value
    assert statistics.growth == pytest.approx(grown, rel=1e-12)
    assert statistics.sharpe == pytest.approx(owned.mean() / owned.std(ddof=1) * math.sqrt(252), rel=1e-12)
    assert statistics == state(24)[0]


def test_sharpe_interval_is_that_of_the_ratio_in_each_resample() -> None:
    returns = autoregressive(ROWS, seed=24, mean=0.0004)
    holds = clustered(ROWS, seed=25, share=0.03, length=15.0)
    found = state_statistics(returns, holds, seed=3, resamples=300)
    held = returns[holds]
    columns = np.column_stack([holds, np.where(holds, returns, 0.0), np.where(holds, returns**2, 0.0)])
    length = optimal_block_length(np.where(holds, returns - held.mean(), 0.0))
    ratios = []
    for n, total, squares in resampled_sums(columns, block_length=length, resamples=300, seed=3):
        mean, variance = total / n, (squares - total**2 / n) / (n - 1.0)
        ratios.append(mean / math.sqrt(variance) * math.sqrt(252))
    expected = np.quantile(ratios, expanded_percentiles(float(len(held))))
    assert (found.sharpe_low, found.sharpe_high) == pytest.approx(tuple(expected), rel=1e-9)


def test_state_intervals_hold_the_truth() -> None:
    ratio = [each.sharpe_low <= 0.0 <= each.sharpe_high for each in (state(seed)[0] for seed in range(0, 120, 2))]  # type: ignore[operator]
    assert 0.85 <= np.mean(ratio) <= 1.0
    true_volatility = 0.01 / math.sqrt(1 - 0.1**2) * math.sqrt(252)
    found = [state(seed)[0] for seed in range(0, 240, 2)]
    covered = {
        "mean": [each.mean_low <= 0.0 <= each.mean_high for each in found],  # type: ignore[operator]
        "volatility": [each.volatility_low <= true_volatility <= each.volatility_high for each in found],  # type: ignore[operator]
        "against 0": [each.p_value > 0.05 for each in found],  # type: ignore[operator]
        "random entry": [each.null_p_value > 0.05 for each in found],  # type: ignore[operator]
    }
    for name, holds in covered.items():
        assert 0.87 <= np.mean(holds) <= 0.995, name
    assert all(each.growth_low < each.growth < each.growth_high for each in found)  # type: ignore[operator]


def test_nothing_is_said_of_a_state_that_hardly_holds() -> None:
    returns, holds = autoregressive(60, seed=25), np.zeros(60, np.bool_)
    assert state_statistics(returns, holds, seed=1).growth is None
    holds[10:13] = True
    statistics = state_statistics(returns, holds, seed=1)
    assert statistics.n == 3
    assert statistics.volatility is not None
    assert (statistics.mean_low, statistics.growth_low, statistics.p_value) == (None, None, None)
    with pytest.raises(ValueError, match="of one length"):
        state_statistics(returns, holds[:-1], seed=1)
