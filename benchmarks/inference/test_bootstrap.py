"""The stationary bootstrap of an event study against arch's: alike results first, then the time.

Both resample 2,055 sessions, with the forward returns of a month and the days on which an event holds, 1,000 times, and
take the mean and the median return of the events of each resample. They draw from different generators, so the results
agree to the error of the resampling.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from arch.bootstrap import StationaryBootstrap, optimal_block_length
from numpy.typing import NDArray

from engine import inference

Floats = NDArray[np.float64]

ROWS, RESAMPLES, HORIZON = 2055, 1000, 21
ROUNDS = 3


def history() -> tuple[Floats, NDArray[np.bool_]]:
    """Forward returns that overlap, and an event in runs."""
    random = np.random.default_rng(1)
    growth = np.cumsum(random.normal(0.0003, 0.01, ROWS + HORIZON))
    events = np.repeat(random.random(ROWS // 15) < 0.3, 15)
    return growth[HORIZON:] - growth[:-HORIZON], np.append(events, np.zeros(ROWS - len(events), np.bool_))


def ours(returns: Floats, events: NDArray[np.bool_], length: float) -> Floats:
    """Mean and median of each resample, float64 (resamples, 2)."""
    options: dict[str, Any] = {"block_length": length, "resamples": RESAMPLES, "seed": 2}
    sums = inference.resampled_sums(np.column_stack([np.where(events, returns, 0.0), events]), **options)
    return np.column_stack([sums[:, 0] / sums[:, 1], inference.resampled_medians(returns, events, **options)])


def theirs(returns: Floats, events: NDArray[np.bool_], length: float) -> Floats:
    def statistics(drawn: Floats, held: Floats) -> Floats:
        observed = drawn[held]
        return np.array([observed.mean(), np.median(observed)])

    bootstrap = StationaryBootstrap(round(length), returns, events, seed=np.random.default_rng(3))
    found: Floats = bootstrap.apply(statistics, RESAMPLES)
    return found


def seconds(call: Callable[[], object]) -> float:
    """Shortest time of some rounds."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


def test_bootstrap(benchmark: Any) -> None:
    returns, events = history()
    residuals = np.where(events, returns - returns[events].mean(), 0.0)
    length = inference.optimal_block_length(residuals)
    assert abs(length / float(optimal_block_length(residuals)["stationary"].iloc[0]) - 1.0) < 1e-9
    length = float(round(max(length, HORIZON)))
    found, expected = ours(returns, events, length), theirs(returns, events, length)
    spread = expected.std(axis=0)
    assert (np.abs(found.mean(axis=0) - expected.mean(axis=0)) < 0.15 * spread).all()
    assert (np.abs(found.std(axis=0) / spread - 1.0) < 0.12).all()
    benchmark.extra_info["arch over ours"] = seconds(lambda: theirs(returns, events, length)) / seconds(
        lambda: ours(returns, events, length)
    )
    benchmark.pedantic(lambda: ours(returns, events, length), rounds=ROUNDS)
