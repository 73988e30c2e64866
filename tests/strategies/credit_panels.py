"""What the tests of the credit models do to a panel."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from engine.panel import Panel
from tests.references.pair import Closes


def recent(panel: Panel, sessions: int) -> Panel:
    """Return the last sessions of a panel, as if nothing had been stored before them."""
    columns = {name: values[-sessions:].copy() for name, values in panel.columns.items()}
    return Panel(panel.dates[-sessions:], MappingProxyType(columns), 0, None, None, panel.simulated)


def with_columns(panel: Panel, columns: Mapping[str, NDArray[np.float64]]) -> Panel:
    """Return the panel with some of its series replaced."""
    return Panel(panel.dates, MappingProxyType({**panel.columns, **columns}), panel.start, None, None, panel.simulated)


def known(values: Closes) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values]
