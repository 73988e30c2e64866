"""A sweep as JSON, for programs."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.sweep.run import SweepRun
from engine.sweep.scrutiny import Scrutiny
from engine.sweep.summary import Summary

__all__ = ["sweep_json"]


def sweep_json(
    sweep: SweepRun,
    summary: Summary,
    *,
    report: Path | None = None,
    timings: Mapping[str, float] | None = None,
    refined_from: str | None = None,
) -> str:
    """Return the run, and what the terminal shows of it, as one JSON object.

    The keys of the run are those of the view ``sweep_runs``; ``report`` is the page that was written, ``timings`` are
    seconds by stage, ``refined_from`` is the coarse run around whose best plateau this one was made. Missing values are
    null.
    """
    content = {
        **asdict(sweep.run),
        "grid": json.loads(sweep.run.grid),
        "reused": sweep.reused,
        "metric": summary.metric,
        "never_traded": summary.never_traded,
        "without_meaning": summary.without_meaning,
        "positive": summary.positive,
        "best": summary.best.to_dicts(),
        "distribution": summary.distribution.to_dicts(),
        "benchmarks": summary.benchmarks.to_dicts(),
        "scrutiny": _scrutiny(summary.scrutiny),
        "quantiles_exact": summary.exact,
        "verification": None if summary.verification is None else asdict(summary.verification),
        "notes": list(summary.notes),
        "timings": dict(timings or sweep.timings),
        "refined_from": refined_from,
        "report": None if report is None else str(report),
    }
    return json.dumps(content, default=str, indent=2, allow_nan=False)


def _scrutiny(scrutiny: Scrutiny | None) -> dict[str, Any] | None:
    if scrutiny is None:
        return None
    walk = scrutiny.walk_forward
    tests = {
        "deflated_sharpe": scrutiny.deflated_sharpe,
        "overfitting": scrutiny.overfitting,
        "superior_ability": scrutiny.superior_ability,
    }
    return {
        "combination": scrutiny.combination,
        "compared": len(scrutiny.compared),
        **{name: None if test is None else asdict(test) for name, test in tests.items()},
        "walk_forward": None if walk is None else {**walk.__dict__, "windows": walk.windows.to_dicts()},
    }
