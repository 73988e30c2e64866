"""Every kernel against every peer in one run: equal results first, then the time."""

import statistics
from typing import Any

import pytest

from benchmarks.kernels.measure import OURS, check, contestants, ratios, seconds
from benchmarks.kernels.table import QUICK, ROWS, Row

ROUNDS = 9


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_speed(row: Row, benchmark: Any, results: dict[str, dict[str, Any]], timing: bool) -> None:
    calls = contestants(row, row.length if timing else min(row.length, QUICK))
    check(row, calls)
    if timing:
        times = seconds(row, calls, ROUNDS)
        values = row.length * max(row.columns, 1) * len(row.parameters.get("windows", "1"))
        results[row.name] = {
            "nanoseconds": statistics.median(times[OURS]) / values * 1e9,
            "ratios": ratios(times),
        }
        benchmark.extra_info.update(results[row.name])
    benchmark.pedantic(calls[OURS], rounds=3)
