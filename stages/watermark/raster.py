"""A frame as the mark sees it: a small square raster, without what the picture itself is made of."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from stages.watermark.pattern import SIDE, Floats

_AROUND: Final = 7
"""Samples over which the picture is taken to be even: a little more than three chips."""

_FLOOR: Final = 0.6
"""Codes of 8 bits that noise has at least."""

_LIMIT: Final = 3.0

_ALIKE: Final = 5
"""Cycles over the frame within which frequencies are as strong as each other."""

_STEEPEST: Final = 0.05
"""Of the mean power: no frequency is taken to be weaker, or what an encoder left out would be looked into."""

_STICKS_OUT: Final = 2.0
"""Standard deviations."""


def small(luma: NDArray[Any], depth: int) -> Floats:
    """The luma on the raster: (SIDE, SIDE) float32, in codes of 8 bits.

    Halving by pixels first is what makes it cheap; an odd last row or column is left out, which moves nothing by more
    than half a pixel.

    Args:
        luma: (h, w) uint8 or uint16.
        depth: its bits.
    """
    while min(luma.shape) >= 2.5 * SIDE:
        height, width = (side // 2 for side in luma.shape)
        luma = cv2.resize(luma[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
    seen = cv2.resize(luma.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(seen / np.float32(1 << depth - 8), np.float32)


def detail(seen: Floats) -> tuple[Floats, Floats]:
    """What is finer than the picture's large shapes, and how strong it is around each sample, both (SIDE, SIDE)."""
    fine = seen - cv2.blur(seen, (_AROUND, _AROUND), borderType=cv2.BORDER_REFLECT)
    power = cv2.blur(fine * fine, (_AROUND, _AROUND), borderType=cv2.BORDER_REFLECT)
    return fine, np.sqrt(np.maximum(power, 0)) + np.float32(_FLOOR)  # running sums of floats may end below 0


def evened(seen: Floats) -> Floats:
    """Detail in units of its own strength, (SIDE, SIDE): what a reader adds up over frames."""
    fine, strength = detail(seen)
    return limited(fine / strength)


def whitened(raster: Floats) -> Floats:
    """A raster of which all frequencies are as strong as those around them, (SIDE, SIDE): what a mark is looked for in.

    Frames that are added up show the picture, too, smeared where it moved, and most of that lies in a few frequencies;
    a mark's chips lie in all alike. Noise of equal power throughout is what the sum over chips is the best filter for
    (North 1943). Then what still sticks out of it is cut off, and both once more, since an edge's cut is not white.
    """
    for _ in range(2):
        spectrum = scipy.fft.fft2(raster)
        white = scipy.fft.ifft2(spectrum / np.sqrt(_power(spectrum))).real
        reach = np.float32(_STICKS_OUT * float(white.std()))
        raster = np.asarray(np.clip(white, -reach, reach), np.float32)
    return raster


def white_noise(chips: Floats) -> float:
    """The deviation of white noise that hides a mark in chips as much as a picture does from a reader that whitens.

    Each frequency gives what it has of the mark in the inverse of its power; together that is the harmonic mean of the
    powers (the matched filter in coloured noise, North 1943). Above 0.

    Args:
        chips: (n, n), what the picture itself gives to each chip.
    """
    return float(np.sqrt(1 / (1 / _power(scipy.fft.fft2(chips))).mean()) / chips.shape[0])


def _power(spectrum: NDArray[np.complexfloating]) -> NDArray[np.floating]:
    """The power of each frequency, as that of those around it, and never far below the mean."""
    around = uniform_filter(np.abs(spectrum) ** 2, _ALIKE, mode="wrap")
    return np.asarray(around + np.float32(_STEEPEST * float(around.mean()) + 1e-9))


def limited(raster: Floats) -> Floats:
    """Values cut off at a few times their usual strength: no edge outweighs the rest of the frame."""
    return np.asarray(np.clip(raster, -_LIMIT, _LIMIT), np.float32)


def chips_of(raster: NDArray[np.floating]) -> Floats:
    """Sums over chips, (SIDE / 2, SIDE / 2)."""
    return np.asarray(raster.reshape(SIDE // 2, 2, SIDE // 2, 2).sum((1, 3)), np.float32)
