"""Figures of a swap as functions of sums over frames, so that an interval needs no second look at a picture.

A statistic turns each row of the table by frame into *terms*, and the sum of all terms into a figure. Bootstrap adds up
the same terms with other weights (:mod:`stages.evaluation.bootstrap`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FARTHEST_LAG: Final = 8
"""Frames; a third of a second at 25 a second."""

_MOMENTS: Final = 6
_LEAST_SPREAD: Final = 1e-9
"""Below this variance a signal is constant, and correlates with nothing."""


class Statistic(Protocol):
    """A figure from the table by frame."""

    def terms(self, table: pd.DataFrame) -> Floats:
        """(rows, k) terms to be added up; rows that have no part in it are 0."""
        ...

    def value(self, sums: Floats) -> Floats:
        """The figure (...) from sums (..., k); NaN where they do not tell it."""
        ...

    def of_control(self, name: str) -> Self:
        """The same of a control, whose columns end on its name."""
        ...


def column(table: pd.DataFrame, name: str) -> Floats:
    """A column as float64; all NaN if the table lacks it."""
    if name not in table:
        return np.full(len(table), np.nan)
    return table[name].to_numpy(np.float64)


@dataclass(frozen=True)
class Mean:
    """The mean of a column, of one split if ``split`` names it."""

    name: str
    split: str | None = None

    def terms(self, table: pd.DataFrame) -> Floats:
        """(rows, 2): how many, and their sum."""
        values = column(table, self.name)
        known = np.isfinite(values)
        if self.split is not None:
            known &= (table["split"] == self.split).to_numpy()
        return np.stack([known, np.where(known, values, 0.0)], axis=1).astype(np.float64)

    def value(self, sums: Floats) -> Floats:
        """The mean."""
        return _quotient(sums[..., 1], sums[..., 0])

    def of_control(self, name: str) -> Self:
        """Of the control's column."""
        return replace(self, name=f"{self.name}_{name}")


@dataclass(frozen=True)
class RootRatio:
    """The root of one column's sum over another's, over rows that have both: a ratio of root mean squares."""

    name: str
    over: str

    def terms(self, table: pd.DataFrame) -> Floats:
        """(rows, 2): both columns."""
        both = np.stack([column(table, self.name), column(table, self.over)], axis=1)
        return np.where(np.isfinite(both).all(axis=1, keepdims=True), both, 0.0)

    def value(self, sums: Floats) -> Floats:
        """The ratio."""
        return np.sqrt(_quotient(sums[..., 0], sums[..., 1]))

    def of_control(self, name: str) -> Self:
        """Of the control's column over the same one."""
        return replace(self, name=f"{self.name}_{name}")


@dataclass(frozen=True)
class Correlation:
    """Pearson's correlation of columns with their references, mean over those that move at all."""

    names: tuple[str, ...]
    reference: str
    """what the references' names end on"""
    suffix: str = ""

    def terms(self, table: pd.DataFrame) -> Floats:
        """(rows, 6 a column): the moments of both signals."""
        pairs = [(column(table, name + self.suffix), column(table, name + self.reference)) for name in self.names]
        return np.concatenate([_moments(*pair) for pair in pairs], axis=1)

    def value(self, sums: Floats) -> Floats:
        """-1..1."""
        split = sums.reshape(*sums.shape[:-1], len(self.names), _MOMENTS)
        each = _correlation(split)
        known = np.isfinite(each)
        return _quotient(np.where(known, each, 0.0).sum(axis=-1), known.sum(axis=-1))

    def of_control(self, name: str) -> Self:
        """Of the control's columns with the same references."""
        return replace(self, suffix=f"_{name}")


@dataclass(frozen=True)
class Lag:
    """By how many frames a column comes later than another: the peak of their cross-correlation.

    Only frames of one stretch are compared. The peak is that of the parabola through the greatest correlation and its
    two neighbours, so it lies between frames, too.
    """

    name: str
    behind: str

    def terms(self, table: pd.DataFrame) -> Floats:
        """(rows, 6 a lag): the moments of the one signal with the other one so many frames before."""
        places = table[["stretch", "frame"]].reset_index(drop=True)
        places = places.assign(row=range(len(places)))[places["stretch"] >= 0]
        late, early = column(table, self.name), column(table, self.behind)
        parts = []
        for lag in range(-FARTHEST_LAG, FARTHEST_LAG + 1):
            there = places.assign(frame=places["frame"] - lag)
            pairs = places.merge(there, on=["stretch", "frame"], suffixes=("", "_late"))
            shifted = np.full(len(table), np.nan)
            shifted[pairs["row"].to_numpy()] = late[pairs["row_late"].to_numpy()]
            parts.append(_moments(shifted, early))
        return np.concatenate(parts, axis=1)

    def value(self, sums: Floats) -> Floats:
        """Frames, -8..8; above 0 if ``name`` is late."""
        each = _correlation(sums.reshape(*sums.shape[:-1], 2 * FARTHEST_LAG + 1, _MOMENTS))
        known = np.isfinite(each)
        filled = np.where(known, each, -2.0)
        peak = np.clip(np.argmax(filled, axis=-1), 1, 2 * FARTHEST_LAG - 1)
        before, at, after = (np.take_along_axis(filled, (peak + step)[..., None], -1)[..., 0] for step in (-1, 0, 1))
        bend = before - 2 * at + after
        away = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, 1.0), 0.0)
        lag = peak - FARTHEST_LAG + np.clip(away, -1.0, 1.0)
        return np.where(known.all(axis=-1), lag, np.nan)

    def of_control(self, name: str) -> Self:
        """Of the control's column behind the same one."""
        return replace(self, name=f"{self.name}_{name}")


def _moments(x: Floats, y: Floats) -> Floats:
    """(n, 6): 1, x, y, xx, yy, xy; 0 where either is unknown."""
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    return np.where((np.isfinite(x) & np.isfinite(y))[:, None], terms, 0.0)


def _correlation(moments: Floats) -> Floats:
    """Pearson's r from summed moments (..., 6); NaN where a signal does not move or there are fewer than 3 pairs."""
    count, x, y, xx, yy, xy = np.moveaxis(moments, -1, 0)
    n = np.maximum(count, 1.0)
    spread_x, spread_y = xx / n - (x / n) ** 2, yy / n - (y / n) ** 2
    moves = (count >= 3) & (spread_x > _LEAST_SPREAD) & (spread_y > _LEAST_SPREAD)
    together = xy / n - (x / n) * (y / n)
    return np.where(moves, together / np.sqrt(np.where(moves, spread_x * spread_y, 1.0)), np.nan)


def _quotient(above: Floats, below: Floats) -> Floats:
    known = below > 0
    return np.where(known, above / np.where(known, below, 1.0), np.nan)
