"""What moves all series: the market and its volatility, the style factors, yields and spreads, one value a session."""

from dataclasses import dataclass

import numpy as np

from parquet_store.simulation.parameters import Credit, FactorName, Parameters, Volatility
from parquet_store.simulation.processes import (
    Vector,
    autoregression,
    normal_shocks,
    per_day,
    pulled_walk,
    student_shocks,
)
from parquet_store.simulation.timeline import Timeline

__all__ = ["STYLES", "YEAR", "Drivers", "drive"]

YEAR = 252
"""Sessions in a year."""

STYLES: tuple[FactorName, ...] = ("growth", "commodity", "financial", "defensive")

_MEAN_ABSOLUTE_SHOCK = float(np.sqrt(2 / np.pi))


@dataclass(frozen=True)
class Drivers:
    """The state of the simulated world at each session's close.

    Attributes
    ----------
    vix
        Index points.
    turbulence
        Factor by which today's shocks outside the market are larger than usual; known the day before.
    market, styles
        Log returns of the day, by factor.
    ten_year, bill
        Yields in percent.
    high_yield, investment_grade, cdx, baa
        Spreads in percent as they trade, before any lag in marking.
    """

    vix: Vector
    turbulence: Vector
    market: Vector
    styles: dict[FactorName, Vector]
    ten_year: Vector
    bill: Vector
    high_yield: Vector
    investment_grade: Vector
    cdx: Vector
    baa: Vector


def drive(parameters: Parameters, seed: int, timeline: Timeline) -> Drivers:
    """Simulate the drivers on the timeline's sessions."""
    volatility = parameters.volatility
    shocks = student_shocks(seed, "market", timeline.free.size, volatility.tail_degrees)
    slow = _slow_level(volatility, seed, timeline)
    vix = _vix(volatility, seed, timeline, shocks, slow)
    yesterday = _yesterday(vix, volatility.reference_vix)
    turbulence = (yesterday / volatility.reference_vix) ** volatility.spread_of_turbulence
    deviation = volatility.premium * yesterday / 100 / np.sqrt(YEAR)
    market = _walk(parameters, "market", timeline, deviation * shocks)
    styles = {name: _style(parameters, seed, name, timeline, turbulence) for name in STYLES}
    ten_year, bill = _yields(parameters, seed, timeline, shocks, turbulence)
    spreads = _spreads(parameters.credit, seed, timeline, market, slow)
    return Drivers(vix, turbulence, market, styles, ten_year, bill, *spreads)


def _slow_level(volatility: Volatility, seed: int, timeline: Timeline) -> Vector:
    """Return the part of the VIX's log level that drifts over months; an episode, as it builds, overrules it."""
    spread = volatility.slow_deviation * np.sqrt(1 - per_day(volatility.slow_half_life) ** 2)
    drift = autoregression(
        spread * normal_shocks(seed, "slow volatility", timeline.free.size), volatility.slow_half_life
    )
    return drift * (1 - timeline.pinning * np.minimum(timeline.volatility(), 1.0))


def _vix(volatility: Volatility, seed: int, timeline: Timeline, shocks: Vector, slow: Vector) -> Vector:
    """Return the VIX.

    It answers to the day's market shock: to falls more than to rises, to a crash less than in proportion.
    """
    felt = volatility.largest_shock * np.tanh(shocks / volatility.largest_shock)
    answer = -volatility.leverage * felt + volatility.size_effect * (np.abs(felt) - _MEAN_ABSOLUTE_SHOCK)
    own = volatility.own_shock * normal_shocks(seed, "fast volatility", shocks.size)
    fast = autoregression(answer + own, volatility.fast_half_life)
    above = volatility.scale * np.exp(slow + fast + timeline.volatility())
    return volatility.floor + volatility.span * np.tanh(above / volatility.span)


def _yesterday(values: Vector, first: float) -> Vector:
    return np.concatenate(([first], values[:-1]))


def _walk(parameters: Parameters, name: FactorName, timeline: Timeline, shocks: Vector) -> Vector:
    factor = parameters.factors[name]
    return pulled_walk(
        timeline.centred(shocks), timeline.design(name), timeline.free, factor.trend / YEAR, factor.half_life
    )


def _style(parameters: Parameters, seed: int, name: FactorName, timeline: Timeline, turbulence: Vector) -> Vector:
    deviation = parameters.factors[name].volatility / np.sqrt(YEAR) * turbulence
    return _walk(parameters, name, timeline, deviation * _tailed(parameters, seed, name, timeline))


def _tailed(parameters: Parameters, seed: int, name: str, timeline: Timeline) -> Vector:
    return student_shocks(seed, name, timeline.free.size, parameters.volatility.tail_degrees)


def _yields(
    parameters: Parameters, seed: int, timeline: Timeline, market_shocks: Vector, turbulence: Vector
) -> tuple[Vector, Vector]:
    """Return the ten-year and the three-month yield; both are bent away from zero."""
    rates = parameters.rates
    link = rates.market_link
    linked = link * market_shocks + np.sqrt(1 - link**2) * _tailed(parameters, seed, "ten_year", timeline)
    daily = parameters.factors["ten_year"].volatility / np.sqrt(YEAR) * turbulence
    ten_year = rates.ten_year + np.cumsum(_walk(parameters, "ten_year", timeline, daily * linked))
    slope = rates.slope + np.cumsum(_style(parameters, seed, "slope", timeline, turbulence))
    gap = (1 - per_day(rates.bill_half_life)) * (ten_year - slope)
    bill = autoregression(gap, rates.bill_half_life, start=rates.ten_year - rates.slope)
    return _bent(ten_year, rates.floor_width), _bent(bill, rates.floor_width)


def _bent(values: Vector, width: float) -> Vector:
    """Return a smooth version of ``max(values, 0)`` (softplus)."""
    return width * np.logaddexp(0.0, values / width)


def _spreads(
    credit: Credit, seed: int, timeline: Timeline, market: Vector, slow: Vector
) -> tuple[Vector, Vector, Vector, Vector]:
    """Return the high-yield, investment-grade, CDX and Baa spreads: one state of credit, a basis for each."""
    own = credit.own_shock * normal_shocks(seed, "credit", market.size)
    equity = autoregression(own - credit.equity_beta * market, credit.half_life)
    state = equity + credit.volatility_beta * slow + timeline.credit()
    spread = credit.basis_deviation * np.sqrt(1 - per_day(credit.basis_half_life) ** 2)

    def tied(name: str, level: float, beta: float) -> Vector:
        basis = autoregression(spread * normal_shocks(seed, f"basis {name}", market.size), credit.basis_half_life)
        return level * np.exp(beta * state + basis)

    return (
        credit.high_yield * np.exp(state),
        tied("investment grade", credit.investment_grade, credit.investment_grade_beta),
        tied("cdx", credit.cdx, credit.cdx_beta),
        tied("baa", credit.baa, credit.baa_beta),
    )
