"""The simulated market as the store's tables."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from parquet_store.calendar import known_at, sessions
from parquet_store.errors import StoreError
from parquet_store.schema import SCHEMAS
from parquet_store.simulation.bars import DailyBars
from parquet_store.simulation.drivers import Drivers, drive
from parquet_store.simulation.macro import macro_values
from parquet_store.simulation.parameters import Parameters, load_parameters
from parquet_store.simulation.prices import bitcoin_bars, fund_bars, index_bars, split_actions, vix_bars
from parquet_store.simulation.timeline import Timeline, lay_out
from parquet_store.universe import Universe, load_universe
from parquet_store.writer import SIMULATED

__all__ = ["FIRST", "LAST", "SimulatedMarket", "simulate"]

FIRST, LAST = date(2005, 1, 3), date(2026, 3, 31)
"""The range that is simulated when none is asked for."""


@dataclass(frozen=True)
class SimulatedMarket:
    """A made-up market. It has the shape and the feel of the real one and none of its values.

    Attributes
    ----------
    seed
        The seed it grew from.
    prices, actions, macro
        The store's tables of these names, without ``seen_at``; sorted by key, ``source`` is ``simulated``.
    episodes
        What happens when: ``name``, ``kind``, ``first``, ``last`` (both ends included) and ``severity``, one row for
        each episode that begins within the range, in order of ``first``.
    """

    seed: int
    prices: pl.DataFrame
    actions: pl.DataFrame
    macro: pl.DataFrame
    episodes: pl.DataFrame


def simulate(
    seed: int | None = None, first: date = FIRST, last: date = LAST, *, parameters: Parameters | None = None
) -> SimulatedMarket:
    """Simulate every series of the universe.

    A pure function: equal arguments give equal frames, on any machine. A value depends on the seed and its date alone;
    `first` and `last` only cut the one history that starts at the parameters' origin, so that a longer range repeats a
    shorter one exactly.

    Parameters
    ----------
    seed
        Any non-negative integer; None means the seed of the parameters.
    first, last
        Calendar days, both ends included. A monthly row is there if its month has ended by `last`.
    parameters
        What the market is made of; None means the shipped ones.

    Raises
    ------
    StoreError
        If the range is upside down or begins before the origin, or the seed is negative.
    """
    chosen = load_parameters() if parameters is None else parameters
    grown_from = chosen.seed if seed is None else seed
    _check(chosen, grown_from, first, last)
    days = _sessions_of_whole_months(chosen, last)
    timeline = lay_out(chosen, grown_from, days)
    drivers = drive(chosen, grown_from, timeline)
    prices, actions = _price_tables(chosen, grown_from, days, timeline, drivers)
    vix = prices.filter(pl.col("symbol") == "VIX")["close"].to_numpy()
    macro = macro_values(chosen, grown_from, days, timeline, drivers, vix)
    ended = pl.col("date").is_between(first, last)
    universe = load_universe()
    return SimulatedMarket(
        seed=grown_from,
        prices=_table("prices", prices.filter(ended), universe),
        actions=_table("actions", actions.filter(ended), universe),
        macro=_table("macro", macro.filter(ended & _month_over(last, universe)), universe),
        episodes=_episodes(chosen).filter(pl.col("first").is_between(first, last)),
    )


def _check(parameters: Parameters, seed: int, first: date, last: date) -> None:
    if seed < 0:
        msg = f"the seed of the simulated market must not be negative, and {seed} is"
        raise StoreError(msg)
    if first < parameters.origin:
        msg = f"the simulated market begins on {parameters.origin}; {first} is before that"
        raise StoreError(msg)
    if last < first:
        msg = f"the simulated market cannot run from {first} to {last}: the last day is before the first"
        raise StoreError(msg)


def _sessions_of_whole_months(parameters: Parameters, last: date) -> NDArray[np.datetime64]:
    """Return the sessions from the origin to the end of a month that lies after `last` and after every episode."""
    furthest = max(last, *(episode.last for episode in parameters.episodes)) + timedelta(days=1)
    end = pl.Series([furthest]).dt.month_end().item()
    return sessions(parameters.origin, end)["date"].to_numpy()


def _price_tables(
    parameters: Parameters, seed: int, days: NDArray[np.datetime64], timeline: Timeline, drivers: Drivers
) -> tuple[pl.DataFrame, pl.DataFrame]:
    bars: list[pl.DataFrame] = []
    actions = [split_actions(parameters)]
    for name in parameters.funds:
        fund, dividends = fund_bars(parameters, seed, name, days, timeline, drivers)
        bars.append(_rows(name, days, fund))
        actions.append(dividends)
    bars.append(_rows("VIX", days, vix_bars(parameters, seed, drivers)))
    bars.append(_rows("^GSPC", days, index_bars(parameters, seed, drivers)))
    every_day = np.arange(days[0], days[-1] + 1)
    on_every_day = lay_out(parameters, seed, every_day)
    bitcoin = bitcoin_bars(parameters, seed, on_every_day, drivers, np.isin(every_day, days))
    bars.append(_rows("BTC-USD", every_day, bitcoin))
    return pl.concat(bars), pl.concat(actions)


def _rows(symbol: str, days: NDArray[np.datetime64], bars: DailyBars) -> pl.DataFrame:
    frame = pl.DataFrame({"date": days, **vars(bars)}).with_columns(pl.col("volume").fill_nan(None))
    return frame.select(pl.lit(symbol).alias("symbol"), pl.all())


def _month_over(last: date, universe: Universe) -> pl.Expr:
    monthly = [spec.name for spec in universe.series if spec.calendar == "monthly"]
    return ~pl.col("series").is_in(monthly) | (pl.col("date").dt.month_end() <= last)


def _table(name: str, frame: pl.DataFrame, universe: Universe) -> pl.DataFrame:
    """Add what the universe says of each series, and bring the frame into the shape of the store's table."""
    schema = SCHEMAS[name]
    assert schema.series is not None  # noqa: S101 - true of the three tables that are simulated
    parts = []
    for (series,), rows in frame.sort(schema.key).group_by(schema.series, maintain_order=True):
        spec = universe[str(series)]
        facts = {"basis": spec.basis, "unit": spec.unit, "source": SIMULATED}
        literals = [pl.lit(value).alias(column) for column, value in facts.items() if column in schema.columns]
        parts.append(rows.with_columns(*literals, known_at(spec, rows["date"])))
    columns = [column for column in schema.columns if column != "seen_at"]
    if not parts:
        return pl.DataFrame(schema={column: schema.columns[column] for column in columns})
    return pl.concat(parts).select(columns)


def _episodes(parameters: Parameters) -> pl.DataFrame:
    rows = [episode.model_dump() for episode in parameters.episodes]
    schema = {"name": pl.String, "kind": pl.String, "first": pl.Date, "last": pl.Date, "severity": pl.Float64}
    return pl.DataFrame(rows, schema=schema).sort("first", "last")
