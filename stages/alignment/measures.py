"""What is measured on an aligned face's picture: sharpness, exposure, and how much of it is seen."""

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


def share_seen(visible: NDArray[np.float32], landmarks: NDArray[np.floating]) -> float:
    """How much of a face is seen: of the pixels within its landmarks' convex hull, those before which nothing passes.

    Args:
        visible: (s, s) float32, as :meth:`stages.visible_face.VisibleFace.look` gives it of the aligned crop.
        landmarks: (478, 2) in unit-crop coordinates.

    Returns:
        0..1; 1 too where no pixel of the crop lies within the hull.
    """
    inside = np.zeros(visible.shape, np.uint8)
    corners = cv2.convexHull(np.asarray(landmarks, np.float32) * len(visible))
    cv2.fillConvexPoly(inside, np.round(corners).astype(np.int32), 1)
    within = inside > 0
    return float((visible[within] >= 0.5).mean()) if within.any() else 1.0
