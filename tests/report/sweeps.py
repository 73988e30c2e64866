"""Small sweeps whose pages are looked at."""

from datetime import date
from typing import Any

from engine.sweep import Grid, parse_grid

AXES: dict[str, Any] = {
    "xlf_dma": [150, 200, 250],
    "hyg_drawdown": [-0.02, -0.05],
    "basket_weights": ["equal", "market_cap"],
    "stop_loss": [-0.10, -0.15],
}
ASSETS = {"date": date(2026, 5, 3), "XLE": 43.60, "XLB": 6.54, "XLU": 24.42}


def pair_grid(axes: dict[str, Any] | None = None, *, name: str = "small", **fixed: Any) -> Grid:
    """Return a grid of the pair over the documents' sample."""
    return parse_grid(
        {
            "strategy": {"name": "pair", "market_cap": ASSETS, **fixed},
            "grid": AXES if axes is None else axes,
            "sample": {"first": date(2018, 1, 2), "last": date(2026, 3, 6)},
            "costs": {"commission_bps": 1.0, "slippage_bps": 1.0},
        },
        name=name,
    )
