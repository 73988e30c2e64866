"""Later rows never change a bit of earlier results, nor do the number of threads and the way a matrix is stored."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from kernels import threads
from kernels.registry import KERNELS, Entry, inputs
from tests.kernels.results import CASE_NAMES, CASES, ENTRY_NAMES, arrays, assert_same_bits

CUTS = (1, 2, 3, 4, 5, 19, 20, 21, 59, 60, 61, 62, 63, 121, 200, 301)


@pytest.fixture(autouse=True)
def three_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ENGINE_THREADS", "3")
    threads.thread_limit.cache_clear()
    yield
    threads.thread_limit.cache_clear()


@pytest.mark.parametrize("variant", ["plain", "rounded", "missing"])
@pytest.mark.parametrize(("entry", "parameters"), CASES, ids=CASE_NAMES)
def test_the_past_does_not_depend_on_the_future(entry: Entry, parameters: dict[str, Any], variant: Any) -> None:
    given = inputs(entry.inputs, 307, variant=variant)
    whole = arrays(entry.function(*given, **parameters))
    changed = False
    for cut in CUTS:
        past = arrays(entry.function(*(array[:cut].copy() for array in given), **parameters))
        expected = [part[..., :cut] for part in whole]
        if entry.causal:
            assert_same_bits(tuple(past), tuple(expected), f"first {cut} rows")
        else:
            changed |= any(a.shape != b.shape or not np.array_equal(a, b, equal_nan=True)
                           for a, b in zip(past, expected, strict=True) if a.dtype == np.float64)  # fmt: skip
    if not entry.causal and entry.inputs == "returns" and variant == "plain":
        assert changed, "declared to look ahead, but does not"


@pytest.mark.parametrize("entry", [e for e in KERNELS if e.causal and e.min_periods], ids=lambda e: e.name)
def test_nor_do_values_that_are_missing_later(entry: Entry) -> None:
    """A block with a missing value takes another path; the rows before it must not notice."""
    given = inputs(entry.inputs, 187)
    later = tuple(array.copy() for array in given)
    for array in later:
        array[150:] = np.nan
        array[170] = np.inf
    for parameters in entry.parameters:
        for least in (None, max(parameters["window"] // 2, 1)):
            whole = arrays(entry.function(*given, **parameters, min_periods=least))
            cut = arrays(entry.function(*later, **parameters, min_periods=least))
            assert_same_bits(tuple(p[..., :150] for p in cut), tuple(p[..., :150] for p in whole), f"{parameters}")


@pytest.mark.parametrize("entry", [e for e in KERNELS if e.threads], ids=lambda e: e.name)
def test_threads_do_not_change_a_bit(entry: Entry) -> None:
    given = inputs(entry.inputs, 70_001)
    parameters = entry.parameters[0]
    alone = entry.function(*given, **parameters)
    for count in (2, 3):
        assert_same_bits(entry.function(*given, **parameters, threads=count), alone, f"{count} threads")


@pytest.mark.parametrize("entry", [e for e in KERNELS if e.columns], ids=lambda e: e.name)
def test_columns_have_the_bits_of_single_series(entry: Entry) -> None:
    parameters = entry.parameters[0]
    for rows, columns in ((0, 3), (1, 1), (41, 5), (66, 70)):
        series = [inputs(entry.inputs, rows, variant="missing", seed=seed) for seed in range(columns)]
        given = [np.column_stack(each) if rows else np.empty((0, columns)) for each in zip(*series, strict=True)]
        expected = [arrays(entry.function(*each, **parameters)) for each in series]
        stacked = tuple(np.stack(parts, axis=-1) for parts in zip(*expected, strict=True))
        assert_same_bits(entry.function(*given, **parameters), stacked, "stored by rows")
        by_columns = [np.asfortranarray(array) for array in given]
        assert_same_bits(entry.function(*by_columns, **parameters), stacked, "stored by columns")
        if entry.threads:
            assert_same_bits(entry.function(*given, **parameters, threads=3), stacked, "threads")


@pytest.mark.parametrize("entry", KERNELS, ids=ENTRY_NAMES)
def test_the_same_twice(entry: Entry) -> None:
    given = inputs(entry.inputs, 500, variant="missing")
    parameters = entry.parameters[0]
    assert_same_bits(entry.function(*given, **parameters), entry.function(*given, **parameters))
