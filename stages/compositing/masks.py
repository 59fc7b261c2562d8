"""The mask of a face in its crop: what may be replaced, and how softly it ends."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.compositing.settings import MaskSettings

Mask = NDArray[np.float32]

_FRACTION_BITS = 8
"""Binary digits after the point in the polygon's corners, for OpenCV's fixed-point drawing."""

_FINER = 4
"""The hull is drawn this many times finer, then averaged: OpenCV's own soft edges make it half a pixel too big."""


def face_size(outline: NDArray[np.floating]) -> float:
    """The size of a face: the side of the square with the area of its landmark hull, in the unit of ``outline``."""
    hull = cv2.convexHull(np.asarray(outline, dtype=np.float32))
    return float(np.sqrt(cv2.contourArea(hull)))


def landmark_hull(outline: NDArray[np.floating], size: int) -> Mask:
    """The convex hull of landmarks as a picture.

    Args:
        outline: (n, 2) points in unit-crop coordinates.
        size: side of the crop in pixels.

    Returns:
        (size, size) float32, 1 inside the hull, 0 outside, in between on the edge.
    """
    fine = size * _FINER
    corners = cv2.convexHull(np.asarray(outline * fine - 0.5, dtype=np.float32))[:, 0]
    canvas = np.zeros((fine, fine), np.uint8)
    cv2.fillConvexPoly(canvas, np.round(corners * (1 << _FRACTION_BITS)).astype(np.int32), 255, shift=_FRACTION_BITS)
    return cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0


def raw_mask(decoder: NDArray[np.uint8], outline: NDArray[np.floating], size: int, settings: MaskSettings) -> Mask:
    """The masks that the settings name, multiplied.

    Args:
        decoder: (r, r) uint8 mask of the decoder, 255 inside.
        outline: (n, 2) landmarks in unit-crop coordinates.
        size: side of the result in pixels.

    Returns:
        (size, size) float32 in [0, 1]; all ones if the settings name no mask.
    """
    mask = np.ones((size, size), np.float32)
    if settings.decoder:
        mask *= cv2.resize(decoder.astype(np.float32) / 255.0, (size, size), interpolation=cv2.INTER_LINEAR)
    if settings.hull:
        mask *= landmark_hull(outline, size)
    return mask


def shaped(mask: Mask, size: float, settings: MaskSettings) -> Mask:
    """Grow or shrink a mask and give it its soft edge.

    The half-way line of the mask is its edge. The distance to it, moved by ``grow``, runs through a smooth step as
    wide as ``feather``, all on the inner side: a pixel outside the grown edge stays exactly 0. The picture's border
    counts as outside, so a crop never ends in a visible straight line.

    Args:
        mask: (s, s) float32 in [0, 1].
        size: of the face in pixels of the mask.

    Returns:
        (s, s) float32 in [0, 1].
    """
    inside = np.pad((mask >= 0.5).astype(np.uint8), 1)
    if not inside.any():
        return np.zeros_like(mask)
    inner = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outer = cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Either distance is to the nearest pixel of the other kind: the edge lies half a pixel before it.
    depth = np.where(inside == 1, inner - 0.5, 0.5 - outer)[1:-1, 1:-1] + settings.grow * size
    border = _distance_to_border(mask.shape[0])
    ramp = np.clip(np.minimum(depth, border) / max(settings.feather * size, 1e-3), 0.0, 1.0)
    return np.asarray(ramp * ramp * (3.0 - 2.0 * ramp), dtype=np.float32)


def _distance_to_border(size: int) -> Mask:
    """How far each pixel's centre lies inside a square picture, less half a pixel so that the outermost are 0."""
    along = np.minimum(np.arange(size), np.arange(size)[::-1]).astype(np.float32)
    return np.minimum(along[:, None], along[None, :])
