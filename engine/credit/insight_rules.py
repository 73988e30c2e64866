"""The monitor's three rules as data: what they look at, what they claim, for whom, and how they fail.

Source: credit spreads monitor, insight rules. A rule is a hypothesis about SPY's return over the next sessions, less
what cash earns, from close t+1 on; whether it holds is for a study to say. The confidences are the document's own, for
the high-yield OAS; with a proxy they are lower.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.credit.monitor_conditions import (
    fund_is_down,
    spread_falls_over_5_sessions,
    spread_is_at_its_peak,
    spread_is_stressed,
    spread_is_unremarkable,
    spread_rises_over_20_sessions,
    vix_is_calm,
)
from engine.panel import Panel
from engine.strategies.conditions import depends_on
from engine.strategies.strategy import InsightRule

__all__ = ["RULES", "rule_fires"]


RULES = (
    InsightRule(
        name="risk_off",
        title="risk-off impulse: the spread is wide and widens",
        conditions=(spread_is_stressed, spread_rises_over_20_sessions),
        claim=(
            "Broad equities are likelier to draw down and earn less than cash, or little more; "
            "defensive sectors tend to do better than cyclical ones."
        ),
        expected="negative",
        horizons=(20, 60),
        confidence=0.67,
        universe=("US large and mid caps", "baskets of defensive and of cyclical sectors", "liquid ETFs"),
        failure_modes=(
            "a policy backstop or an injection of liquidity turns spreads around",
            "one sector's spreads widen and no other follows",
            "the series is revised",
        ),
    ),
    InsightRule(
        name="reflexive_bounce",
        title="stress peak: the spread is very wide, narrows, and SPY is well below its high",
        conditions=(spread_is_at_its_peak, spread_falls_over_5_sessions, fund_is_down),
        claim="Equities often rebound for a while; beyond that the risk may stay high.",
        expected="positive",
        horizons=(5, 20),
        confidence=0.58,
        universe=("US index funds and large caps", "tactical horizons", "very liquid names"),
        failure_modes=(
            "a true credit event, defaults or frozen liquidity, keeps spreads wide",
            "a recession gathers pace",
            "equities gap down although spreads have begun to narrow",
        ),
    ),
    InsightRule(
        name="non_confirmation",
        title="non-confirmation: the spread widens from an ordinary level while VIX is calm",
        conditions=(spread_is_unremarkable, spread_rises_over_20_sessions, vix_is_calm),
        claim="Credit does not confirm a risk-off regime: a warning of low conviction, and no trade.",
        expected="neutral",
        horizons=None,
        confidence=0.55,
        universe=("US equities at large", "monitors across asset classes"),
        failure_modes=(
            "structural flows hold VIX down while credit worsens",
            "equities react late",
            "revisions put the period into another class afterwards",
        ),
    ),
)
"""The rules in the document's order."""


def rule_fires(panel: Panel, rule: InsightRule, values: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Tell at which closes a rule fires, bool (rows,).

    Parameters
    ----------
    values
        Parameters of the strategy ``credit_spreads_monitor``.
    """
    readings = [read(panel, **{name: values[name] for name in depends_on(read)}) for read in rule.conditions]
    fires: NDArray[np.bool_] = np.logical_and.reduce([reading.met for reading in readings])
    return fires
