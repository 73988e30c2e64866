"""One task of one contestant in a process of its own: time, processor time, peak memory and bytes read, as JSON.

Run as ``python -m benchmarks.store.contestants TASK ARGUMENTS``.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

import sql
from parquet_store import open_store
from parquet_store.bars import import_bars

Parts = dict[str, float]
"""Seconds of parts of a task."""

AGGREGATE = """
SELECT symbol, moment::DATE AS day, count(*) AS bars, max(high) AS high, min(low) AS low, sum(volume) AS volume
FROM {bars} GROUP BY ALL
"""
MONTH = """
SELECT symbol, moment, open, high, low, close, volume FROM {bars}
WHERE symbol = '{symbol}' AND moment >= '{first}' AND moment < '{last}'
"""


def import_into_store(source: str, store: str) -> None:
    """Import the bars as a user does: checked, partitioned, synced to the disk, listed."""
    import_bars(open_store(store, create=True), [source])


def copy_with_duckdb(source: str, folder: str) -> None:
    """Write the same rows with DuckDB alone, partitioned alike, with the compression that the store has."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            f"COPY (SELECT *, year(moment) AS year FROM read_parquet('{source}/*.parquet')) TO '{folder}' "  # noqa: S608 - paths of this benchmark
            "(FORMAT parquet, COMPRESSION zstd, PARTITION_BY (symbol, year))"
        )


def ask_store(store: str, question: str, out: str) -> Parts:
    """Ask the store, connection and all; of that, ``answering`` is the question on the open connection."""
    with sql.connect(open_store(store)) as connection:
        begun = time.perf_counter()
        answer = sql.query(connection, Path(question).read_text())
        answering = time.perf_counter() - begun
    answer.write_parquet(out)
    return {"answering": answering}


def ask_duckdb(files: str, question: str, out: str) -> None:
    """Ask DuckDB over bare Parquet files."""
    text = Path(question).read_text().replace("FROM bars", f"FROM read_parquet('{files}')")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.sql(text).pl().write_parquet(out)


TASKS: dict[str, Callable[..., Parts | None]] = {
    "import": import_into_store,
    "copy": copy_with_duckdb,
    "ask": ask_store,
    "ask_duckdb": ask_duckdb,
}


def bytes_read() -> int:
    """Return the bytes that this process has asked the system for, from the disk or its cache."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(lines["rchar"])


def warm_up(task: str) -> None:
    """Import what the task needs, so that its time is not the interpreter's."""
    with TemporaryDirectory() as folder:
        if task == "ask":
            sql.query(open_store(Path(folder) / "store", create=True), "SELECT 1")
        else:
            duckdb.sql("SELECT 1").pl()


def main() -> None:
    task, *arguments = sys.argv[1:]
    warm_up(task)
    read, worked, begun = bytes_read(), time.process_time(), time.perf_counter()
    parts = TASKS[task](*arguments)
    measured = {
        **(parts or {}),
        "seconds": time.perf_counter() - begun,
        "processor": time.process_time() - worked,
        "read": bytes_read() - read,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    sys.stdout.write(json.dumps(measured))


if __name__ == "__main__":
    main()
