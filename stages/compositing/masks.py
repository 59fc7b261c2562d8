"""The mask of a face in its crop: what may be replaced, and how softly it ends."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.compositing.settings import MaskSettings

Mask = NDArray[np.float32]

_FRACTION_BITS = 8
"""Binary digits after the point in the polygon's corners, for OpenCV's fixed-point drawing."""

_GAP = 5
"""Pixels of the network's picture: what is narrower leads nowhere."""

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
    depth = _depth(mask)
    if depth is None:
        return np.zeros_like(mask)
    border = _distance_to_border(mask.shape[0])
    return _ramp(np.minimum(depth + settings.grow * size, border), settings.feather * size)


def inner_edge(shown: Mask, rim: float, width: float) -> Mask | None:
    """Where a face is shown, (s, s) float32 in [0, 1], with a soft edge that lies on its side.

    A face is one region. What shows something else within it is a doubt of the network's, an eye in shadow for
    instance, and is face, also if a gap of a few pixels leads there from outside.

    Args:
        shown: (s, s) float32 in [0, 1], as the network says it.
        rim: how deep inside the edge begins, pixels.
        width: of the edge, pixels.

    Returns:
        None if no face is shown.
    """
    within = _depth(_one_region(shown), beyond=1)
    return None if within is None else _ramp(within - np.float32(rim), width)


def _one_region(shown: Mask) -> Mask:
    """1 in the largest region where a face is shown and in what it encloses, 0 elsewhere."""
    hidden = np.pad((shown < 0.5).astype(np.uint8), _GAP, constant_values=1)
    around = cv2.morphologyEx(hidden, cv2.MORPH_OPEN, np.ones((_GAP, _GAP), np.uint8))
    _, labels = cv2.connectedComponents(around, connectivity=4)
    face = (labels != labels[0, 0]).astype(np.uint8)[_GAP:-_GAP, _GAP:-_GAP]
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(face, connectivity=4)
    if count < 2:
        return np.zeros_like(shown)
    return np.asarray(labels == 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA])), np.float32)


def _depth(mask: Mask, beyond: int = 0) -> Mask | None:
    """How far inside the half-way line of a mask each pixel lies, in pixels; None if nothing is inside.

    What lies beyond the picture's border is inside, too, if ``beyond`` is 1.
    """
    if not (mask >= 0.5).any():
        return None
    inside = np.pad((mask >= 0.5).astype(np.uint8), 1, constant_values=beyond)
    inner = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outer = cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Either distance is to the nearest pixel of the other kind: the edge lies half a pixel before it.
    return np.asarray(np.where(inside == 1, inner - 0.5, 0.5 - outer)[1:-1, 1:-1], np.float32)


def _ramp(depth: Mask, width: float) -> Mask:
    """A smooth step from 0 at no depth to 1 at ``width`` pixels."""
    ramp = np.clip(depth / max(width, 1e-3), 0.0, 1.0)
    return np.asarray(ramp * ramp * (3.0 - 2.0 * ramp), dtype=np.float32)


def _distance_to_border(size: int) -> Mask:
    """How far each pixel's centre lies inside a square picture, less half a pixel so that the outermost are 0."""
    along = np.minimum(np.arange(size), np.arange(size)[::-1]).astype(np.float32)
    return np.minimum(along[:, None], along[None, :])
