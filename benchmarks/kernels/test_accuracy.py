"""Digits of rolling standard deviations, ours and the other libraries', on series where they are easily lost."""

from typing import Any

import numpy as np
import pytest

from benchmarks.kernels.peers import PEERS, as_arrays
from kernels import rolling_std
from kernels.registry import KERNELS
from tests.kernels.exact import LENGTH, NAMES, exact, root, series

PEERS_OF_STD = next(entry.peers for entry in KERNELS if entry.name == "rolling_std")


@pytest.mark.parametrize("window", [60, 1260])
@pytest.mark.parametrize("name", NAMES)
def test_accuracy(name: str, window: int, benchmark: Any, digits: dict[str, dict[str, float]]) -> None:
    values = series(name)
    random = np.random.default_rng(1)
    after = [row for spike in (1260, 1500) for row in range(spike + window - 1, spike + window + 3)]
    rows = np.array(sorted({*random.integers(window, LENGTH, 60).tolist(), *(row for row in after if row < LENGTH)}))
    true = np.array([root(exact(values[row - window + 1 : row + 1])[1]) for row in rows])
    results = {"ours": rolling_std(values, window)}
    for library in PEERS_OF_STD:
        call = PEERS[library]["rolling_std"]((values,), {"window": window})
        results[library] = as_arrays(call(), "rolling_std")[0]
    errors = {library: np.abs(result[rows] / true - 1) for library, result in results.items()}
    digits[f"{name}, window {window}"] = {
        library: float(np.max(np.where(np.isnan(error), np.inf, error))) for library, error in errors.items()
    }
    benchmark.pedantic(rolling_std, (values, window), rounds=3)
    assert digits[f"{name}, window {window}"]["ours"] <= 1e-12
