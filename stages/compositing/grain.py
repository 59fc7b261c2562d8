"""Grain: a decoder paints none, so its face is smoother than the film around it.

In each channel of the clip, the noise of the target and of the face is measured where the face is, and what the face
lacks is added. The noise depends on nothing but its seed, so the same frame has the same grain in every run.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

_FEWEST: Final = 64
"""Samples of which the strength of noise is told."""

_OFF_EDGES: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / np.float32(6.0)
"""Of a plane or an edge along an axis it makes 0, of white noise noise of the same deviation (Immerkaer 1996)."""

_LARGEST: Final = 0.06
"""Of a channel's range: what seems noisier than that is hair."""


def strength(plane: Plane, inside: NDArray[np.bool_]) -> float:
    """The standard deviation of the noise of a plane (h, w) where it is ``inside``, in its own units.

    Estimated by the median absolute deviation, so that edges and what little texture there is count for little; 0 if
    there is too little to tell.
    """
    left = cv2.filter2D(plane, -1, _OFF_EDGES, borderType=cv2.BORDER_REFLECT_101)[inside]
    return 1.4826 * float(np.median(np.abs(left))) if left.size >= _FEWEST else 0.0


def grained(
    layer: Plane, target: Plane, inside: NDArray[np.bool_], share: float, largest: float, seed: tuple[int, ...]
) -> Plane:
    """The layer with as much noise more as the target has inside: (h, w) float32; a noisier layer is left as it is.

    Args:
        layer, target: (h, w) float32 code values.
        inside: (h, w).
        share: of the missing deviation that is added.
        largest: code value of the channel.
        seed: of the noise.
    """
    missing = strength(target, inside) ** 2 - strength(layer, inside) ** 2
    if share == 0.0 or missing <= 0.0:
        return layer
    deviation = share * min(float(np.sqrt(missing)), _LARGEST * largest)
    noise = np.random.Generator(np.random.PCG64(seed)).standard_normal(layer.shape, dtype=np.float32)
    return np.asarray(layer + np.float32(deviation) * noise)
