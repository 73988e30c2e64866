"""Parameter sweeps: grid, plan, evaluation, ledger of every trial, summary."""

from engine.sweep.evaluation import SweepError
from engine.sweep.grid import Costs, Evaluation, Grid, GridError, grid_of_one, load_grid, parse_grid
from engine.sweep.keep import Keep, parse_keep
from engine.sweep.ledger import Run
from engine.sweep.plan import Plan, make_plan, plan_from_panel, strategy_panel
from engine.sweep.rules import RuleTrace, posture_paths, trace_rule
from engine.sweep.run import SweepRun, run_sweep, sweep
from engine.sweep.summary import Summary, summarise

__all__ = [
    "Costs",
    "Evaluation",
    "Grid",
    "GridError",
    "Keep",
    "Plan",
    "RuleTrace",
    "Run",
    "Summary",
    "SweepError",
    "SweepRun",
    "grid_of_one",
    "load_grid",
    "make_plan",
    "parse_grid",
    "parse_keep",
    "plan_from_panel",
    "posture_paths",
    "run_sweep",
    "strategy_panel",
    "summarise",
    "sweep",
    "trace_rule",
]
