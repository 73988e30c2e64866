"""A made-up market with known episodes, for demonstrations and tests; nothing in it comes from market data."""

from parquet_store.simulation.market import FIRST, LAST, SimulatedMarket, simulate
from parquet_store.simulation.parameters import Parameters, load_parameters
from parquet_store.simulation.writing import is_simulated, write_simulated

__all__ = [
    "FIRST",
    "LAST",
    "Parameters",
    "SimulatedMarket",
    "is_simulated",
    "load_parameters",
    "simulate",
    "write_simulated",
]
