"""What every number in a result means. Each metric is defined here once; kernels and vectorbt are held to it by tests.

All are computed from the equity at the closes of the sample, V_0 … V_{T-1}, starting from 1 before the first close,
and its simple returns r_t = V_t / V_{t-1} - 1 (T of them). A year is 252 sessions. What cannot be computed is null,
never infinite: a combination that never trades has no return, no risk and no ratio. Nor is there a ratio over a risk
that is only rounding, see `LEAST_RISK`.
"""

from dataclasses import dataclass

__all__ = ["GROSS_METRICS", "LEAST_RISK", "METRICS", "RANKING_METRICS", "SESSIONS_A_YEAR", "WON", "Metric"]

SESSIONS_A_YEAR = 252

LEAST_RISK = 1e-12
"""Volatility, downside deviation (both a year) or drawdown below which a ratio over it is null: prices that do not move
have returns of rounding only."""

WON = 1.0 + 1e-12
"""Growth beyond which a trade earned something: prices that come back to where they were must not win by rounding."""


@dataclass(frozen=True)
class Metric:
    """Name, unit and definition of one column of a result.

    Attributes
    ----------
    differs_gross
        Whether the figure before costs is another one, given under ``gross_`` and the name.
    higher_is_better
        How combinations are ranked by it; ``None`` where ranking by it makes no sense.
    """

    name: str
    unit: str
    definition: str
    differs_gross: bool = True
    higher_is_better: bool | None = True


METRICS = (
    Metric("total_return", "fraction", "V_{T-1} - 1"),
    Metric("cagr", "fraction a year", "V_{T-1} ** (252 / T) - 1"),
    Metric("volatility", "fraction a year", "sample standard deviation (ddof 1) of r times sqrt(252)", True, False),
    Metric("sharpe", "ratio", "mean of r over its sample standard deviation, times sqrt(252); risk-free rate 0"),
    Metric("return_to_vol", "ratio", "cagr / volatility: what the documents call Sharpe"),
    Metric("sortino", "ratio", "mean of r times 252 over sqrt(252 * mean of min(r, 0) squared)"),
    Metric("calmar", "ratio", "cagr / -max_drawdown"),
    Metric("max_drawdown", "fraction", "least of V_t / max(V_0 … V_t) - 1"),
    Metric("trades", "count", "holdings of the whole position; one still open at the end counts", False, None),
    Metric("hit_rate", "fraction", "trades that earned more than 0 from before their fill to after their exit"),
    Metric("exposure", "fraction", "sessions that end with a position held", False, None),
    Metric(
        "turnover",
        "a year",
        "traded notional over equity before the trade, buys and sells added, summed, times 252 / T",
        False,
        False,
    ),
)
"""All metrics, in the order of the columns."""

GROSS_METRICS = tuple(f"gross_{metric.name}" for metric in METRICS if metric.differs_gross)

RANKING_METRICS = tuple(metric.name for metric in METRICS if metric.higher_is_better is not None)
