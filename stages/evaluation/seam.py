"""Whether the face's edge shows: brightness that changes across it, against its surroundings."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.fidelity import mask_box

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]

BAND: Final = (-0.02, 0.10)
"""Where a soft edge lies, in parts of the face's size, from outside the replaced area to inside of it."""

REACH: Final = 0.08
"""How far the surroundings go on either side of the band, in the same parts."""

_FLOOR: Final = 1.0
"""Added to energies, squared code values: skin without any grain has no energy to compare with."""


def seam_energy(picture: Picture, target: Picture, replaced: Mask, size: float) -> float:
    """How much more the brightness changes across the edge of the replaced area than its surroundings let expect.

    The energy is the mean square of the luma's derivative square to the edge, in a band about it and in the strips on
    both sides of the band. A jaw line lies there in any picture, so each energy is divided by the target's own at the
    same place; what is told is that of the band over that of the strips.

    Args:
        picture, target: (h, w, 3) uint8 RGB, one frame.
        replaced: (h, w), where the picture may differ from the target.
        size: of the face, pixels (the root of its area).

    Returns:
        1 for the target itself; above 1 a seam shows; below, it is smoother there. NaN if nothing is replaced.
    """
    if not replaced.any():
        return float("nan")
    box = mask_box(replaced, margin=int(np.ceil((REACH - BAND[0]) * size)) + 2)
    closed = cv2.morphologyEx(replaced[box].astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    inside = np.asarray(closed, np.uint8)
    outside = np.asarray(1 - inside, np.uint8)
    depth = np.asarray(np.subtract(_distance(inside), _distance(outside)) / max(size, 1.0), np.float32)
    across, down = _gradient(np.asarray(cv2.GaussianBlur(depth, (5, 5), 0), np.float32))
    length = np.maximum(np.hypot(across, down), 1e-12)
    energies = []
    for shown in (picture[box], target[box]):
        x, y = _gradient(cv2.cvtColor(np.ascontiguousarray(shown), cv2.COLOR_RGB2GRAY).astype(np.float32))
        energies.append(np.square((x * across + y * down) / length))
    band = (depth >= BAND[0]) & (depth < BAND[1])
    beside = (depth >= BAND[0] - REACH) & (depth < BAND[1] + REACH) & ~band
    if not band.any() or not beside.any():
        return float("nan")
    at_edge, around = ((energies[0][place].mean() + _FLOOR) / (energies[1][place].mean() + _FLOOR)
                       for place in (band, beside))  # fmt: skip
    return float(at_edge / around)


def _distance(mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def _gradient(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Derivatives to the right and down, code values a pixel (Sobel)."""
    across, down = (cv2.Sobel(values, cv2.CV_32F, *which, scale=0.125) for which in ((1, 0), (0, 1)))
    return np.asarray(across, np.float32), np.asarray(down, np.float32)
