"""The mask of a face from its landmarks."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.packs.topology import FOREHEAD, UPPER_OVAL

NOSE_BRIDGE: Final = 168
FINER: Final = 4
"""The mask is drawn so many times larger and shrunk by area, which makes its edge smooth."""


def outline(landmarks: NDArray[np.floating], forehead: float) -> NDArray[np.float32]:
    """The face's outline, a convex polygon (k, 2) float32 in the coordinates of the landmarks.

    The landmarks end below the hairline; the outline goes on over the forehead along the face's own vertical, most in
    the middle and nothing at the temples.

    Args:
        landmarks: (478, 2).
        forehead: how far, as a share of the distance from the nose bridge to the topmost landmark.
    """
    up = landmarks[FOREHEAD] - landmarks[NOSE_BRIDGE]
    arch = np.sin(np.linspace(0.0, np.pi, len(UPPER_OVAL)))[:, None]
    raised = landmarks[list(UPPER_OVAL)] + forehead * arch * up
    hull = cv2.convexHull(np.concatenate([landmarks, raised]).astype(np.float32))
    return np.asarray(hull, np.float32).reshape(-1, 2)


def face_mask(landmarks: NDArray[np.floating], size: int, forehead: float) -> NDArray[np.uint8]:
    """The mask of an aligned crop, (size, size) uint8, 255 inside the face, its edge antialiased.

    Args:
        landmarks: (478, 2) in unit-crop coordinates.
        size: of the crop in pixels.
        forehead: see :func:`outline`.
    """
    polygon = outline(landmarks, forehead) * (size * FINER) - 0.5  # OpenCV's first pixel centre is at 0
    large = np.zeros((size * FINER, size * FINER), np.uint8)
    cv2.fillConvexPoly(large, np.round(polygon).astype(np.int32), 255)
    return np.asarray(cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
