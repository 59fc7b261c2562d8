"""Similarity transforms, crops and the one pixel convention.

The centre of the top-left pixel lies at (0.5, 0.5); a picture W pixels wide covers x from 0 to W. An *alignment* is
a 2x3 matrix, float64, that takes frame pixels to the unit crop [0, 1] x [0, 1]. OpenCV puts the centre of the
top-left pixel at (0, 0): only this module converts.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Picture = NDArray[np.uint8]

_MAX_SHRINK: Final = 1.5
"""Above this many source pixels a crop pixel, sampling bilinearly aliases: the source is blurred first."""


def as_matrix(transform: Floats | list[float]) -> Floats:
    """A transform from its six row-major numbers, as tables keep it: (2, 3) float64."""
    return np.asarray(transform, dtype=np.float64).reshape(2, 3)


def invert(transform: Floats) -> Floats:
    """The inverse of a 2x3 affine transform, (2, 3)."""
    linear = np.linalg.inv(transform[:, :2])
    return np.concatenate([linear, -linear @ transform[:, 2:]], axis=1)


def compose(first: Floats, then: Floats) -> Floats:
    """The transform that applies ``first``, then ``then``, (2, 3)."""
    return np.concatenate([then[:, :2] @ first[:, :2], then[:, :2] @ first[:, 2:] + then[:, 2:]], axis=1)


def apply(transform: Floats, points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Points (..., 2) through a 2x3 transform."""
    return np.asarray(points, dtype=np.float64) @ transform[:, :2].T + transform[:, 2]


def umeyama(source: NDArray[np.floating], target: NDArray[np.floating], weights: Floats | None = None) -> Floats:
    """The similarity transform that takes ``source`` points nearest to ``target`` points.

    Least squares over rotation, uniform scale and shift, never a reflection (Umeyama 1991, eq. 40-42).

    Args:
        source: (n, 2), n >= 2 points that are not all equal.
        target: (n, 2).
        weights: (n,), not negative; all equal if None.

    Returns:
        (2, 3) float64.

    Raises:
        ValueError: the points do not determine a transform.
    """
    src, dst = np.asarray(source, np.float64), np.asarray(target, np.float64)
    w = np.ones(len(src)) if weights is None else np.asarray(weights, np.float64)
    w = w / w.sum()
    src_mean, dst_mean = w @ src, w @ dst
    src_centred, dst_centred = src - src_mean, dst - dst_mean
    variance = float(w @ (src_centred**2).sum(axis=1))
    if len(src) < 2 or variance < 1e-12:
        raise ValueError("a similarity transform needs two points apart from each other")
    u, singular, vt = np.linalg.svd(dst_centred.T @ (src_centred * w[:, None]))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt)) or 1.0])
    linear = (u * sign) @ vt * float(singular @ sign) / variance
    return np.concatenate([linear, (dst_mean - linear @ src_mean)[:, None]], axis=1)


def scale_of(transform: Floats) -> float:
    """How many units of the output one unit of the input becomes under a similarity transform."""
    return float(np.sqrt(abs(np.linalg.det(transform[:, :2]))))


def _to_opencv(transform: Floats) -> Floats:
    """The same map between pictures whose first pixel centre is at (0, 0)."""
    shifted = transform.copy()
    shifted[:, 2] += transform[:, :2] @ np.array([0.5, 0.5]) - 0.5
    return shifted


def to_pixels(size: int) -> Floats:
    """The transform from the unit crop to a crop of ``size`` pixels."""
    return np.array([[size, 0.0, 0.0], [0.0, size, 0.0]])


def warp(picture: NDArray[Any], transform: Floats, width: int, height: int, *, edge: str = "replicate") -> NDArray[Any]:
    """Resample a picture through a transform, without aliasing when it shrinks.

    Args:
        picture: (h, w) or (h, w, c), uint8 or float32.
        transform: (2, 3), picture pixels to output pixels, in this project's convention.
        width, height: of the output in pixels.
        edge: what lies outside the picture: "replicate" its border or "zero".

    Returns:
        (height, width[, c]), the picture's dtype. Bilinear; where the output is coarser, a Gaussian whose width
        follows the scale goes first (the usual pre-filter, sigma = 0.5 * (shrink - 1)).
    """
    shrink = 1.0 / max(scale_of(transform), 1e-9)
    source = picture
    if shrink > _MAX_SHRINK:
        source = cv2.GaussianBlur(picture, (0, 0), 0.5 * (shrink - 1.0), borderType=cv2.BORDER_REPLICATE)
    border = cv2.BORDER_REPLICATE if edge == "replicate" else cv2.BORDER_CONSTANT
    flags = cv2.INTER_LINEAR if shrink > 1.0 else cv2.INTER_CUBIC
    return cv2.warpAffine(source, _to_opencv(transform), (width, height), flags=flags, borderMode=border, borderValue=0)


def crop(frame: Picture, transform: Floats, size: int) -> Picture:
    """The aligned crop of a frame, (size, size, 3) uint8 RGB. Only the face's neighbourhood is touched.

    Args:
        frame: (h, w, 3) uint8 RGB.
        transform: (2, 3), frame pixels to the unit crop.
        size: of the crop in pixels.
    """
    height, width = frame.shape[:2]
    x0, y0, x1, y1 = region(transform, width, height, margin=0.25)
    if x1 <= x0 or y1 <= y0:
        return np.zeros((size, size, 3), np.uint8)
    moved = compose(np.array([[1.0, 0.0, x0], [0.0, 1.0, y0]]), compose(transform, to_pixels(size)))
    return np.asarray(warp(frame[y0:y1, x0:x1], moved, size, size), dtype=np.uint8)


def beyond(transform: Floats, size: int, width: int, height: int) -> NDArray[np.bool_]:
    """Which pixels of an aligned crop show nothing of the frame, but its last pixels repeated.

    Args:
        transform: (2, 3), frame pixels to the unit crop.
        size: of the crop in pixels.
        width, height: of the frame in pixels.

    Returns:
        (size, size), True where a pixel's centre lies out of the frame.
    """
    back = invert(transform)

    def out(points: Floats) -> NDArray[np.bool_]:
        there = apply(back, points)
        return np.asarray(((there < 0.0) | (there > (width, height))).any(axis=-1))

    if not out(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])).any():  # frame and crop are both convex
        return np.zeros((size, size), np.bool_)
    return out(np.stack(np.meshgrid(*[(np.arange(size) + 0.5) / size] * 2), axis=-1))


def region(
    transform: Floats, width: int, height: int, *, margin: float = 0.0, multiple: int = 1
) -> tuple[int, int, int, int]:
    """The box of frame pixels that the unit crop covers, grown by ``margin`` of its size and cut to the frame.

    Args:
        transform: (2, 3), frame pixels to the unit crop.
        width, height: of the frame.
        margin: share of the crop's side added on every side.
        multiple: the box's edges fall on multiples of this (2 for 4:2:0 chroma), unless the frame ends before.

    Returns:
        x0, y0, x1, y1: whole pixels, x1 and y1 not included; empty (x1 <= x0) if the crop lies outside.
    """
    corners = np.array([[-margin, -margin], [1 + margin, -margin], [1 + margin, 1 + margin], [-margin, 1 + margin]])
    box = apply(invert(transform), corners)
    low = np.floor(box.min(axis=0) / multiple) * multiple
    high = np.ceil(box.max(axis=0) / multiple) * multiple
    x0, y0 = (int(v) for v in np.maximum(low, 0))
    x1, y1 = int(min(high[0], width)), int(min(high[1], height))
    return x0, y0, x1, y1
