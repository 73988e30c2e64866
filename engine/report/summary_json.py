"""A sweep as JSON, for programs."""

import json
from dataclasses import asdict

from engine.sweep.run import SweepRun
from engine.sweep.summary import Summary

__all__ = ["sweep_json"]


def sweep_json(sweep: SweepRun, summary: Summary) -> str:
    """Return the run, and what the terminal shows of it, as one JSON object.

    The keys of the run are those of the view ``sweep_runs``; missing values are null.
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
        "notes": list(summary.notes),
    }
    return json.dumps(content, default=str, indent=2, allow_nan=False)
