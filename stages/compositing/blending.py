"""Joining two pictures along a mask, plane by plane.

A plane is one channel of the clip's own pixels (luma, or a chroma plane at its own resolution). Colour conversion is
linear, so blending planes is blending colours; what the mask leaves out is never converted and stays as it is.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.compositing.gradient import membrane
from stages.compositing.settings import BlendSettings

Plane = NDArray[np.float32]

_SMALLEST_LEVEL = 8
"""A pyramid stops before its pictures get smaller than this: there is nothing left to separate."""

_FULL_BY = 0.25
"""Other results than alpha's are faded in until the mask reaches this, so that they too begin at nothing on its rim."""

_SEAM = 0.5
"""Of the mask, where gradient blending takes the target's values: at its very rim the decoder has seen background."""


def blend(target: Plane, layer: Plane, alpha: Plane, settings: BlendSettings) -> Plane:
    """``layer`` over ``target`` through ``alpha``.

    Args:
        target, layer: (h, w) float32, any range.
        alpha: (h, w) float32 in [0, 1].

    Returns:
        (h, w) float32; equal to ``target`` wherever ``alpha`` is 0.
    """
    joined = layer
    if settings.method == "multi-band":
        joined = multi_band(target, layer, alpha, settings.bands)
    elif settings.method == "gradient":
        joined = np.asarray(layer + membrane(target - layer, alpha > _SEAM))
    return np.asarray(target + hidden(alpha, settings) * (joined - target))


def hidden(alpha: Plane, settings: BlendSettings) -> Plane:
    """How much of the target is hidden where the mask is ``alpha``: (h, w) float32 in [0, 1], as ``alpha`` is."""
    share = alpha if settings.method == "alpha" else np.minimum(alpha / np.float32(_FULL_BY), np.float32(1.0))
    return np.asarray(np.float32(settings.opacity) * share, dtype=np.float32)


def multi_band(target: Plane, layer: Plane, alpha: Plane, bands: int) -> Plane:
    """Blend each octave of detail over an edge as wide as its own waves (Burt and Adelson 1983).

    Laplacian pyramids of both pictures are mixed by the Gaussian pyramid of the mask, then summed.

    Args:
        target, layer, alpha: (h, w) float32.
        bands: levels wanted; fewer are used where the picture is too small.
    """
    result: list[Plane] = []
    for _ in range(bands - 1):
        if min(target.shape) < 2 * _SMALLEST_LEVEL:
            break
        target_low, layer_low, alpha_low = (
            np.asarray(cv2.pyrDown(each), np.float32) for each in (target, layer, alpha)
        )
        size = (target.shape[1], target.shape[0])
        target_detail = target - cv2.pyrUp(target_low, dstsize=size)
        layer_detail = layer - cv2.pyrUp(layer_low, dstsize=size)
        result.append(target_detail + alpha * (layer_detail - target_detail))
        target, layer, alpha = target_low, layer_low, alpha_low
    joined = np.asarray(target + alpha * (layer - target))
    for detail in reversed(result):
        raised = cv2.pyrUp(joined, dstsize=(detail.shape[1], detail.shape[0]))
        joined = np.asarray(raised + detail, dtype=np.float32)
    return joined
