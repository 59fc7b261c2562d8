"""Where eyes and mouth are, as soft maps: small parts that a viewer looks at first."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.topology import LEFT_EYE, RIGHT_EYE

_LIPS: Final = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
"""The outline in the numbering of the 478-point face mesh (Kartynnik et al. 2019)."""

_MARGIN, _EDGE = 0.015, 0.015
"""How far the maps reach past the outline and how soft they end, in shares of the crop's side."""


def eyes_map(landmarks: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """255 on both eyes, fading to 0; (size, size) uint8. Landmarks (478, 2) in the unit crop."""
    return np.maximum(_soft_hull(landmarks[list(RIGHT_EYE)], size), _soft_hull(landmarks[list(LEFT_EYE)], size))


def mouth_map(landmarks: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """255 on the lips and between them, fading to 0; (size, size) uint8. Landmarks (478, 2) in the unit crop."""
    return _soft_hull(landmarks[list(_LIPS)], size)


def _soft_hull(points: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    filled = np.zeros((size, size), np.uint8)
    # fillConvexPoly takes whole numbers: with 4 fractional bits they are sixteenths of a pixel.
    corners = np.round((cv2.convexHull(points) * size - 0.5) * 16).astype(np.int32)
    cv2.fillConvexPoly(filled, corners, 255, lineType=cv2.LINE_AA, shift=4)
    reach = 2 * max(1, round(_MARGIN * size)) + 1
    grown = cv2.dilate(filled, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    return np.asarray(cv2.GaussianBlur(grown, (0, 0), _EDGE * size), np.uint8)
