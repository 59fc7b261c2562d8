"""How far colours are apart for an eye."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

MOST_PIXELS: Final = 1 << 14
"""More are thinned out evenly: the mean over as many says the same."""


def colour_error(picture: NDArray[np.uint8], truth: NDArray[np.uint8], mask: NDArray[np.bool_]) -> float:
    """Mean CIEDE2000 colour difference inside a mask (CIE 142-2001; ISO/CIE 11664-6).

    Code values are read as sRGB under D65. 1 is about the least difference that an eye sees side by side.

    Args:
        picture, truth: (h, w, 3) uint8 RGB.
        mask: (h, w) bool.

    Returns:
        0 for equal pictures; NaN if the mask is empty.
    """
    ours, right = picture[mask], truth[mask]
    if len(ours) == 0:
        return float("nan")
    step = -(-len(ours) // MOST_PIXELS)
    return float(np.mean(ciede2000(rgb2lab(ours[::step]), rgb2lab(right[::step]))))


def ciede2000(one: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.float64]:
    """The colour difference of CIELAB colours (..., 3), (...), with all weights 1."""
    return np.asarray(deltaE_ciede2000(one, other), np.float64)  # type: ignore[no-untyped-call]
