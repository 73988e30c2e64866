"""What columns are called in headings and sentences."""

__all__ = ["label"]

_FULL = {
    "sharpe": "Sharpe ratio",
    "cagr": "CAGR",
    "return_to_vol": "return to volatility",
    "sortino": "Sortino ratio",
    "calmar": "Calmar ratio",
    "max_drawdown": "maximum drawdown",
    "neighbours_median": "neighbours' median",
}


def label(name: str) -> str:
    """Return the name of a column in words; ``gross_`` stays in front."""
    measure = name.removeprefix("gross_")
    words = _FULL.get(measure, measure.replace("_", " "))
    return words if measure == name else f"gross {words}"
