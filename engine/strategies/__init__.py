"""Strategies and models of the documents, one file each.

A module of this folder that defines ``STRATEGY`` is a strategy; nothing else has to be told of it.
"""

from functools import cache

from engine.discovery import defined_in, modules_defining
from engine.parameters import ParameterError, choices, documentation, parse_assignments, parse_parameters
from engine.strategies.conditions import Condition, Reading, depends_on, read_condition
from engine.strategies.parameters import Parameters
from engine.strategies.strategy import Ambiguity, InsightRule, Strategy
from parquet_store.errors import EngineError

__all__ = [
    "Ambiguity",
    "Condition",
    "InsightRule",
    "ParameterError",
    "Parameters",
    "Reading",
    "Strategy",
    "StrategyError",
    "choices",
    "depends_on",
    "documentation",
    "find_strategy",
    "parse_assignments",
    "parse_parameters",
    "read_condition",
    "strategy_names",
]


class StrategyError(EngineError):
    """There is no strategy of that name."""


@cache
def strategy_names() -> tuple[str, ...]:
    """Return the names of all strategies, sorted."""
    return modules_defining(__name__, "STRATEGY")


@cache
def find_strategy(name: str) -> Strategy:
    """Return the strategy called ``name``.

    Raises
    ------
    StrategyError
        There is none; the message lists those there are.
    """
    if name not in strategy_names():
        message = f"unknown strategy {name!r}: use one of {', '.join(strategy_names())}"
        raise StrategyError(message)
    strategy: Strategy = defined_in(__name__, name, "STRATEGY")
    return strategy
