"""Numbers as people read them: one way for the terminal and the page."""

from engine.metrics import METRICS

__all__ = ["number_text"]

_COUNTS = frozenset({"trades", "neighbours", "alike"})

_SHARES = frozenset(metric.name for metric in METRICS if metric.unit.startswith("fraction"))
_SIGNED = frozenset({"total_return", "cagr", "max_drawdown"})
_RATIOS = frozenset({metric.name for metric in METRICS} | {"neighbours_median"})


def number_text(name: str, value: object) -> str:
    """Write a value as a column of that name asks for.

    Parameters
    ----------
    name
        A metric, with or without ``gross_``; a count; or anything else, which is then written as it stands.
    value
        Fractions become percentages, ratios have three decimals, None is a hyphen.
    """
    if value is None:
        return "-"
    measure = name.removeprefix("gross_")
    if isinstance(value, float) and measure in _SHARES:
        return f"{value:+.1%}" if measure in _SIGNED else f"{value:.1%}"
    if isinstance(value, int | float) and name in _COUNTS:
        return f"{value:,.0f}"
    if isinstance(value, float) and measure in _RATIOS:
        return f"{value:.3f}"
    return f"{value:g}" if isinstance(value, float) else str(value)
