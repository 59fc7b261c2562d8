"""Smoothing over time, within a shot and a track, whatever the frame rate."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_REACH = 2.5
"""Neighbours further away than this many sigmas weigh nothing."""


Weights = dict[int, list[tuple[int, float]]]
"""For each row the rows that count for it, with weights that sum to 1."""


def runs(faces: pd.DataFrame) -> list[NDArray[np.intp]]:
    """Rows of a table with ``shot``, ``track`` and ``frame``, one array of positions a run, in the order of time.

    A run is one track within one shot: nothing is smoothed over a cut or from one person to another.
    """
    ordered = faces.reset_index(drop=True).sort_values(["shot", "track", "frame"], kind="stable")
    return [group.index.to_numpy() for _, group in ordered.groupby(["shot", "track"], sort=False)]


def neighbours(seconds: list[Fraction], run: NDArray[np.intp], sigma: float) -> Weights:
    """Who counts for whom in a run, and how much.

    Args:
        seconds: presentation time of every row.
        run: positions of the rows of one run, ordered by time.
        sigma: of the Gaussian in seconds; 0 makes every row its own only neighbour.

    Returns:
        for every position of the run a list of (position, weight), weights summing to 1. At a run's ends the
        window is cut and the rest weighs more.
    """
    times = np.array([float(seconds[row]) for row in run])
    reach = _REACH * sigma + 1e-9  # a frame on the very edge counts on both sides, whatever its rounding
    result: Weights = {}
    for here, row in enumerate(run):
        if sigma <= 0:
            result[int(row)] = [(int(row), 1.0)]
            continue
        first, last = np.searchsorted(times, [times[here] - reach, times[here] + reach])
        last = max(int(last), here + 1)
        weights = np.exp(-0.5 * ((times[first:last] - times[here]) / sigma) ** 2)
        weights /= weights.sum()
        result[int(row)] = [(int(run[first + i]), float(weight)) for i, weight in enumerate(weights)]
    return result


def smoothed(values: NDArray[np.float64], weights: Weights) -> NDArray[np.float64]:
    """Weighted means of the rows of ``values`` (n, ...), rows without weights as they are."""
    result = values.copy()
    for row, near in weights.items():
        result[row] = sum(weight * values[other] for other, weight in near)
    return result
