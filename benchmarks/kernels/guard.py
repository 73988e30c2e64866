"""Fail when a kernel has become slower against the other libraries than the committed ratios say.

Run as ``python -m benchmarks.kernels.guard``; with ``--update`` the ratios of this run are written instead. ``--only
rolling_std`` confines either to the rows whose names hold that text.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.kernels.measure import check, contestants, ratios, seconds
from benchmarks.kernels.table import ROWS, Row

COMMITTED = Path(__file__).with_name("ratios.json")

LOSS = 0.25
"""Share of a row's speed, against the same peers, whose loss is a failure."""

ROUNDS = 5
REPEATS = 3
"""Times a row that seems to have lost is measured again before it counts; the median decides."""

Ratios = Mapping[str, float]

GUARDED = tuple(row for row in ROWS if row.threads == 1)
"""Rows whose processor time counts. The time of two threads depends on whether other programs leave them two cores."""


def measured(row: Row) -> dict[str, float]:
    """Return the ratios of one row, after its results have been found equal."""
    calls = contestants(row, row.length)
    check(row, calls)
    return {name: round(ratio, 3) for name, ratio in ratios(seconds(row, calls, ROUNDS)).items()}


def standing(now: Ratios, before: Ratios) -> float:
    """Return our speed relative to what it was, by the median peer: one peer's own change does not decide."""
    return statistics.median(now[name] / before[name] for name in now if name in before)


def main() -> int:
    """Compare rows, or write their ratios; return 1 if a row has lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="write this run's ratios to be committed")
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows whose name holds this text")
    options = parser.parse_args()
    rows = [row for row in GUARDED if options.only in row.name]
    committed = json.loads(COMMITTED.read_text()) if COMMITTED.exists() else {}
    if not rows:
        sys.stdout.write(f"No row's name holds {options.only!r}.\n")
        return 1
    if options.update:
        committed |= {row.name: measured(row) for row in rows}
        kept = {row.name: committed[row.name] for row in GUARDED if row.name in committed}
        COMMITTED.write_text(json.dumps(kept, indent=1) + "\n")
        sys.stdout.write(f"{len(rows)} rows written to {COMMITTED.name}.\n")
        return 0
    return 1 if sum(has_lost(row, committed) for row in rows) else 0


def has_lost(row: Row, committed: Mapping[str, Ratios]) -> bool:
    """Compare one row, and say how it stands; a row without committed ratios counts as lost."""
    if row.name not in committed:
        sys.stdout.write(f"new   {row.name}: no committed ratios; run with --update.\n")
        return True
    now = standing(measured(row), committed[row.name])
    if now < 1 - LOSS:
        now = statistics.median([now, *(standing(measured(row), committed[row.name]) for _ in range(REPEATS))])
    lost = now < 1 - LOSS
    sys.stdout.write(f"{'LOST' if lost else 'ok':5s} {row.name}: {now:.2f} of the committed speed\n")
    sys.stdout.flush()
    return lost


if __name__ == "__main__":
    sys.exit(main())
