"""The rows of the speed table: what is timed, against whom, and the ratios the project holds itself to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kernels.registry import KERNELS, Entry

ENTRIES: dict[str, Entry] = {entry.name: entry for entry in KERNELS}

LONG = 1_000_000
DAILY = 2_000
QUICK = 5_000
"""Rows in a pass that only checks results."""

ROLLING = {"bottleneck", "talib", "numbagg"}


@dataclass(frozen=True)
class Row:
    """One line of the table: a kernel with its arguments, the size of its input, and targets."""

    kernel: str
    parameters: Mapping[str, Any]
    length: int = LONG
    columns: int = 0
    threads: int = 1
    targets: Mapping[str, float] = field(default_factory=dict)
    """Least ratio of a library's time to ours; ``"best"`` stands for the fastest of those that compute the same."""

    @property
    def name(self) -> str:
        """How the row is called in the committed ratios."""
        arguments = ",".join(f"{key}={_short(value)}" for key, value in self.parameters.items())
        size = f"{self.length}x{self.columns}" if self.columns else str(self.length)
        threads = f" {self.threads} threads" if self.threads > 1 else ""
        return f"{self.kernel}({arguments}) {size}{threads}"

    @property
    def entry(self) -> Entry:
        """The kernel's entry in the registry."""
        return ENTRIES[self.kernel]


def _short(value: Any) -> str:
    return f"{value[0]}..{value[-1]}" if isinstance(value, range) else str(value).replace(" ", "")


TAILS = (0.01, 0.99)
AVERAGES = range(150, 251)

PARAMETERS: dict[str, Mapping[str, Any]] = {
    "rolling_quantile": {"window": 1260, "quantiles": TAILS},
    "rolling_rank": {"window": 1260},
    "rolling_rank_and_quantiles": {"window": 1260, "quantiles": TAILS},
    "rolling_mean_many": {"windows": AVERAGES},
    "ema": {"span": 20},
    "change": {"periods": 20},
    "rate_of_change": {"periods": 20},
}
"""What a kernel is timed with; a window of 60 where nothing else is said."""

PROMISED: tuple[Row, ...] = (
    Row("rolling_zscore", {"window": 60}, targets={"best": 2.2, "polars": 10}),
    Row("rolling_zscore", {"window": 1260}, targets={"best": 2.2, "polars": 10}),
    Row("rolling_zscore", {"window": 60}, threads=2, targets={"best": 4}),
    Row("rolling_zscore", {"window": 1260}, threads=2, targets={"best": 4}),
    Row("rolling_std", {"window": 60}, targets={"best": 1.3, "polars": 9}),
    Row("rolling_std", {"window": 1260}, targets={"best": 1.3, "polars": 9}),
    Row("rolling_mean", {"window": 60}, targets={"bottleneck": 0.85}),
    Row("rolling_mean", {"window": 1260}, targets={"bottleneck": 0.85}),
    Row("rolling_mean", {"window": 60}, threads=2, targets={"bottleneck": 1.4}),
    Row("ema", {"span": 20}, targets={"talib": 3.5, "polars": 10}),
    Row("rolling_drawdown", {"window": 60}, targets={"talib": 1.5, "polars": 10}),
    Row("rolling_rank", {"window": 1260}, targets={"pandas": 6, "polars": 10}),
    Row("rolling_quantile", {"window": 1260, "quantiles": TAILS}, targets={"polars": 2.3}),
    Row("rolling_rank_and_quantiles", {"window": 1260, "quantiles": TAILS}, targets={"rank alone": 1 / 1.3}),
    Row("hysteresis", {}, targets={"polars": 3.5}),
    Row("rolling_mean_many", {"windows": AVERAGES}, length=200_000, targets={"best": 3.5}),
    Row("rolling_mean_many", {"windows": AVERAGES}, length=200_000, threads=2, targets={"best": 8}),
    Row("rolling_zscore", {"window": 60}, DAILY, 1_000, targets={"best": 2}),
    Row("ema", {"span": 20}, DAILY, 1_000, targets={"best": 4}),
    Row("rolling_drawdown", {"window": 60}, DAILY, 1_000, targets={"best": 4}),
)


def _others() -> list[Row]:
    """Every registered kernel that another library has, at the length of a daily series, and long unless done above."""
    done = {(row.kernel, row.length) for row in PROMISED if not row.columns}
    rows = []
    for entry in KERNELS:
        if not entry.peers:
            continue
        usual = {"window": 60} if entry.min_periods else {}
        parameters = PARAMETERS.get(entry.name, usual)
        floor = {} if entry.name == "rolling_mean" else {"best": 1.5}
        rows.append(Row(entry.name, parameters, DAILY, targets=floor))
        if (entry.name, LONG) not in done and entry.name != "rolling_mean_many":
            rows.append(Row(entry.name, parameters))
    rows.append(Row("rolling_zscore", {"window": 60}, DAILY, threads=2, targets={"best": 1.5}))
    return rows


ROWS: tuple[Row, ...] = (*PROMISED, *_others())
