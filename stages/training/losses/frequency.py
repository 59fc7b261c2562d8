"""Difference of spectra, with the worst frequencies first."""

from __future__ import annotations

import torch
from torch import Tensor


def focal_frequency_distance(x: Tensor, y: Tensor, weights: Tensor, alpha: float = 1.0) -> Tensor:
    """Focal frequency loss (Jiang et al. 2021), a scalar.

    The squared difference of the orthonormal spectra, each frequency weighed by its own difference to the power
    ``alpha``, divided by the largest of the picture and channel. The weights are not learnt through.

    Args:
        x, y: (n, c, h, w) float32, 0..1.
        weights: (n, 1, h, w): how much each place counts, mean 1; applied before the transform, as a frequency has no
            place.
        alpha: how much the worst frequencies are preferred; 0 gives the mean squared difference.
    """
    spectrum = torch.fft.fft2(weights * (x - y), norm="ortho")
    power: Tensor = spectrum.real.square() + spectrum.imag.square()
    focus = power.detach().pow(alpha / 2)
    focus = focus / focus.amax(dim=(-2, -1), keepdim=True).clamp_min(1e-12)
    distance: Tensor = (focus * power).mean()
    return distance
