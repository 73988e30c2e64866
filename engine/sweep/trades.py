"""What a posture path and its returns say about trades: how many, how many earned something, time in the market."""

import numpy as np
from numpy.typing import NDArray

from engine.compiled import jit
from engine.metrics import WON

__all__ = ["trade_statistics"]

Floats = NDArray[np.float64]


@jit
def trade_statistics(paths: NDArray[np.int8], returns: Floats, trades: Floats, hits: Floats, exposure: Floats) -> None:
    """Count trades and those that earned something, and the share of sessions that end with a position.

    A trade is one holding of the whole position: it begins before its fill, so that it bears the fill's cost, and
    ends after its exit, or at the last close. Where one posture follows another without a pause, the switch belongs
    to the first.

    Parameters
    ----------
    paths
        Posture held after each close, int8 (paths, sessions).
    returns
        Float64 (sessions, paths).
    trades, hits, exposure
        Results, float64 (paths,): number of trades, number with a positive return, share of sessions.
    """
    for i in range(paths.shape[0]):
        held = 0
        count = 0
        won = 0
        sessions_held = 0
        growth = 1.0
        for t in range(paths.shape[1]):
            posture = paths[i, t]
            if held != 0:
                growth *= 1.0 + returns[t, i]
            elif posture != 0:
                growth = 1.0 + returns[t, i]
            if posture != held:
                if held != 0:
                    won += growth > WON
                    growth = 1.0
                if posture != 0:
                    count += 1
                held = posture
            sessions_held += posture != 0
        if held != 0:
            won += growth > WON
        trades[i] = count
        hits[i] = won
        exposure[i] = sessions_held / paths.shape[1]
