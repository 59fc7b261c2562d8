"""Focus: a decoder paints a face as sharp as it has learnt it; where the target is out of focus, it is blurred as much.

As much is told by fine detail: of the face, as it is and under blurs of several widths, and of the target without its
grain. It is told at one size whatever the model's, so that a large crop does not hide a wide blur.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.compositing.sharpness import FLOOR, detail_of_luma

Floats = NDArray[np.float32]

SIDE: Final = 128
"""Pixels across the crop at which focus is told."""

SIGMAS: Final = (0.0, 0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2, 3.0, 4.5)
"""Of the blurs that are tried, in those pixels."""

WIDTH: Final = len(SIGMAS) + 1

STEADY: Final = 0.15
"""Seconds (sigma) over which it is smoothed within a shot: short, since focus is pulled fast."""

_LEAST: Final = 0.2
"""Pixels: a narrower blur is none."""


def told(layer: Floats, target: Floats, mask: Floats) -> NDArray[np.float64]:
    """What focus is told by: the face's fine detail under each blur of ``SIGMAS``, and the target's, (WIDTH,).

    Args:
        layer, target: luma (r, r) 0..1 of the converted face, and of the target's less its grain.
        mask: (r, r) weights.
    """
    way = cv2.INTER_AREA if len(mask) > SIDE else cv2.INTER_LINEAR
    layer, target, mask = (
        np.asarray(cv2.resize(each, (SIDE, SIDE), interpolation=way), np.float32) for each in (layer, target, mask)
    )
    if not mask.any():
        return np.zeros(WIDTH)
    blurs = [layer if sigma == 0.0 else _blur(layer, sigma) for sigma in SIGMAS]
    return np.array([*(detail_of_luma(each, mask) for each in blurs), detail_of_luma(target, mask)])


def blur_for(found: NDArray[np.float64], contrast: float, strength: float) -> float:
    """The sigma of the blur that makes the face's detail the target's, as a share of the crop; 0 if it has no more.

    Args:
        found: (WIDTH,), see :func:`told`.
        contrast: by which the face's detail is multiplied otherwise: by its map of colours, and its motion.
        strength: share of the sigma that is wanted.
    """
    face = contrast * found[:-1]
    if not face[0] > found[-1]:
        return 0.0
    wanted = (found[-1] + FLOOR) / (face[0] + FLOOR)
    # falls with sigma; interpolation asks for what rises
    kept = np.minimum.accumulate((face + FLOOR) / (face[0] + FLOOR))
    sigma = strength * float(np.interp(-wanted, -kept, SIGMAS))
    return sigma / SIDE if sigma >= _LEAST else 0.0


def blurred(rgb: Floats, sigma: float) -> Floats:
    """A crop (r, r, 3) under a blur whose sigma is this share of it."""
    return rgb if sigma == 0.0 else _blur(rgb, sigma * len(rgb))


def _blur(picture: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)
