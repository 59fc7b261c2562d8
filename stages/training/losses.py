"""How far a decoder's answer is from the truth: terms per pixel, weighed by where in the face they are."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from stages.training.augment import Batch
from stages.training.networks import Answer
from stages.training.settings import LossSettings

_C1, _C2 = 0.01**2, 0.03**2
"""Wang's stabilisers K1 = 0.01, K2 = 0.03 for values 0..1."""


@lru_cache(maxsize=8)
def _gaussian_rows(size: int, sigma: float, radius: int) -> Tensor:
    """The Gaussian window as a (size, size) matrix that blurs a row, mirrored at the border (d c b a | a b c d)."""
    offsets = np.arange(-radius, radius + 1)
    window = np.exp(-0.5 * (offsets / sigma) ** 2)
    window /= window.sum()
    matrix = np.zeros((size, size))
    for offset, weight in zip(offsets, window, strict=True):
        at = np.arange(size) + offset
        at = np.where(at < 0, -1 - at, np.where(at >= size, 2 * size - 1 - at, at))
        np.add.at(matrix, (np.arange(size), at), weight)
    return torch.from_numpy(matrix.astype(np.float32))


def blur(pictures: Tensor, sigma: float = 1.5, radius: int = 5) -> Tensor:
    """Gaussian blur of (..., h, w) as two matrix products: quick on every device, and its gradient is deterministic."""
    height, width = pictures.shape[-2:]
    rows = _gaussian_rows(width, sigma, radius).to(pictures)
    columns = _gaussian_rows(height, sigma, radius).to(pictures)
    return columns @ pictures @ rows.T


def ssim_map(x: Tensor, y: Tensor) -> Tensor:
    """Structural similarity per pixel and channel (Wang et al. 2004): 11x11 Gaussian window, sigma 1.5.

    Args:
        x, y: (n, c, h, w), 0..1, sides of at least 6 pixels.

    Returns:
        (n, c, h, w), -1..1; 1 where the neighbourhoods agree.
    """
    mean_x, mean_y, mean_xx, mean_yy, mean_xy = blur(torch.stack([x, y, x * x, y * y, x * y]))
    variance_x, variance_y = mean_xx - mean_x**2, mean_yy - mean_y**2
    covariance = mean_xy - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)
    similarity: Tensor = likeness / ((mean_x**2 + mean_y**2 + _C1) * (variance_x + variance_y + _C2))
    return similarity


def gradient_map(x: Tensor, y: Tensor) -> Tensor:
    """Absolute difference of the finite differences to the right and down, (n, c, h, w); 0 at the far edges."""
    difference = x - y
    right = torch.diff(difference, dim=-1, append=difference[..., -1:]).abs()
    down = torch.diff(difference, dim=-2, append=difference[..., -1:, :]).abs()
    return right + down


def place_weights(batch: Batch, settings: LossSettings) -> Tensor:
    """How much each pixel's colour counts, (n, 1, r, r), mean 1 over each picture."""
    weights = settings.background + (1 - settings.background) * batch.mask
    weights = weights + settings.eyes * batch.eyes + settings.mouth * batch.mouth
    return weights / weights.mean(dim=(1, 2, 3), keepdim=True)


def loss_terms(answer: Answer, batch: Batch, settings: LossSettings) -> dict[str, Tensor]:
    """The weighted terms, each a scalar; their sum is what training lowers.

    Args:
        answer: what the decoder gave.
        batch: the truth, of the same size.
        settings: a term whose weight is 0 is not computed.
    """
    weights = place_weights(batch, settings)
    terms = {}
    if settings.l1:
        terms["l1"] = settings.l1 * (weights * (answer.rgb - batch.rgb).abs()).mean()
    if settings.ssim:
        terms["ssim"] = settings.ssim * (weights * (1 - ssim_map(answer.rgb, batch.rgb))).mean()
    if settings.gradient:
        terms["gradient"] = settings.gradient * (weights * gradient_map(answer.rgb, batch.rgb)).mean()
    if settings.mask:
        terms["mask"] = settings.mask * (answer.mask - batch.mask).abs().mean()
    return terms
