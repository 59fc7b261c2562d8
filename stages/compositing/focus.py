"""Focus: a decoder paints a face as sharp as it has learnt it; where the target is out of focus, it is blurred as much.

As much is told by fine detail: of the face, as it is and under blurs of several widths, and of the target, both
without grain, which is no detail. It is told at the size at which the frame shows the face, so that a small face, which
no camera could show sharper, is not taken for one out of focus; and no finer than a size that is the same for all
models, so that a large crop does not hide a wide blur.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from stages import geometry
from stages.compositing.grain import without
from stages.compositing.sharpness import FLOOR, detail_of_luma

Floats = NDArray[np.float32]

SIDE: Final = 128
"""Pixels across the crop at which focus is told, at most."""

_SMALLEST: Final = 24
"""And at least."""

SIGMAS: Final = tuple(pixels / SIDE for pixels in (0.0, 0.4, 0.7, 1.0, 1.4, 2.0, 3.0, 4.5))
"""Of the blurs that are tried, in shares of the crop."""

WIDTH: Final = len(SIGMAS) + 1

STEADY: Final = 0.15
"""Seconds (sigma) over which it is smoothed within a shot: short, since focus is pulled fast."""

_LEAST: Final = 0.2 / SIDE
"""A narrower blur is none."""


def side_of(transform: NDArray[np.float64], size: int) -> int:
    """Pixels across the crop at which focus is told of a face.

    Args:
        transform: (2, 3), frame pixels to the unit crop.
        size: side of the model's crop, pixels.
    """
    across = 1.0 / max(geometry.scale_of(transform), 1e-9)
    return int(np.clip(round(across), _SMALLEST, min(SIDE, size)))


def reduced(plane: Floats, side: int) -> Floats:
    """A plane (r, r) at another size, (side, side), as a camera's pixels would show it."""
    return np.asarray(cv2.resize(plane, (side, side), interpolation=cv2.INTER_AREA), np.float32)


def told(layer: Floats, target: Floats, mask: Floats, side: int) -> NDArray[np.float64]:
    """What focus is told by: the face's fine detail under each blur of ``SIGMAS``, and the target's, (WIDTH,).

    Args:
        layer, target: luma (r, r) 0..1 of the converted face and of the target's.
        mask: (r, r) weights.
        side: see :func:`side_of`.
    """
    weights = reduced(mask, side)
    inside = weights > 0.5
    if not inside.any():
        return np.zeros(WIDTH)
    face, other = (without(reduced(each, side), inside) for each in (layer, target))
    blurs = [face if sigma == 0.0 else _blur(face, sigma * side) for sigma in SIGMAS]
    return np.array([detail_of_luma(each, weights) for each in (*blurs, other)])


def blur_for(found: NDArray[np.float64], contrast: float, strength: float) -> float:
    """The sigma of the blur that makes the face's detail the target's, as a share of the crop; 0 if it has no more.

    Args:
        found: (WIDTH,), see :func:`told`.
        contrast: by which the face's detail is multiplied by its map of colours.
        strength: share of the sigma that is wanted.
    """
    face = contrast * found[:-1]
    if not face[0] > found[-1]:
        return 0.0
    wanted = (found[-1] + FLOOR) / (face[0] + FLOOR)
    # falls with sigma; interpolation asks for what rises
    kept = np.minimum.accumulate((face + FLOOR) / (face[0] + FLOOR))
    sigma = strength * float(np.interp(-wanted, -kept, SIGMAS))
    return sigma if sigma >= _LEAST else 0.0


def blurred(rgb: Floats, sigma: float) -> Floats:
    """A crop (r, r, 3) under a blur whose sigma is this share of it."""
    return rgb if sigma == 0.0 else _blur(rgb, sigma * len(rgb))


def _blur(picture: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)
