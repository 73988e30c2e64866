"""What is known of credit spreads: measures and proxies, their scores, conditions on them, and the documented rules."""

from engine.credit.insight_rules import RULES, rule_fires
from engine.credit.metrics import spread_metrics
from engine.credit.spread_measures import MEASURES, SpreadMeasure, overlap, proxy_note, spread_in_basis_points

__all__ = [
    "MEASURES",
    "RULES",
    "SpreadMeasure",
    "overlap",
    "proxy_note",
    "rule_fires",
    "spread_in_basis_points",
    "spread_metrics",
]
