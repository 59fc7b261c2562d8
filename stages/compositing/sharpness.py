"""How strong a face's fine detail is, and how to bring it to a wanted strength."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SCALE = 1.2
"""Sigma in pixels of the Gaussian that parts detail from form."""

_SOFTEST, _SHARPEST = 0.4, 1.8
"""Bounds of the gain: below, the face goes flat; above, noise and ringing of the decoder come forward."""

FLOOR: Final = 2e-3
"""Detail weaker than this share of the luma is no detail but rounding."""


def detail_of_luma(luma: Floats, mask: Floats) -> float:
    """Contrast of the fine detail of a picture under a mask: its standard deviation as a share of the mean luma.

    As a share, so that a darker face of the same texture has the same figure, whatever colours it is given next.

    Args:
        luma: (h, w) float32 0..1.
        mask: (h, w) float32 weights.
    """
    high = luma - cv2.GaussianBlur(luma, (0, 0), _SCALE)
    total, level = float(mask.sum()), float((mask * luma).sum())
    return float(np.sqrt((mask * high**2).sum() / total)) / (level / total) if level > 0 else 0.0


def gain(layer: float, target: float, strength: float) -> float:
    """By how much to multiply detail of strength ``layer`` so that it becomes ``target``, within bounds."""
    wanted = np.clip((target + FLOOR) / (layer + FLOOR), _SOFTEST, _SHARPEST)
    return float(wanted**strength)


def with_detail(rgb: Floats, factor: float) -> Floats:
    """A picture (h, w, 3) float32 0..1 with its fine detail multiplied by ``factor``."""
    if factor == 1.0:
        return rgb
    low = cv2.GaussianBlur(rgb, (0, 0), _SCALE)
    return np.clip(low + np.float32(factor) * (rgb - low), 0.0, 1.0)
