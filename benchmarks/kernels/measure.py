"""Times and ratios that other programs on the machine disturb least: contestants take turns, medians are compared."""

import contextlib
import ctypes
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import numba
import numpy as np

from benchmarks.kernels.peers import PEERS, as_arrays
from benchmarks.kernels.table import ENTRIES, Row
from kernels.registry import inputs

SHORTEST = 1e-3
"""Seconds a sample lasts at least; short calls are repeated within it."""

ENOUGH = 0.5
"""Seconds for which the rounds of quick calls are repeated, because a disturbance weighs most on them."""

MOST_ROUNDS = 49

OURS = "ours"


def keep_memory() -> None:
    """Keep freed memory in the process instead of handing it back, where the C library can be told so (glibc).

    Else the system zeroes pages for every result, or not, depending on what else lies at the end of the heap: a cost as
    large as a fast kernel's own, which falls on one contestant or another by chance.
    """
    trim_threshold, mmap_threshold = -1, -3
    with contextlib.suppress(AttributeError, OSError, TypeError):
        tell = ctypes.CDLL(None).mallopt
        tell(mmap_threshold, 1 << 30)
        tell(trim_threshold, 1 << 30)


def contestants(row: Row, length: int) -> dict[str, Callable[[], Any]]:
    """Our kernel and its peers, each ready to be called on the same input. numbagg gets as many threads as ours."""
    keep_memory()
    numba.set_num_threads(min(row.threads, numba.config.NUMBA_NUM_THREADS))
    given = given_inputs(row, length)
    options = {"threads": row.threads} if row.threads > 1 else {}
    calls: dict[str, Callable[[], Any]] = {OURS: lambda: row.entry.function(*given, **row.parameters, **options)}
    for library in row.entry.peers:
        calls[library] = PEERS[library][row.kernel](given, row.parameters)
    if "rank alone" in row.targets:
        calls["rank alone"] = lambda: ENTRIES["rolling_rank"].function(*given, row.parameters["window"])
    return calls


def given_inputs(row: Row, length: int) -> tuple[Any, ...]:
    """Return the arrays of a row, a matrix of different series where it has columns."""
    if not row.columns:
        given = inputs(row.entry.inputs, length)
        if row.kernel == "hysteresis":  # the libraries let the entry win where both are true
            return given[0], given[1] & ~given[0]
        return given
    columns = min(row.columns, 40) if length < row.length else row.columns
    each = [inputs(row.entry.inputs, length, seed=seed) for seed in range(columns)]
    return tuple(np.ascontiguousarray(np.column_stack(parts)) for parts in zip(*each, strict=True))


def check(row: Row, calls: Mapping[str, Callable[[], Any]]) -> None:
    """Raise where a peer's result is not ours: a ratio of two different computations means nothing."""
    expected = as_arrays(calls[OURS](), row.kernel)
    if row.kernel == "regimes":
        expected = expected[:1]
    if row.kernel == "run_table":
        expected = [expected[0], expected[2]]
    for library, call in calls.items():
        if library in {OURS, "rank alone"}:
            continue
        for mine, theirs in zip(expected, as_arrays(call(), row.kernel), strict=True):
            begins_otherwise = row.kernel == "ema" and library in {"numbagg", "talib"}
            first = 20 * row.parameters["span"] if begins_otherwise else 0
            scale = float(np.nanmax(np.abs(mine), initial=0.0)) if mine.dtype.kind == "f" else 0.0
            np.testing.assert_allclose(
                np.asarray(theirs, dtype=np.float64)[..., first:] if mine.ndim == 1 else theirs[first:],
                np.asarray(mine, dtype=np.float64)[..., first:] if mine.ndim == 1 else mine[first:],
                rtol=1e-6,
                atol=1e-7 * scale,
                err_msg=f"{library}: {row.name}",
            )


def seconds(row: Row, calls: Mapping[str, Callable[[], Any]], least_rounds: int) -> dict[str, list[float]]:
    """Return the times of each contestant, one a round; in each round they follow one another.

    With one thread it is processor time that counts: on an idle machine it is the time by the clock, and on a busy one
    it leaves out the turns of other programs.
    """
    now = time.process_time if row.threads == 1 else time.perf_counter
    repeats, round_seconds = {}, 0.0
    for name, call in calls.items():
        call()
        begin = now()
        call()
        once = max(now() - begin, 1e-9)
        repeats[name] = max(1, int(SHORTEST / once))
        round_seconds += repeats[name] * once
    rounds = max(least_rounds, min(MOST_ROUNDS, int(ENOUGH / round_seconds)))
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            begin = now()
            for _ in range(repeats[name]):
                call()
            times[name].append((now() - begin) / repeats[name])
    return times


def ratios(times: Mapping[str, list[float]]) -> dict[str, float]:
    """Return how many times as long as ours each peer takes: the median of the ratios within each round."""
    ours = times[OURS]
    return {
        name: statistics.median(theirs / mine for theirs, mine in zip(series, ours, strict=True))
        for name, series in times.items()
        if name != OURS
    }


def against(target: str, measured: Mapping[str, float]) -> float:
    """Return the ratio a target speaks of."""
    if target == "best":
        return min(ratio for name, ratio in measured.items() if name != "rank alone")
    return measured[target]
