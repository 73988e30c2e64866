"""How results on the simulated market are told from those on a real one, wherever they go."""

__all__ = ["SIMULATED_NOTICE", "labelled"]

_NOTHING = "nothing here says anything about a market"

SIMULATED_NOTICE = f"the data are SIMULATED: {_NOTHING}"


def labelled(reason: str | None) -> str:
    """Return what is said of a figure of the simulated market: that it is one, and the reason."""
    return f"SIMULATED data: {reason or _NOTHING}"
