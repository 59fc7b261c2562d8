"""Smoothing over time, within a shot and a track, whatever the frame rate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_REACH = 2.5
"""Neighbours further away than this many sigmas weigh nothing."""


class Weights(Mapping[int, Sequence[tuple[int, float]]]):
    """For each row of a table the rows that count for it, with weights that sum to 1: a Gaussian over time.

    At a run's ends the window is cut and the rest weighs more. Told when it is asked for, since a hundred neighbours of
    each face of an hour would fill the memory.

    Args:
        seconds: (n,) presentation time of every row.
        runs: of which each is smoothed within itself: positions of its rows, ordered by time.
        sigma: of the Gaussian in seconds; 0 makes every row its own only neighbour.
    """

    def __init__(self, seconds: NDArray[np.float64], runs: Sequence[NDArray[np.intp]], sigma: float) -> None:
        self._runs, self._sigma = runs, sigma
        self._times = [seconds[run] for run in runs]
        self._run_of, self._place_in = (np.full(len(seconds), -1) for _ in range(2))
        for number, run in enumerate(runs):
            self._run_of[run], self._place_in[run] = number, np.arange(len(run))

    def __getitem__(self, row: int) -> Sequence[tuple[int, float]]:
        number = int(self._run_of[row]) if 0 <= row < len(self._run_of) else -1
        if number < 0:
            raise KeyError(row)
        if self._sigma <= 0:
            return [(row, 1.0)]
        times, run, here = self._times[number], self._runs[number], int(self._place_in[row])
        reach = _REACH * self._sigma + 1e-9  # a frame on the very edge counts on both sides, whatever its rounding
        first, last = np.searchsorted(times, [times[here] - reach, times[here] + reach])
        last = max(int(last), here + 1)
        weights = np.exp(-0.5 * ((times[first:last] - times[here]) / self._sigma) ** 2)
        weights /= weights.sum()
        return list(zip(run[first:last].tolist(), weights.tolist(), strict=True))

    def __iter__(self) -> Iterator[int]:
        for run in self._runs:
            yield from run.tolist()

    def __len__(self) -> int:
        return sum(map(len, self._runs))


class Believed(Mapping[int, Sequence[tuple[int, float]]]):
    """Weights over time, each times how much of that row could be measured; where nothing could, the weights alone.

    Args:
        weights: who counts for whom.
        shares: (n,) not negative.
    """

    def __init__(self, weights: Mapping[int, Sequence[tuple[int, float]]], shares: NDArray[np.float64]) -> None:
        self._weights, self._shares = weights, shares

    def __getitem__(self, row: int) -> Sequence[tuple[int, float]]:
        near = self._weights[row]
        believed = [(other, weight * float(self._shares[other])) for other, weight in near]
        total = sum(weight for _, weight in believed)
        return [(other, weight / total) for other, weight in believed] if total > 0 else near

    def __iter__(self) -> Iterator[int]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)


class Alike(Mapping[int, Sequence[tuple[int, float]]]):
    """Weights over time, less for rows in other light: a bilateral filter (Tomasi and Manduchi 1998).

    A flash, a lamp that flickers or is switched on is no noise: what was measured before it says nothing about it, nor
    what is measured in it about what comes after.

    Args:
        weights: who counts for whom.
        levels: (n,) of the light on each, logarithms; NaN where it could not be told: such a row counts for all, and
            all for it.
        sigma: difference of levels at which 0.6 of a weight is left.
    """

    def __init__(
        self, weights: Mapping[int, Sequence[tuple[int, float]]], levels: NDArray[np.float64], sigma: float
    ) -> None:
        self._weights, self._levels, self._sigma = weights, levels, sigma

    def __getitem__(self, row: int) -> Sequence[tuple[int, float]]:
        near = self._weights[row]
        apart = self._levels[[other for other, _ in near]] - self._levels[row]
        alike = np.exp(-0.5 * (np.nan_to_num(apart) / self._sigma) ** 2)
        kept = np.array([weight for _, weight in near]) * alike
        total = float(kept.sum())
        if total <= 0.0:
            return near
        return [(other, weight) for (other, _), weight in zip(near, (kept / total).tolist(), strict=True)]

    def __iter__(self) -> Iterator[int]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)


def runs(faces: pd.DataFrame) -> list[NDArray[np.intp]]:
    """Rows of a table with ``shot``, ``track`` and ``frame``, one array of positions a run, in the order of time.

    A run is one track within one shot: nothing is smoothed over a cut or from one person to another.
    """
    ordered = faces.reset_index(drop=True).sort_values(["shot", "track", "frame"], kind="stable")
    return [group.index.to_numpy() for _, group in ordered.groupby(["shot", "track"], sort=False)]


def smoothed(values: NDArray[np.float64], weights: Mapping[int, Sequence[tuple[int, float]]]) -> NDArray[np.float64]:
    """Weighted means of the rows of ``values`` (n, ...), rows without weights as they are."""
    result = values.copy()
    for row, near in weights.items():
        result[row] = sum(weight * values[other] for other, weight in near)
    return result
