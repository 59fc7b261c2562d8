"""Which faces make up which batch: a pure function of seed and iteration, so that there is no state to lose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_POSE = 10.0
"""Degrees of yaw and pitch that count as the same pose."""

_EXPRESSION = (0.1, 0.1, 0.05)
"""Opening of the mouth, of the lids, and gaze (see :mod:`stages.expression`) that count as the same expression."""


def weights_of(
    pose: NDArray[np.floating], expression: NDArray[np.floating], poses: float, expressions: float
) -> NDArray[np.float64]:
    """How often to draw each face, (n,), summing to 1.

    Args:
        pose: (n, 2) degrees of yaw and pitch.
        expression: (n, 3) opening of the mouth and of the lids, and gaze.
        poses: 0 draws all faces alike often, 1 all poses alike often, between them a compromise.
        expressions: the same of expressions. Of both, a face comes as often as the product says.
    """
    weights = _rare(pose / _POSE, poses) * _rare(expression / np.array(_EXPRESSION), expressions)
    return np.asarray(weights / weights.sum())


def _rare(values: NDArray[np.floating], balance: float) -> NDArray[np.float64]:
    """How often those in cells of size 1 (n, k) are to be drawn, (n,), to any scale."""
    _, which, counts = np.unique(np.floor(values), axis=0, return_inverse=True, return_counts=True)
    return np.asarray(counts[which].astype(np.float64) ** -balance)


class Sampler:
    """Draws batches of one identity's faces; each epoch is shuffled anew.

    An epoch has as many draws as there are faces. With equal weights it holds every face once; with others a face
    comes as often as its weight says, to within one (systematic resampling).

    Args:
        weights: (n,), summing to 1.
        batch: faces in a batch; may exceed n.
        seed: two samplers with the same seed and weights draw the same.
        stream: tells the samplers of one run apart.
    """

    def __init__(self, weights: NDArray[np.float64], batch: int, seed: int, stream: int) -> None:
        self._cumulative = np.cumsum(weights)
        self._cumulative[-1] = 1.0
        self._batch, self._seed, self._stream = batch, seed, stream
        self._epoch, self._order = -1, np.empty(0, np.int64)

    def draw(self, iteration: int) -> NDArray[np.int64]:
        """The faces of the batch at ``iteration`` (from 0), (batch,) indices."""
        count = len(self._cumulative)
        positions = iteration * self._batch + np.arange(self._batch, dtype=np.int64)
        drawn = np.empty(self._batch, np.int64)
        for epoch in np.unique(positions // count):
            here = positions // count == epoch
            drawn[here] = self._epoch_order(int(epoch))[positions[here] % count]
        return drawn

    def _epoch_order(self, epoch: int) -> NDArray[np.int64]:
        if epoch != self._epoch:
            chance = np.random.default_rng([self._seed, self._stream, epoch])
            count = len(self._cumulative)
            ticks = (np.arange(count) + chance.random()) / count
            self._order = chance.permutation(np.searchsorted(self._cumulative, ticks, side="right"))
            self._epoch = epoch
        return self._order
