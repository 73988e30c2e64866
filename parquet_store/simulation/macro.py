"""The macro series: spreads and yields as they are published, each on the days on which its publisher works."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from parquet_store.inventory import expected_days
from parquet_store.simulation.drivers import Drivers
from parquet_store.simulation.parameters import Parameters, Unemployment
from parquet_store.simulation.processes import Vector, normal_shocks, per_day
from parquet_store.simulation.timeline import Timeline

__all__ = ["macro_values"]

_ICE = ("BAMLH0A0HYM2", "BAMLC0A0CM")


def macro_values(
    parameters: Parameters, seed: int, days: NDArray[np.datetime64], timeline: Timeline, drivers: Drivers, vix: Vector
) -> pl.DataFrame:
    """Return all macro series as published (``series``, ``date``, ``value``), in the units of the universe.

    Parameters
    ----------
    days
        NYSE sessions, from the first of a month to the end of one.
    vix
        Closes of the VIX, which VIXCLS repeats.
    """
    sessions = _published(days, drivers, parameters.credit.marking_lag).with_columns(pl.Series("VIXCLS", vix))
    first, last = sessions["date"].item(0), sessions["date"].item(-1)
    bond = sessions.drop("VIXCLS").filter(pl.col("date").is_in(expected_days("bond", first, last).implode()))
    parts = [_long(bond), _long(sessions.select("date", "VIXCLS")), _long(_month_end_rows(bond))]
    baa = bond.group_by(pl.col("date").dt.month_start(), maintain_order=True).agg(
        pl.col("DBAA").mean().round(2).alias("BAA")
    )
    need = pl.DataFrame({"date": days, "need": timeline.unemployment()})
    monthly = need.group_by(pl.col("date").dt.month_start(), maintain_order=True).agg(pl.col("need").mean())
    rate = _unemployment(parameters.unemployment, seed, monthly["need"].to_numpy())
    parts += [_long(baa), _long(monthly.select("date", pl.Series("UNRATE", np.round(rate, 1))))]
    return pl.concat(parts)


def _published(days: NDArray[np.datetime64], drivers: Drivers, lag: float) -> pl.DataFrame:
    """Return the daily rates as quoted; the Baa yield is, to the last digit, the ten-year yield plus its spread."""
    ten_year = np.round(drivers.ten_year, 2)
    baa_spread = np.round(_marked(drivers.baa, lag), 2)
    return pl.DataFrame(
        {
            "date": days,
            "BAMLH0A0HYM2": np.round(_marked(drivers.high_yield, lag), 2),
            "BAMLC0A0CM": np.round(_marked(drivers.investment_grade, lag), 2),
            "DGS10": ten_year,
            "BAA10Y": baa_spread,
            "DBAA": np.round(ten_year + baa_spread, 2),
            "DTB3": np.round(drivers.bill, 2),
            "CDX_NA_HY_5Y": np.round(100 * drivers.cdx, 1),
        }
    )


def _marked(spread: Vector, lag: float) -> Vector:
    """Return a spread as an index of bonds shows it: part of each day's move arrives a day late."""
    return (1 - lag) * spread + lag * np.concatenate((spread[:1], spread[:-1]))


def _month_end_rows(bond: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that ICE dates on a month's last day where that is a weekend: Friday's value once more."""
    last = bond.group_by(pl.col("date").dt.month_start().alias("month"), maintain_order=True).last()
    ends = last.with_columns(pl.col("date").dt.month_end())
    return ends.filter(pl.col("date").dt.weekday() > 5).select("date", *_ICE)


def _unemployment(unemployment: Unemployment, seed: int, need: Vector) -> Vector:
    """Return the monthly rate: it follows what the episodes call for with a lag of months."""
    keep = per_day(unemployment.half_life)
    rate = unemployment.mean
    rates = []
    for target, shock in zip(need.tolist(), normal_shocks(seed, "unemployment", need.size).tolist(), strict=True):
        rate = keep * rate + (1 - keep) * (unemployment.mean + target) + unemployment.own_shock * shock
        rates.append(rate)
    return np.array(rates)


def _long(wide: pl.DataFrame) -> pl.DataFrame:
    return wide.unpivot(index="date", variable_name="series").select("series", "date", "value")
