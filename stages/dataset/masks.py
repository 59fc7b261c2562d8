"""The mask of a face from its landmarks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.topology import FOREHEAD, NOSE_BRIDGE, UPPER_OVAL


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
    """The mask of an aligned crop, (size, size) uint8, 255 inside the face; its edge is a ramp one pixel wide.

    Args:
        landmarks: (478, 2) in unit-crop coordinates.
        size: of the crop in pixels.
        forehead: see :func:`outline`.
    """
    corners = outline(landmarks, forehead) * np.float32(size)
    along = np.roll(corners, -1, axis=0) - corners
    inward = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.linalg.norm(along, axis=1, keepdims=True)
    inward *= np.sign(_twice_the_area(corners))
    centres = np.arange(size, dtype=np.float32) + np.float32(0.5)
    depth = np.full((size, size), np.inf, np.float32)  # in pixels, how deep inside the convex outline
    for corner, normal in zip(corners, inward, strict=True):
        side = (centres - corner[0])[None, :] * normal[0] + (centres - corner[1])[:, None] * normal[1]
        np.minimum(depth, side, out=depth)
    return np.asarray(np.round(255 * np.clip(depth + 0.5, 0.0, 1.0)), np.uint8)


def _twice_the_area(polygon: NDArray[np.float32]) -> float:
    """Signed: positive if the corners go round clockwise in the picture."""
    x, y = polygon.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
