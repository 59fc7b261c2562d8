"""Differences of edges: between neighbours, and between the bands of a pyramid."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from stages.training.losses.structure import blur

_LEVELS = 5
_SMALLEST = 4
"""Least side of a level, pixels; what is coarser stays in the last."""


def gradient_map(x: Tensor, y: Tensor) -> Tensor:
    """Absolute difference of the finite differences to the right and down, (n, c, h, w); 0 at the far edges."""
    difference = x - y
    right = torch.diff(difference, dim=-1, append=difference[..., -1:]).abs()
    down = torch.diff(difference, dim=-2, append=difference[..., -1:, :]).abs()
    return right + down


def laplacian_distance(x: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    """L1 distance of two Laplacian pyramids, a scalar (Bojanowski et al. 2018, "Optimizing the latent space").

    Their sum over levels j of ``4**j`` times a level's summed differences is, with means in place of sums, the sum of
    the levels' means: a level has a quarter of the pixels of the one before.

    Args:
        x, y: (n, c, h, w), 0..1, sides of at least 3 pixels.
        weights: (n, 1, h, w): how much each place counts, mean 1.
    """
    soft = x - y  # a pyramid is linear: the difference of two is the pyramid of the difference
    distance = x.new_zeros(())
    for level in range(_levels(min(x.shape[-2:]))):
        band = F.avg_pool2d(soft, 2) if level else soft
        weights = F.avg_pool2d(weights, 2) if level else weights
        soft = blur(band, sigma=1.0, radius=2)
        distance = distance + (weights * (band - soft).abs()).mean()
    return distance + (weights * soft.abs()).mean()


def _levels(side: int) -> int:
    return max(1, sum(side >> level >= _SMALLEST for level in range(_LEVELS)))
