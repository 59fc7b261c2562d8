"""How much of a picture shows what was not there before; so cheap that it can be asked of many pictures."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

CELLS: Final = 32
"""A picture is compared as so many cells across and down, each the mean of its pixels."""

REACH: Final = 1
"""Cells to each side in which a colour may have lain before: what moves a little is nothing new."""

DIFFERENCE: Final = 0.1
"""From which two colours differ, as a share of the way from the darkest to the brightest value of that picture in which
it is shorter: in the dark, too."""


def cells_of(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture (h, w, 3) uint8 RGB as (CELLS, CELLS, 3)."""
    return np.asarray(cv2.resize(picture, (CELLS, CELLS), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def share_of_new(now: NDArray[np.uint8], before: NDArray[np.uint8]) -> float:
    """The share of cells, 0 to 1, whose colour lay neither there nor beside it before.

    Args:
        now: (CELLS, CELLS, 3) uint8, from :func:`cells_of`.
        before: the same of the picture that it is compared with.

    >>> wall = np.full((CELLS, CELLS, 3), 90, np.uint8); wall[0, 0] = 250; spot = wall.copy(); spot[8:12, 8:16] = 200
    >>> share_of_new(wall, wall), share_of_new(spot, wall)
    (0.0, 0.03125)
    """
    # of that with less contrast: beside a lamp that was on before, nothing in the dark would differ
    least = DIFFERENCE * min(float(int(each.max()) - int(each.min())) for each in (now, before))
    around = np.pad(before.astype(np.int16), ((REACH, REACH), (REACH, REACH), (0, 0)), mode="edge")
    windows = sliding_window_view(around, (2 * REACH + 1, 2 * REACH + 1), axis=(0, 1))  # (CELLS, CELLS, 3, n, n)
    apart = np.abs(windows - now.astype(np.int16)[..., None, None]).max(axis=2)
    return float((apart.min(axis=(2, 3)) > least).mean())
