"""Gradient-domain blending: the face's own detail, the target's values along the seam (Perez et al. 2003).

Poisson's equation with the face's gradients is solved by the face itself plus a membrane: the smoothest surface that is
the difference of both pictures along the seam. Multigrid finds it in time proportional to the face's pixels.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

CYCLES: Final = 6
"""Each leaves about two fifths of what is missing; six, less than a code value of differences of a hundred."""

_SMOOTHINGS: Final = 3
_DAMPING: Final = np.float32(0.8)
_COARSEST: Final = 8
_NEIGHBOURS: Final = np.array([[0, 0.25, 0], [0.25, 0, 0.25], [0, 0.25, 0]], np.float32)


def membrane(difference: Plane, inside: NDArray[np.bool_]) -> Plane:
    """``difference`` outside, and inside what it spans: the discrete harmonic function with these border values.

    The picture's own border is no seam: nothing pulls there, to a few hundredths of the differences. Without any seam
    the membrane is 0.

    Args:
        difference: (h, w) float32; inside it counts for nothing.
        inside: (h, w).
    """
    seam = cv2.dilate(inside.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))) > inside
    if not inside.any() or not seam.any():
        return np.where(inside, np.float32(0.0), difference)
    levels = max(0, int(np.log2(min(inside.shape) / _COARSEST)))
    height, width = inside.shape
    beyond = ((0, -height % 2**levels), (0, -width % 2**levels))
    free = np.pad(inside, beyond, mode="edge").astype(np.float32)
    start = np.where(inside, difference[seam].mean(dtype=np.float64), difference).astype(np.float32)
    surface, nothing = np.pad(start, beyond, mode="edge"), np.zeros_like(free)
    for _ in range(CYCLES):
        surface = _cycle(surface, nothing, free, levels)
    return np.asarray(surface[:height, :width])


def _cycle(surface: Plane, wanted: Plane, free: Plane, levels: int) -> Plane:
    """A V-cycle towards a mean of four neighbours that exceeds the surface by ``wanted`` wherever it is free."""
    surface = _smooth(surface, wanted, free, _SMOOTHINGS if levels else 20 * _SMOOTHINGS)
    if levels == 0:
        return surface
    # A mean of neighbours exceeds by four times as much when they are twice as far.
    missing = 4.0 * _halved(free * (wanted - _excess(surface)))
    coarse = (_halved(free) > 0.999).astype(np.float32)
    correction = _cycle(np.zeros_like(missing), coarse * missing, coarse, levels - 1)
    raised = cv2.resize(correction, (surface.shape[1], surface.shape[0]), interpolation=cv2.INTER_LINEAR)
    return _smooth(np.asarray(surface + free * raised, np.float32), wanted, free, _SMOOTHINGS)


def _smooth(surface: Plane, wanted: Plane, free: Plane, times: int) -> Plane:
    """Jacobi's iteration, damped."""
    step = _DAMPING * free
    for _ in range(times):
        surface = surface + step * (_excess(surface) - wanted)
    return surface


def _excess(surface: Plane) -> Plane:
    """By how much the mean of the four neighbours exceeds each value; beyond the border is what is on it."""
    around = cv2.filter2D(surface, -1, _NEIGHBOURS, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(around - surface, np.float32)


def _halved(plane: Plane) -> Plane:
    size = (plane.shape[1] // 2, plane.shape[0] // 2)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)
