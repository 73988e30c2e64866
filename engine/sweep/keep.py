"""What a sweep stores of its results where storing all of them would be too much."""

import re
from dataclasses import dataclass
from typing import Literal

from parquet_store.errors import EngineError

__all__ = ["ALL", "Keep", "KeepError", "parse_keep"]

MOST_BEST = 1_000_000


class KeepError(EngineError):
    """What is to be kept cannot be understood."""


@dataclass(frozen=True)
class Keep:
    """What is stored of the results; all of them are counted in any case.

    Attributes
    ----------
    kind
        ``all``; ``top``: the best trials that hold different positions; ``sample``: combinations drawn at random;
        ``none``.
    count
        How many; 0 where the kind says it.
    """

    kind: Literal["all", "top", "sample", "none"]
    count: int = 0

    def __str__(self) -> str:
        return f"{self.kind}:{self.count}" if self.count else self.kind


ALL = Keep("all")


def parse_keep(text: str) -> Keep:
    """Read ``all``, ``none``, ``top:N`` or ``sample:N``.

    Raises
    ------
    KeepError
        The text is none of these, or N is out of range.
    """
    if text == "all":
        return ALL
    if text == "none":
        return Keep("none")
    match = re.fullmatch(r"(top|sample):([0-9][0-9_,]*)", text)
    count = int(re.sub(r"[_,]", "", match[2])) if match else 0
    if match is None or not 1 <= count <= MOST_BEST:
        message = f"{text!r} cannot be kept: write all, none, top:N or sample:N with N from 1 to {MOST_BEST:,}"
        raise KeepError(message)
    return Keep("top" if match[1] == "top" else "sample", count)
