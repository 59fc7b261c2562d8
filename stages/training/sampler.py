"""Which faces make up which batch: a pure function of seed and iteration, so that there is no state to lose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BIN = 10.0
"""Degrees of yaw and pitch that count as the same pose."""


def pose_weights(yaw: NDArray[np.floating], pitch: NDArray[np.floating], balance: float) -> NDArray[np.float64]:
    """How often to draw each face, (n,), summing to 1.

    Args:
        yaw, pitch: (n,) degrees.
        balance: 0 draws all faces alike often, 1 all poses alike often, between them a compromise.
    """
    bins = np.stack([np.floor(yaw / _BIN), np.floor(pitch / _BIN)], axis=1)
    _, which, counts = np.unique(bins, axis=0, return_inverse=True, return_counts=True)
    weights = counts[which].astype(np.float64) ** -balance
    return np.asarray(weights / weights.sum())


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
