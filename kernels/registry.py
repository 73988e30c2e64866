"""One entry for each kernel, from which its tests and its benchmarks are made: none can be added untested."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

import kernels
from kernels import references

__all__ = ["KERNELS", "Entry", "inputs"]

Inputs = Literal["series", "prices", "pair", "returns", "flags", "two flags", "states", "series and flags"]
Variant = Literal["plain", "rounded", "missing"]
Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """What there is to know about a kernel to test and to time it."""

    name: str
    """The public name in `kernels` and of the plain function in `kernels.references`."""
    inputs: Inputs
    """What the positional arguments are."""
    parameters: tuple[Parameters, ...]
    """Keyword arguments to test with; the first are those of the matrix, missing-value and timing tests."""
    causal: bool = True
    """Whether a row's result depends on no later row."""
    columns: bool = True
    """Whether a matrix is taken, column by column."""
    threads: bool = True
    """Whether there is an argument `threads`."""
    min_periods: bool = False
    """Whether there is an argument `min_periods`."""
    forgets: bool = False
    """Whether a value that has left the window leaves no trace."""
    tolerance: float = 1e-12
    """Largest error against the plain function, relative to the larger of the result and the values' own scale."""
    peers: tuple[str, ...] = ()
    """Names in ``benchmarks/kernels/peers.py`` of other libraries that compute the same."""
    reference: Callable[..., Any] = field(init=False)
    function: Callable[..., Any] = field(init=False)

    def __post_init__(self) -> None:
        """Find the kernel and its plain function by name."""
        object.__setattr__(self, "function", getattr(kernels, self.name))
        object.__setattr__(self, "reference", getattr(references, self.name))


WINDOWS = tuple({"window": window} for window in (20, 1, 2, 3, 60, 61))
LEVELS = (0.01, 0.5, 0.99)


def _rolling(name: str, peers: tuple[str, ...] = (), kind: Inputs = "series", **other: Any) -> Entry:
    """Return the entry of a kernel over one window, which takes `min_periods` and forgets."""
    given = {"parameters": WINDOWS, "min_periods": True, "forgets": True, **other}
    return Entry(name, kind, peers=peers, **given)


KERNELS: tuple[Entry, ...] = (
    _rolling("rolling_sum", ("bottleneck", "pandas", "polars", "talib")),
    _rolling("rolling_mean", ("bottleneck", "numbagg", "pandas", "polars", "talib")),
    _rolling("rolling_var", ("bottleneck", "numbagg", "pandas", "polars", "talib")),
    _rolling("rolling_std", ("bottleneck", "numbagg", "pandas", "polars", "talib")),
    _rolling("rolling_zscore", ("bottleneck", "numbagg", "pandas", "polars", "talib")),
    _rolling("rolling_max", ("bottleneck", "pandas", "polars", "talib")),
    _rolling("rolling_min", ("bottleneck", "pandas", "polars", "talib")),
    _rolling("rolling_drawdown", ("bottleneck", "pandas", "polars", "talib"), "prices"),
    _rolling("rolling_rank", ("pandas", "polars")),
    _rolling(
        "rolling_quantile",
        ("pandas", "polars"),
        parameters=tuple({"window": w, "quantiles": q} for w in (20, 1, 2, 61) for q in (LEVELS, 0.25)),
    ),
    _rolling(
        "rolling_rank_and_quantiles",
        ("pandas", "polars"),
        parameters=tuple({"window": w, "quantiles": LEVELS} for w in (20, 1, 61)),
    ),
    _rolling("rolling_winsorized_zscore", parameters=tuple({"window": w} for w in (20, 5, 61))),
    _rolling("rolling_cov", ("numbagg", "pandas", "polars"), "pair"),
    _rolling("rolling_corr", ("numbagg", "pandas", "polars", "talib"), "pair"),
    _rolling("rolling_beta", ("pandas",), "pair"),
    Entry("rolling_mean_many", "series", ({"windows": (20, 1, 2, 60, 61)},), columns=False, forgets=True,
          peers=("bottleneck", "pandas", "polars", "talib")),
    Entry("ema", "series", ({"span": 13}, {"span": 1}, {"span": 2.5}, {"span": 200}),
          peers=("numbagg", "pandas", "polars", "talib")),
    Entry("ema_sampled", "series and flags", ({"span": 13},), columns=False, threads=False),
    Entry("change", "series", ({"periods": 5}, {"periods": 1}, {"periods": 61}), peers=("pandas", "polars", "talib")),
    Entry("rate_of_change", "prices", ({"periods": 5}, {"periods": 1}, {"periods": 61}),
          peers=("pandas", "polars", "talib")),
    Entry("compound", "returns", ({},), peers=("pandas", "polars")),
    Entry("drawdown", "returns", ({},), peers=("pandas", "polars")),
    Entry("underwater_length", "returns", ({},)),
    Entry("lookahead_compounded_return", "returns", ({"horizon": 20}, {"horizon": 1}, {"horizon": 2}, {"horizon": 61}),
          causal=False),
    Entry("consecutive_true", "flags", ({},), columns=False, threads=False, peers=("pandas", "polars")),
    Entry("hysteresis", "two flags",
          ({}, {"initially": True}, {"min_dwell": 3}, {"min_absence": 4}, {"min_dwell": 5, "min_absence": 2}),
          columns=False, threads=False, peers=("pandas", "polars")),
    Entry("regimes", "states", ({},), columns=False, threads=False, peers=("polars",)),
    Entry("run_table", "states", ({},), causal=False, columns=False, threads=False, peers=("polars",)),
)  # fmt: skip


def inputs(kind: Inputs, length: int, *, variant: Variant = "plain", seed: int = 0) -> tuple[npt.NDArray[Any], ...]:
    """Return positional arguments for a kernel.

    Parameters
    ----------
    kind
        What they are.
    length
        Number of rows.
    variant
        ``"rounded"`` gives many equal values; ``"missing"`` leaves values out, one by one and in stretches.
    seed
        Where the random numbers start.
    """
    random = np.random.default_rng([seed, length])
    walk = np.cumsum(random.normal(size=length))
    flags = walk + random.normal(size=length) > np.mean(walk) if length else np.zeros(0, np.bool_)
    if kind == "flags":
        return (flags,)
    if kind == "two flags":
        return flags, random.random(length) < 0.2
    if kind == "states":
        return (np.floor(walk / 4).astype(np.int64),)
    if kind == "returns":
        arrays = [random.normal(0.0005, 0.01, length)]
    elif kind == "prices":
        arrays = [100 * np.exp(0.01 * walk)]
    elif kind == "pair":
        arrays = [0.5 * walk + random.normal(size=length), walk]
    else:
        arrays = [walk]
    if variant == "rounded":
        arrays = [np.round(array, 2 if kind in {"returns", "prices"} else 0) for array in arrays]
    if variant == "missing":
        for array in arrays:
            array[random.random(length) < 0.1] = np.nan
            array[length // 3 : length // 3 + length // 10] = np.nan
    return (*arrays, flags) if kind == "series and flags" else tuple(arrays)
