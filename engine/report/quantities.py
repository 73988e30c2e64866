"""Quantities as people write them."""

import re

from parquet_store.errors import EngineError

__all__ = ["parse_bytes"]

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def parse_bytes(text: str) -> int:
    """Read an amount of memory: ``800MB``, ``2GB``, ``1.5g`` or a number of bytes. Units are decimal.

    Raises
    ------
    EngineError
        The text is not an amount of memory.
    """
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)i?b?\s*", text.lower())
    if match is None:
        message = f"{text!r} is not an amount of memory: write for example 800MB or 2GB"
        raise EngineError(message)
    return int(float(match[1]) * _UNITS[match[2]])
