"""PSNR and SSIM inside a mask, on 8-bit RGB code values, and the mask of a face."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stages import geometry

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]

FACE_PARTS = ("skin", "lips", "eye", "mouth", "teeth", "tongue", "lashes", "brows", "beard", "socket")
"""Parts of a rendered person that are face: not hair, ears, neck, clothes or background."""

_PEAK = 255.0
_BEST_PSNR = 100.0
"""Stands for the infinite PSNR of equal pictures, so that means and JSON stay finite."""

_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = (0.01 * _PEAK) ** 2, (0.03 * _PEAK) ** 2


def psnr(picture: Picture, truth: Picture, mask: Mask) -> float:
    """Peak signal-to-noise ratio in dB over the masked pixels and all three channels.

    Args:
        picture, truth: (h, w, 3) uint8 RGB.
        mask: (h, w) bool.

    Returns:
        10 log10(255^2 / mean squared error), 100 at most; NaN if the mask is empty.
    """
    if not mask.any():
        return float("nan")
    difference = picture[mask].astype(np.float64) - truth[mask].astype(np.float64)
    error = float(np.mean(difference**2))
    return min(_BEST_PSNR, 10.0 * float(np.log10(_PEAK**2 / error))) if error > 0 else _BEST_PSNR


def ssim(picture: Picture, truth: Picture, mask: Mask) -> float:
    """Structural similarity (Wang et al. 2004), its map averaged over the masked pixels and the channels R, G, B.

    The window is the paper's: Gaussian, 11 x 11, sigma 1.5, K1 = 0.01, K2 = 0.03. The map is computed on whole
    pictures, so a window on the mask's edge also sees what lies outside.

    Args:
        picture, truth: (h, w, 3) uint8 RGB.
        mask: (h, w) bool.

    Returns:
        -1..1, 1 for equal pictures; NaN if the mask is empty.
    """
    if not mask.any():
        return float("nan")
    return float(np.mean(ssim_map(picture, truth)[mask]))


def ssim_map(picture: Picture, truth: Picture) -> NDArray[np.float32]:
    """The local SSIM of every pixel and channel, (h, w, 3) float32."""
    # Shifting both by the same value changes no variance and keeps the squares small for float32.
    shift = np.float32(_PEAK / 2)
    x, y = picture.astype(np.float32) - shift, truth.astype(np.float32) - shift
    mean_x, mean_y = _smooth(x), _smooth(y)
    variance_x = _smooth(x * x) - mean_x**2
    variance_y = _smooth(y * y) - mean_y**2
    covariance = _smooth(x * y) - mean_x * mean_y
    mean_x, mean_y = mean_x + shift, mean_y + shift
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    structure = (2 * covariance + _C2) / (variance_x + variance_y + _C2)
    return np.asarray(luminance * structure, dtype=np.float32)


def _smooth(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(values, (_WINDOW, _WINDOW), _SIGMA, borderType=cv2.BORDER_REFLECT_101))


def mask_box(mask: Mask, margin: int = _WINDOW) -> tuple[slice, slice]:
    """Rows and columns that hold the mask and ``margin`` pixels around it: all that its PSNR and SSIM look at."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return slice(0, 0), slice(0, 0)
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + 1 + margin),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + 1 + margin),
    )


def hull(points: NDArray[np.floating], width: int, height: int) -> Mask:
    """The convex hull of points as a mask, (height, width) bool."""
    canvas = np.zeros((height, width), np.uint8)
    corners = cv2.convexHull(np.asarray(points - 0.5, dtype=np.float32))[:, 0]
    cv2.fillConvexPoly(canvas, np.round(corners * 16).astype(np.int32), 1, shift=4)
    return canvas.astype(bool)


def face_labels(facts: Mapping[str, Any]) -> tuple[int, ...]:
    """Which labels of a truth's parts are face; none if its facts name no parts."""
    known: dict[str, str] = facts.get("parts") or {}
    return tuple(int(label) for label, name in known.items() if name in FACE_PARTS)


def face_mask_in_crop(
    landmarks: NDArray[np.floating], transform: NDArray[np.float64], truth_face: Mask | None, size: int
) -> Mask:
    """Where fidelity is measured in an aligned crop: the hull of the landmarks, less what is no face in truth.

    Args:
        landmarks: (n, 2), frame pixels.
        transform: (2, 3), frame pixels to the unit crop.
        truth_face: (h, w) of the frame, where the truth shows face; None if it does not say.
        size: of the crop in pixels.

    Returns:
        (size, size) bool.
    """
    mask = hull(geometry.apply(transform, landmarks) * size, size, size)
    if truth_face is None:
        return mask
    into_crop = geometry.compose(transform, geometry.to_pixels(size))
    face = geometry.warp(truth_face.astype(np.float32), into_crop, size, size, edge="zero")
    return mask & (face >= 0.5)
