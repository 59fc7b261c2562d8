"""Grain: a decoder paints none, so its face is smoother than the film around it. It is given the film's own.

What a camera and a codec laid over the target's face is parted from the face itself, and laid over the converted one,
as compositors degrain a plate and grain their work with the difference. So grain is as coarse, as coloured and as
strong as the film's, goes over the edge of a mask unbroken, and is the same in every run. What is stronger than the
film's noise, lids, brows, lips and pores, is the target's and stays with it; of the skin's texture a share can be had.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

_FEWEST: Final = 64
"""Samples of which the strength of grain is told."""

_SCALE: Final = 1.5
"""Sigma in samples of the local means that grain lies about: coarser than that is form."""

_AROUND: Final = 9
"""Side in samples of the surroundings of which a local variance is taken."""

_EVERY: Final = 2
"""Along either axis, of so many samples one tells how strong grain is."""

_OFF_EDGES: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / np.float32(6.0)
"""Of a plane or an edge along an axis it makes 0, of white noise noise of the same deviation (Immerkaer 1996)."""

_LARGEST: Final = 0.06
"""Of a channel's range: what seems noisier than that is hair."""


def strength(plane: Plane, inside: NDArray[np.bool_]) -> float:
    """The standard deviation of the noise of a plane (h, w) where it is ``inside``, in its own units.

    Estimated by the median absolute deviation, so that edges and what little texture there is count for little; 0 if
    there is too little to tell.
    """
    left = cv2.filter2D(plane, -1, _OFF_EDGES, borderType=cv2.BORDER_REFLECT_101)
    few = (slice(None, None, _EVERY),) * 2
    told = left[few][inside[few]]
    return 1.4826 * float(np.median(np.abs(told))) if told.size >= _FEWEST else 0.0


def parted(plane: Plane, deviation: float, inside: NDArray[np.bool_], texture: float = 0.0) -> Plane:
    """The grain of a plane whose noise has this :func:`strength`, (h, w) float32 in the plane's units.

    The filter of local statistics (Lee 1980): of the difference to the local mean, the share that the noise's variance
    is of the local one, at most all.

    Args:
        plane: (h, w) float32.
        deviation: of its noise.
        inside: (h, w), where it is skin for the most part.
        texture: how far not the noise's deviation, but the median of the local ones is what passes.
    """
    left = plane - cv2.GaussianBlur(plane, (0, 0), _SCALE, borderType=cv2.BORDER_REFLECT_101)
    local = cv2.blur(left * left, (_AROUND, _AROUND), borderType=cv2.BORDER_REFLECT_101)
    if texture:
        few = (slice(None, None, _EVERY),) * 2
        usual = float(np.sqrt(np.median(local[few][inside[few]])))
        deviation += texture * max(usual - deviation, 0.0)
    variance = np.float32(deviation**2)
    return np.asarray(left * (variance / np.maximum(local, variance)), np.float32) if variance else np.zeros_like(plane)


def without(plane: Plane, inside: NDArray[np.bool_]) -> Plane:
    """A plane (h, w) float32 less its grain, whose strength is told ``inside``."""
    return np.asarray(plane - parted(plane, strength(plane, inside), inside), np.float32)


def grained(
    layer: Plane, target: Plane, inside: NDArray[np.bool_], share: float, largest: float, texture: float = 0.0
) -> Plane:
    """The layer with the target's grain as far as it lacks that, or with less of its own: (h, w) float32.

    Args:
        layer, target: (h, w) float32 code values.
        inside: (h, w), where both are faces.
        share: of the difference that is made up for.
        largest: code value of the channel.
        texture: share of the target's texture that comes with its grain, see :func:`parted`.
    """
    has, asked = (min(strength(each, inside), _LARGEST * largest) for each in (layer, target))
    if share == 0.0 or has == asked == 0.0:
        return layer
    if asked < has:
        return np.asarray(layer - np.float32(share * (1.0 - asked / has)) * parted(layer, has, inside), np.float32)
    lacking = np.float32(share * np.sqrt(1.0 - (has / asked) ** 2))
    return np.asarray(layer + lacking * parted(target, asked, inside, texture), np.float32)
