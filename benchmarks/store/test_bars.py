"""Minute bars into the store and out of it, against DuckDB over bare Parquet: equal results first, then speed.

Each contestant works in a fresh process, one after the other, on the same files. The full run takes 100 million bars,
some minutes and 6 GB of disk; with ``--benchmark-disable`` it takes 100,000 bars and checks results alone.
"""

import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from benchmarks.store.bars import SYMBOLS, symbol, write_bars, write_bars_by_moment
from benchmarks.store.contestants import AGGREGATE, MONTH
from parquet_store import open_store, read_manifest

ROOT = Path(__file__).parents[2]

FULL = 100_000_000
QUICK = 100_000
ROUNDS = 5

LEAST_IMPORT = 0.7
LEAST_AGGREGATE = 0.8
MOST_MEMORY = 1.5e9
LONGEST_MONTH = 0.2
LARGEST_SHARE = 0.01


Measured = dict[str, float]
"""``seconds``, ``processor`` (seconds of all threads), ``read``, ``peak`` (bytes); of a question ``answering`` too."""


def verdict(met: bool) -> str:
    return "met" if met else "MISSED"


@dataclass(frozen=True)
class Market:
    """The folders of a run: the source files, and what the first benchmark makes of them: the store, DuckDB's copy."""

    source: Path
    store: Path
    copy: Path


def measure(task: str, *arguments: object) -> Measured:
    command = [sys.executable, "-m", "benchmarks.store.contestants", task, *map(str, arguments)]
    finished = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    measured: Measured = json.loads(finished.stdout)
    return measured


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory, timing: bool) -> Market:
    folder = tmp_path_factory.mktemp("bars")
    source, store, copy = folder / "source", folder / "store", folder / "copy"
    write_bars(source, FULL if timing else QUICK)
    return Market(source, store, copy)


def bars_in(market: Market) -> int:
    return sum(entry.rows for entry in read_manifest(open_store(market.store)).entries("bars"))


def ask(market: Market, folder: Path, question: str, timing: bool) -> list[tuple[Measured, Measured]]:
    """Ask the store and DuckDB in turns, and return what each took."""
    return [_ask_both(market, folder, question) for _ in range(ROUNDS if timing else 1)]


def _ask_both(market: Market, folder: Path, question: str) -> tuple[Measured, Measured]:
    """Ask both, and return what each took after their answers have been found equal."""
    text, ours, theirs = folder / "question.sql", folder / "ours.parquet", folder / "theirs.parquet"
    text.write_text(question)
    took = measure("ask", market.store, text, ours)
    bare = measure("ask_duckdb", f"{market.copy}/*/*/*.parquet", text, theirs)
    frames = [pl.read_parquet(path).sort("symbol", pl.selectors.temporal()) for path in (ours, theirs)]
    assert frames[0].height
    assert frames[0].equals(frames[1])
    return took, bare


def _command(market: Market, folder: Path, question: str) -> float:
    """Return the seconds of the command, from the start of the interpreter to the file with the answer."""
    engine, out = Path(sys.executable).with_name("engine"), folder / "answer.parquet"
    begun = time.perf_counter()
    subprocess.run([engine, "sql", question, "--store", market.store, "--out", out], check=True, capture_output=True)  # noqa: S603
    seconds = time.perf_counter() - begun
    assert pl.read_parquet(out).height
    return seconds


def test_import(market: Market, benchmark: Any, lines: list[str], timing: bool) -> None:
    theirs = measure("copy", market.source, market.copy)
    ours = benchmark.pedantic(lambda: measure("import", market.source, market.store), rounds=1)
    bars = bars_in(market)
    assert bars == pl.scan_parquet(market.source / "*.parquet").select(pl.len()).collect().item()
    files = read_manifest(open_store(market.store)).entries("bars")
    assert {entry.series for entry in files} == {(symbol(number),) for number in range(SYMBOLS)}
    ratio = theirs["seconds"] / ours["seconds"]
    benchmark.extra_info.update({"ratio": ratio, "bars_a_second": bars / ours["seconds"], **ours})
    if timing:
        worked = ours["processor"] / theirs["processor"]
        lines.append(
            f"import: {ours['seconds']:.1f} s against {theirs['seconds']:.1f} s of DuckDB's COPY, "
            f"{bars / ours['seconds'] / 1e6:.2f} million bars a second, {ratio:.2f} times its speed "
            f"(at least {LEAST_IMPORT}: {verdict(ratio >= LEAST_IMPORT)}) in {worked:.2f} of its processor time; "
            f"peak {ours['peak'] / 1e9:.2f} GB against {theirs['peak'] / 1e9:.2f} "
            f"(at most {MOST_MEMORY / 1e9}: {verdict(ours['peak'] < MOST_MEMORY)})"
        )
        assert ratio >= LEAST_IMPORT
        assert ours["peak"] < MOST_MEMORY


def test_aggregate(market: Market, benchmark: Any, lines: list[str], timing: bool, tmp_path: Path) -> None:
    question = AGGREGATE.format(bars="bars")
    rounds = benchmark.pedantic(lambda: ask(market, tmp_path, question, timing), rounds=1)
    ratio = statistics.median(theirs["seconds"] / ours["seconds"] for ours, theirs in rounds)
    seconds = statistics.median(ours["seconds"] for ours, _ in rounds)
    benchmark.extra_info.update({"ratio": ratio, "seconds": seconds})
    if timing:
        pairs = ", ".join(f"{ours['seconds']:.2f}/{theirs['seconds']:.2f}" for ours, theirs in rounds)
        lines.append(
            f"aggregate: {seconds:.2f} s, {ratio:.2f} times the speed of bare DuckDB "
            f"(at least {LEAST_AGGREGATE}: {verdict(ratio >= LEAST_AGGREGATE)}); in turns, ours and theirs: {pairs}"
        )
        assert ratio >= LEAST_AGGREGATE


def test_month(market: Market, benchmark: Any, lines: list[str], timing: bool, tmp_path: Path) -> None:
    question = MONTH.format(bars="bars", symbol=symbol(77), first="2017-01-01", last="2017-02-01")
    rounds = benchmark.pedantic(lambda: ask(market, tmp_path, question, timing), rounds=1)
    seconds = statistics.median(ours["seconds"] for ours, _ in rounds)
    bytes_held = sum(entry.bytes for entry in read_manifest(open_store(market.store)).files)
    share = rounds[0][0]["read"] / bytes_held
    command = statistics.median(_command(market, tmp_path, question) for _ in rounds)
    benchmark.extra_info.update({"seconds": seconds, "share": share, "command": command})
    if timing:
        answering = statistics.median(ours["answering"] for ours, _ in rounds)
        bare = statistics.median(theirs["seconds"] for _, theirs in rounds)
        lines.append(
            f"a symbol's month: {seconds:.3f} s (under {LONGEST_MONTH}: {verdict(seconds < LONGEST_MONTH)}), of which "
            f"{answering:.3f} s on the open connection; bare DuckDB {bare:.3f} s; the whole command {command:.2f} s; "
            f"{share:.2%} of the bytes read (under {LARGEST_SHARE:.0%}: {verdict(share < LARGEST_SHARE)})"
        )
        assert seconds < LONGEST_MONTH
        assert share < LARGEST_SHARE


def test_import_in_the_order_of_a_feed(market: Market, benchmark: Any, lines: list[str], timing: bool) -> None:
    """Import the same bars sorted by moment, all symbols mixed: no file may share a day with another of its symbol."""
    source, store = market.source.with_name("feed"), market.source.with_name("feed_store")
    write_bars_by_moment(source, market.source)
    took = benchmark.pedantic(lambda: measure("import", source, store), rounds=1)
    files = sorted(read_manifest(open_store(store)).entries("bars"), key=lambda entry: (entry.series, entry.first))
    assert sum(entry.rows for entry in files) == bars_in(market)
    for one, other in pairwise(files):
        assert one.series != other.series or one.last < other.first
    if timing:
        lines.append(
            f"import by moment: {bars_in(market) / took['seconds'] / 1e6:.2f} million bars a second, "
            f"peak {took['peak'] / 1e9:.2f} GB, {len(files):,} files"
        )
        assert took["peak"] < MOST_MEMORY
