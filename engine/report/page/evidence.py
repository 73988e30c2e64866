"""What the winner of a sweep is worth, in sentences that say no more than the tests do."""

import math
from dataclasses import dataclass

import polars as pl

from engine.inference import DeflatedSharpe, Overfitting, SuperiorAbility, WalkForward
from engine.report.numbers import number_text
from engine.report.page.labels import label
from engine.sweep.run import SweepRun
from engine.sweep.summary import Summary

__all__ = ["Evidence", "evidence", "walk_forward_windows"]

CLEARED = 0.95
"""Probability that a deflated Sharpe ratio is usually asked for."""

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Evidence:
    """One thing that is known about the winner.

    Attributes
    ----------
    name
        The test or figure.
    figure
        Its result, as short as it can be.
    text
        What the result means.
    """

    name: str
    figure: str
    text: str


def evidence(sweep: SweepRun, summary: Summary) -> tuple[Evidence, ...]:
    """Say what is known about the first of the best; nothing if there is none."""
    tests = summary.scrutiny
    if tests is None:
        return ()
    winner = summary.best.row(0, named=True)
    return (
        _trades(winner["trades"], winner["exposure"], sweep.run.sessions),
        _neighbours(summary, winner),
        _deflated_sharpe(tests.deflated_sharpe),
        _overfitting(tests.overfitting),
        _superior_ability(tests.superior_ability),
        _walk_forward(tests.walk_forward),
    )


def walk_forward_windows(sweep: SweepRun, summary: Summary) -> pl.DataFrame | None:
    """List the windows of the walk-forward test, each with the parameters chosen for it; None without the test."""
    tests = summary.scrutiny
    if tests is None or tests.walk_forward is None:
        return None
    windows = tests.walk_forward.windows
    chosen = sweep.plan.parameters(tests.compared[windows["trial"].to_numpy()])
    days = [windows[name] for name in ("trained_to", "first", "last")]
    columns = [*days, *chosen, windows["training_sharpe"], windows["sharpe"], windows["total_return"]]
    return pl.DataFrame(columns)


def _trades(trades: int, exposure: float, sessions: int) -> Evidence:
    return Evidence(
        "Trades",
        f"{trades:,}",
        f"Everything below rests on {_counted(trades, 'trade')}, held on {exposure:.1%} of {sessions:,} sessions. The "
        "days of one trade are not independent of each other: the size of the evidence is nearer to the number of "
        "trades than to the number of days.",
    )


def _neighbours(summary: Summary, winner: dict[str, object]) -> Evidence:
    name, metric = "Neighbours", label(summary.metric)
    if winner["neighbours_median"] is None:
        return Evidence(
            name,
            "none",
            "No combination one step away on the grid holds other positions and has a value to compare with.",
        )
    best, median = (number_text(summary.metric, winner[column]) for column in (summary.metric, "neighbours_median"))
    return Evidence(
        name,
        median,
        f"The {winner['neighbours']} combinations at most one step away on the grid that hold other positions have a "
        f"median {metric} of {median}; the winner has {best}. A peak that its neighbours do not share is more likely "
        "luck than a property of the market.",
    )


def _deflated_sharpe(test: DeflatedSharpe | None) -> Evidence:
    name = "Deflated Sharpe ratio"
    if test is None or math.isnan(test.probability):
        return _undecided(name, "it takes two trials with different results")
    bar = "clears" if test.probability >= CLEARED else "falls short of"
    return Evidence(
        name,
        f"{test.probability:.3f}",
        f"The winner, with a Sharpe ratio of {test.sharpe:.3f}, was chosen from {test.trials:,} trials, earlier sweeps "
        "of the strategy included. The best of as many without any skill is expected to show "
        f"{test.expected_maximum:.3f}. The probability that the winner's true ratio is above that is "
        f"{test.probability:.1%}, which {bar} the {CLEARED:.0%} usually asked for.",
    )


def _overfitting(test: Overfitting | None) -> Evidence:
    name = "Probability of overfitting"
    if test is None:
        return _undecided(name, "it takes two trials and a longer sample")
    return Evidence(
        name,
        f"{test.probability:.0%}",
        f"The sample was cut into two halves in {test.splits:,} ways. In {test.probability:.1%} of them the best trial "
        f"of one half was below the median of all {test.trials:,} in the other; choosing at random gives 50%. A small "
        "figure says that the order of the trials lasts, not that any of them earns something.",
    )


def _superior_ability(test: SuperiorAbility | None) -> Evidence:
    name = "Superior ability"
    if test is None:
        return _undecided(name, "no trial has any variance")
    least = 1.0 / test.resamples
    share = f"in {test.p_value:.1%}" if test.p_value >= least else f"in fewer than {least:.1%}"
    verdict = "speaks against chance alone" if test.p_value < SIGNIFICANT else "does not speak against chance"
    return Evidence(
        name,
        f"p = {test.p_value:.3f}" if test.p_value >= least else f"p < {least:g}",
        f"If none of {test.trials:,} trials earned more than nothing, a best one as good as this would still turn up "
        f"{share} of samples. That {verdict} (Hansen's test at {SIGNIFICANT:.0%}; {test.resamples:,} resamples of "
        f"blocks of {test.block_length:.0f} sessions on average, seed {test.seed}).",
    )


def _walk_forward(test: WalkForward | None) -> Evidence:
    name = "Walk-forward"
    if test is None:
        return _undecided(name, "the sample is not longer than the three years that the first choice needs")
    positive = int((test.windows["total_return"] > 0.0).sum())
    return Evidence(
        name,
        f"Sharpe {number_text('sharpe', test.sharpe)}",
        "Each year the trial with the best Sharpe ratio of the three years before, held for that year: "
        f"{test.total_return:+.1%} in total, {test.cagr:+.1%} a year; {positive} of "
        f"{_counted(test.windows.height, 'window')} earned something. Nobody could have known the winner of the whole "
        "sample at its beginning; this is what choosing by the past was worth.",
    )


def _undecided(name: str, reason: str) -> Evidence:
    return Evidence(name, "-", f"The data do not allow this test: {reason}.")


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
