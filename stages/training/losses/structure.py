"""Structural similarity, at one scale per pixel and over several scales per picture."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

_C1, _C2 = 0.01**2, 0.03**2
"""Wang's stabilisers K1 = 0.01, K2 = 0.03 for values 0..1."""

_SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the five scales, finest first, as Wang et al. 2003 measured them on observers."""

_WINDOW = 11
_LEAST = 1e-4
"""Of a scale's similarity: below 0 it has no power, and near 0 the power's slope has no bound."""


@lru_cache(maxsize=32)
def _gaussian_rows(size: int, sigma: float, radius: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The Gaussian window as a (size, size) matrix that blurs a row, mirrored at the border (d c b a | a b c d)."""
    offsets = np.arange(-radius, radius + 1)
    window = np.exp(-0.5 * (offsets / sigma) ** 2)
    window /= window.sum()
    matrix = np.zeros((size, size))
    for offset, weight in zip(offsets, window, strict=True):
        at = np.arange(size) + offset
        at = np.where(at < 0, -1 - at, np.where(at >= size, 2 * size - 1 - at, at))
        np.add.at(matrix, (np.arange(size), at), weight)
    return torch.from_numpy(matrix.astype(np.float32)).to(device, dtype)


def blur(pictures: Tensor, sigma: float = 1.5, radius: int = _WINDOW // 2) -> Tensor:
    """Gaussian blur of (..., h, w) as two matrix products: quick on every device, and its gradient is deterministic."""
    height, width = pictures.shape[-2:]
    rows = _gaussian_rows(width, sigma, radius, pictures.dtype, pictures.device)
    columns = _gaussian_rows(height, sigma, radius, pictures.dtype, pictures.device)
    return columns @ pictures @ rows.T


def ssim_map(x: Tensor, y: Tensor) -> Tensor:
    """Structural similarity per pixel and channel (Wang et al. 2004): 11x11 Gaussian window, sigma 1.5.

    Args:
        x, y: (n, c, h, w), 0..1, sides of at least 6 pixels.

    Returns:
        (n, c, h, w), -1..1; 1 where the neighbourhoods agree.
    """
    (light, light_most), (structure, structure_most) = _light_and_structure(x, y)
    return (light * structure) / (light_most * structure_most)


def ms_ssim(x: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    """Multi-scale structural similarity (Wang, Simoncelli and Bovik 2003) per picture and channel.

    Contrast and structure are compared at every scale, light only at the coarsest. A scale takes part while the window
    fits in it; the exponents of those that do are scaled to sum 1.

    Args:
        x, y: (n, c, h, w), 0..1, sides of at least 6 pixels.
        weights: (n, 1, h, w), >= 0: how much each place counts in a scale's mean.

    Returns:
        (n, c), 0..1; 1 where the pictures agree.
    """
    count = scales(min(x.shape[-2:]))
    exponents = [exponent / sum(_SCALES[:count]) for exponent in _SCALES[:count]]
    product = x.new_ones(x.shape[:2])
    for scale, exponent in enumerate(exponents):
        if scale:
            x, y, weights = (F.avg_pool2d(picture, 2) for picture in (x, y, weights))
        similarity = ssim_map(x, y) if scale == count - 1 else _structure_map(x, y)
        mean = (weights * similarity).sum(dim=(2, 3)) / weights.sum(dim=(2, 3)).clamp_min(1e-6)
        product = product * mean.clamp_min(_LEAST).pow(exponent)
    return product


def _structure_map(x: Tensor, y: Tensor) -> Tensor:
    _, (structure, most) = _light_and_structure(x, y)
    return structure / most


def scales(side: int) -> int:
    """How many of the five scales a picture of this side has: 1 below 22 pixels, 5 from 176."""
    return max(1, sum(side >> scale >= _WINDOW for scale in range(len(_SCALES))))


def _light_and_structure(x: Tensor, y: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """The two factors of similarity, each as a fraction: what the pictures share and the most that they could."""
    mean_x, mean_y, mean_xx, mean_yy, mean_xy = blur(torch.stack([x, y, x * x, y * y, x * y]))
    variance_x, variance_y = mean_xx - mean_x**2, mean_yy - mean_y**2
    covariance = mean_xy - mean_x * mean_y
    light = (2 * mean_x * mean_y + _C1, mean_x**2 + mean_y**2 + _C1)
    return light, (2 * covariance + _C2, variance_x + variance_y + _C2)
