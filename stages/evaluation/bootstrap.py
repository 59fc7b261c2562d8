"""How sure a figure is: percentile bootstrap over shots, or over seconds where there are few shots.

Neighbouring frames are nearly one picture, so frames are not drawn one by one (Efron and Tibshirani 1993, chapter 8:
what is drawn must be independent). Which is drawn follows from a seed alone.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.evaluation.statistics import Floats, Statistic

ENOUGH_SHOTS: Final = 8
"""From so many measured shots on, shots are drawn; below, blocks of a second within them."""

BLOCK_SECONDS: Final = 1.0
RESAMPLES: Final = 1000
LEVEL: Final = 0.95


class Interval(NamedTuple):
    """Between these the figure lies in 95 of 100 drawings; NaN where there is but one block."""

    low: float
    high: float


def blocks_of(table: pd.DataFrame) -> NDArray[np.intp]:
    """Which block each row belongs to, (rows,), numbered from 0.

    Args:
        table: with ``shot`` and ``seconds``.
    """
    shots = table["shot"]
    if shots.nunique() >= ENOUGH_SHOTS:
        return np.asarray(pd.factorize(shots)[0], np.intp)
    seconds = np.floor(table["seconds"] / BLOCK_SECONDS).astype(int)
    return np.asarray(pd.factorize(pd.MultiIndex.from_arrays([shots, seconds]))[0], np.intp)


def draws(blocks: int, seed: int, resamples: int = RESAMPLES) -> Floats:
    """How often each block is drawn, (resamples, blocks): as many with replacement as there are."""
    chance = np.random.default_rng(seed)
    return chance.multinomial(blocks, np.full(blocks, 1.0 / blocks), size=resamples).astype(np.float64)


def interval(statistic: Statistic, table: pd.DataFrame, blocks: NDArray[np.intp], weights: Floats) -> Interval:
    """The middle 95 % of a figure over all drawings.

    Args:
        statistic: the figure.
        table: by frame.
        blocks: of its rows, see :func:`blocks_of`.
        weights: see :func:`draws`.
    """
    terms = statistic.terms(table)
    sums = np.zeros((weights.shape[1], terms.shape[1]))
    np.add.at(sums, blocks, terms)
    taking_part = sums.any(axis=1)
    if taking_part.sum() < 2:
        return Interval(float("nan"), float("nan"))
    values = statistic.value(weights @ sums)
    known = values[np.isfinite(values)]
    if known.size < len(values) / 2:
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))
