"""Threads: pieces that cover everything once, one thread inside workers, a pool that survives a fork."""

import multiprocessing
import os
from collections.abc import Iterator

import numpy as np
import pytest

import kernels
from kernels import threads


@pytest.fixture(autouse=True)
def fresh_limit() -> Iterator[None]:
    threads.thread_limit.cache_clear()
    yield
    threads.thread_limit.cache_clear()


def test_pieces_cover_everything_once_and_begin_at_grains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_THREADS", "4")
    for length, grain in ((100, 7), (4, 1), (1000, 60), (59, 60), (0, 3), (121, 40)):
        seen: list[tuple[int, int]] = []
        threads.in_parallel(lambda start, stop, seen=seen: seen.append((start, stop)), length, grain, 4)
        assert sorted(row for start, stop in seen for row in range(start, stop)) == list(range(length))
        assert all(start % grain == 0 for start, _ in seen)


def test_an_error_in_a_piece_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_THREADS", "2")

    def fail(start: int, stop: int) -> None:
        if start:
            message = f"piece {start} to {stop}"
            raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="piece 5 to 10"):
        threads.in_parallel(fail, 10, 5, 2)


def limit_of_a_worker(_: int) -> int:
    return threads.thread_limit()


def test_a_worker_process_has_one_thread() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(limit_of_a_worker, [0]) == [1]
    assert threads.thread_limit() >= 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_can_use_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_THREADS", "2")
    values = np.random.default_rng(0).normal(size=100_000)
    expected = kernels.rolling_mean(values, 20, threads=2)
    child = os.fork()
    if child == 0:
        same = np.array_equal(kernels.rolling_mean(values, 20, threads=2), expected, equal_nan=True)
        os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
