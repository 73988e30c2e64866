"""A sweep on a Dask cluster: its workers evaluate, this process keeps the books and writes the ledger.

The panel and the tables go to each worker once, as a plugin that Dask also sets up on workers that join later or come
back after they died. A task is a range of combinations; which worker evaluates it, how often and beside what changes no
bit of its result. What is not stored is counted where it is evaluated, so that only counts travel.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.sweep.combinations import Selection
from engine.sweep.evaluation import SweepError, evaluate_some
from engine.sweep.fused_backend import Evaluator, make_evaluator
from engine.sweep.fused_blocks import BLOCK, evaluate_blocks
from engine.sweep.keep import Keep
from engine.sweep.part import Part, kept_rows
from engine.sweep.statistics import Statistics
from engine.version import code_version

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["Cluster", "ClusterError", "evaluate_on_cluster", "open_cluster"]

CONNECT_SECONDS = 5.0
WORKERS_SECONDS = 30.0
RETRIES = 5

TASK_SECONDS = 2.0
"""What a task should take: long beside the tenth of a second in which its answer is merged, short beside a sweep."""

TASKS_A_THREAD = 8
"""Tasks that a thread gets at least, so that all of them end at about the same time."""

LARGEST_TASK, LARGEST_STORED_TASK = 128 * BLOCK, 8 * BLOCK
"""Combinations of a task, where only counts or where all results travel back."""

PLUGIN = "sweep"


class ClusterError(SweepError):
    """There is no cluster to evaluate with."""


class Cluster(NamedTuple):
    """A cluster that answers, has workers, and runs this code."""

    client: "Client"
    address: str


@dataclass(frozen=True)
class Job:
    """What a worker needs to evaluate any part of a sweep."""

    selection: Selection
    keep: Keep
    kept: NDArray[np.int64] | None
    metric: str
    one_pass: bool = False


def evaluate_on_cluster(
    selection: Selection,
    cluster: Cluster,
    keep: Keep,
    kept: NDArray[np.int64] | None,
    *,
    start: int = 0,
    one_pass: bool = False,
) -> Iterator[Part]:
    """Evaluate the combinations of a selection from one on, on a cluster.

    Parameters
    ----------
    cluster
        From `open_cluster`.
    keep, kept
        What is stored, see `engine.sweep.part.kept_rows`; other results do not travel.
    start
        Number of the first combination that is wanted.
    one_pass
        See `engine.sweep.fused_blocks.evaluate_blocks`.

    Yields
    ------
    Parts in the order of the grid.

    Raises
    ------
    ClusterError
        The workers cannot take the sweep, or a task failed more often than is an accident.
    """
    job = Job(selection, keep, kept, selection.plan.grid.evaluation.metric, one_pass)
    _hand_out(cluster, job)
    size = _task_size(job, sum(cluster.client.nthreads().values()))
    yield from _in_order(cluster, selection.spans(size, start))


def _task_size(job: Job, threads: int) -> int:
    """Choose how many combinations make a task, by what a block takes here."""
    plan = job.selection.plan
    block = next(job.selection.blocks(), np.empty(0, np.int64))
    evaluate_some(plan, block[:1], "fused", memory=0)
    began = time.perf_counter()
    evaluate_some(plan, block, "fused", memory=0)
    seconds = max(time.perf_counter() - began, 1e-9)
    most = LARGEST_STORED_TASK if job.keep.kind == "all" else LARGEST_TASK
    share = job.selection.count // (TASKS_A_THREAD * max(threads, 1))
    blocks = max(1, round(min(most, share, TASK_SECONDS * len(block) / seconds) / BLOCK))
    return blocks * BLOCK


@contextmanager
def open_cluster(address: str) -> Iterator[Cluster]:
    """Connect to a cluster; one of this machine is started and ended here.

    Parameters
    ----------
    address
        Of a Dask scheduler, such as ``tcp://10.0.0.1:8786``, or ``local:N`` for N processes of this machine.

    Raises
    ------
    ClusterError
        Dask is not installed, nothing answers at the address, it has no workers, or they run other code.
    """
    try:
        import dask  # noqa: PLC0415 - an optional extra
        from distributed import Client, LocalCluster  # noqa: PLC0415
    except ImportError:
        message = "--cluster needs Dask, which is not installed: pip install '.[cluster]'"
        raise ClusterError(message) from None
    with ExitStack() as opened:
        opened.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": RETRIES}))
        for name in ("distributed", "distributed.worker", "distributed.nanny", "distributed.scheduler"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        where: Any = address
        if address.startswith("local:"):
            count = address.removeprefix("local:")
            if not count.isdecimal() or int(count) < 1:
                message = f"{address!r} is not a cluster: write local:2 for two processes, or tcp://HOST:PORT"
                raise ClusterError(message)
            where = opened.enter_context(
                LocalCluster(
                    n_workers=int(count),
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address=None,
                    memory_limit=0,
                    silence_logs=logging.CRITICAL,
                )
            )
        try:
            client = opened.enter_context(Client(where, timeout=CONNECT_SECONDS, set_as_default=False))
        except (OSError, ValueError, TypeError) as error:
            message = (
                f"no Dask scheduler answers at {address} ({_first_line(error)}): check the address, which looks like "
                "tcp://HOST:8786, and that `dask scheduler` runs there"
            )
            raise ClusterError(message) from None
        cluster = Cluster(client, address)
        _require_workers(cluster)
        yield cluster


def _require_workers(cluster: Cluster) -> None:
    """Refuse a cluster without workers, or with some that run other code."""
    address = cluster.address
    try:
        cluster.client.wait_for_workers(1, timeout=WORKERS_SECONDS)
    except TimeoutError:
        message = f"the Dask scheduler at {address} has no workers: start some with `dask worker {address}`"
        raise ClusterError(message) from None
    try:
        versions = cluster.client.run(code_version)
    except Exception as error:  # noqa: BLE001 - whatever a worker lacks comes back as its own exception
        raise _unable(cluster, error) from None
    here = code_version()
    other = sorted({found for found in versions.values() if found != here})
    if other:
        message = f"the workers at {address} run the code {other[0]}, and this is {here}: install the same there"
        raise ClusterError(message)


def _unable(cluster: Cluster, error: Exception) -> ClusterError:
    return ClusterError(
        f"the workers at {cluster.address} cannot take the sweep ({_first_line(error)}): install this engine there, "
        "with the same Python and packages as here"
    )


def _hand_out(cluster: Cluster, job: Job) -> None:
    """Send the job to all workers, those to come included."""
    from distributed import WorkerPlugin  # noqa: PLC0415

    class Hand(WorkerPlugin):  # type: ignore[misc]  # Dask has no types
        """Keeps the job where tasks find it."""

        name = PLUGIN

        def __init__(self, job: Job) -> None:
            self.job = job
            self.evaluator: Evaluator | None = None

        def setup(self, worker: Any) -> None:  # noqa: ARG002 - Dask passes it
            self.evaluator = make_evaluator(self.job.selection.plan)

    try:
        cluster.client.register_plugin(Hand(job))
    except Exception as error:  # noqa: BLE001 - as above
        raise _unable(cluster, error) from None


def _in_order(cluster: Cluster, spans: Iterator[tuple[int, int]]) -> Iterator[Part]:
    """Hand out tasks and yield their parts in order, with as many at work as keep all threads busy."""
    client = cluster.client
    waiting: dict[int, Future] = {}
    first = last = 0
    while True:
        ahead = max(4, 3 * sum(client.nthreads().values()))
        while last - first < ahead and (span := next(spans, None)) is not None:
            waiting[last] = client.submit(evaluate_span, *span, retries=RETRIES, pure=False, key=f"{PLUGIN}-{span[0]}")
            last += 1
        if first == last:
            return
        yield _part(waiting.pop(first), cluster.address)
        first += 1


def _part(future: "Future", address: str) -> Part:
    try:
        upto, rows, learned = future.result()
    except KeyboardInterrupt:
        raise
    except Exception as error:
        message = (
            f"the cluster at {address} gave up on a part of the sweep ({_first_line(error)}); what is finished is in "
            "the ledger, and the same command goes on from there"
        )
        raise ClusterError(message) from error
    return Part(upto, rows, partial(_merge, learned=learned))


def _merge(statistics: Statistics, learned: bytes) -> None:
    statistics.merge(Statistics.from_bytes(learned))


def evaluate_span(start: int, stop: int) -> tuple[int, pl.DataFrame, bytes]:
    """Evaluate the combinations from ``start`` on and before ``stop``, on a worker, with one thread.

    Returns
    -------
    ``stop``, the results that are to be stored, and statistics of all as bytes.
    """
    from distributed import get_worker  # noqa: PLC0415

    hand = get_worker().plugins[PLUGIN]
    job = hand.job
    plan = job.selection.plan
    best = job.keep.count if job.keep.kind == "top" else 0
    statistics = Statistics.empty(job.metric, best=best)
    rows = []
    blocks = job.selection.blocks(start, stop)
    evaluated = evaluate_blocks(plan, blocks, threads=1, one_pass=job.one_pass, evaluator=hand.evaluator)
    for block, metrics in evaluated:
        statistics.observe(block, metrics)
        rows.append(kept_rows(plan, job.keep, job.kept, block, metrics))
    stored = [part for part in rows if part.height]
    return stop, pl.concat(stored) if stored else pl.DataFrame(), statistics.to_bytes()


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
