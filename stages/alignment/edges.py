"""Edges of what comes before a face, laid where the picture has them: a guided filter, at twice the network's size."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.float32]
Picture = NDArray[np.uint8]

RADIUS: Final = 2
"""Pixels of the network's crop within which colours are told from each other; a rim is one or two wide."""

EPSILON: Final = 3e-4
"""Variance of colour, of values 0..1, below which a neighbourhood is flat and shows no edge: about that of a sensor's
noise in little light."""


def sharpened(seen: Mask, crop: Picture, finer: Picture) -> Mask:
    """What a network said, as the picture's own colours continue it.

    Within each neighbourhood what is said is taken for a linear function of the colour, which the crop that was looked
    at tells, and which a finer one is then put into (He et al. 2013, "Guided image filtering", eq. 19 to 21; with a
    finer picture, He and Sun 2015, "Fast guided filter").

    Args:
        seen: (s, s) float32 in 0..1.
        crop: (s, s, 3) uint8 RGB that was looked at.
        finer: (t, t, 3) uint8 RGB, the same crop with more pixels.

    Returns:
        (t, t) float32 in 0..1.
    """
    guide = crop.astype(np.float32) / np.float32(255.0)
    red, green, blue = np.moveaxis(guide, -1, 0)
    products = (red * red, red * green, red * blue, green * green, green * blue, blue * blue)
    with_it = (red * seen, green * seen, blue * seen)
    means = _mean(np.stack([red, green, blue, seen, *products, *with_it], axis=-1))
    of_colour, of_seen = means[..., :3], means[..., 3]
    rr, rg, rb, gg, gb, bb = np.moveaxis(means[..., 4:10], -1, 0)
    r, g, b = np.moveaxis(of_colour, -1, 0)
    rr, rg, rb = rr - r * r + EPSILON, rg - r * g, rb - r * b
    gg, gb, bb = gg - g * g + EPSILON, gb - g * b, bb - b * b + EPSILON
    x, y, z = np.moveaxis(means[..., 10:] - of_colour * of_seen[..., None], -1, 0)
    # the inverse of a symmetric matrix of three by its cofactors: a solver for each pixel takes ten times as long
    first, second, third = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    middle, beside, last = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    whole = rr * first + rg * second + rb * third
    slope = np.stack(
        [
            (first * x + second * y + third * z) / whole,
            (second * x + middle * y + beside * z) / whole,
            (third * x + beside * y + last * z) / whole,
        ],
        axis=-1,
    )
    offset = of_seen - (slope * of_colour).sum(axis=-1)
    told = _mean(np.concatenate([slope, offset[..., None]], axis=-1))
    wide = cv2.resize(told, finer.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    result = np.einsum("ijk,ijk->ij", wide[..., :3], finer.astype(np.float32) / np.float32(255.0)) + wide[..., 3]
    return np.asarray(np.clip(result, 0.0, 1.0), np.float32)


def _mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
    side = 2 * RADIUS + 1
    return np.asarray(cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)
