"""What is measured on an aligned face's picture: sharpness and exposure."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

LUMA: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Of BT.709; applied to code values, it tells light from dark."""


def sharpness(crop: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of the luma, of an aligned crop (s, s, 3) uint8 RGB (Pech-Pacheco et al. 2000)."""
    return float(cv2.Laplacian(crop.astype(np.float32) @ LUMA, cv2.CV_32F).var())


def exposure(crop: NDArray[np.uint8]) -> float:
    """Mean luma of the inner half of an aligned crop (s, s, 3) uint8 RGB, 0..1."""
    quarter = len(crop) // 4
    inner = crop[quarter:-quarter, quarter:-quarter].astype(np.float32)
    return float((inner @ LUMA).mean() / 255.0)
