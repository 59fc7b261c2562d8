"""Grain: a decoder paints none, so its face is smoother than the film around it. It is given the film's own.

What a camera and a codec laid over the target's face is parted from the face itself, and laid over the converted one,
as compositors degrain a plate and grain their work with the difference. So grain is as coarse, as coloured and as
strong as the film's, goes over the edge of a mask unbroken, and is the same in every run. What is stronger than the
film's noise, lids, brows, lips and pores, is the target's and stays with it; of the skin's texture a share can be had.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

_FEWEST: Final = 64
"""Samples of which the strength of grain is told."""

_SCALE: Final = 1.5
"""Sigma in samples of the local means that grain lies about: coarser than that is form."""

_TAPS: Final = 9
"""Across that mean: what lies further away weighs less than a hundredth."""

_AROUND: Final = 9
"""Side in samples of the surroundings of which a local variance is taken."""

_WINDOW: Final = 200
"""Samples across: so much of a face is enough to tell how strong its grain is."""

_OPEN: Final = 0.5
"""Share of that middle which must be face: else something passes before it."""

_ENOUGH: Final = 4000
"""Samples that are enough."""

_SMOOTH: Final = 0.05
"""Share of a face that has no texture: what varies there is noise."""

_OFF_EDGES: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / np.float32(6.0)
"""Of a plane or an edge along an axis it makes 0, of white noise noise of the same deviation (Immerkaer 1996)."""

_LARGEST: Final = 0.06
"""Of a channel's range: what seems noisier than that is hair."""


@dataclass(frozen=True)
class Strength:
    """How much a plane varies about its local means, in its own units: by noise alone, and at the median place."""

    noise: float
    usual: float


@dataclass(frozen=True)
class Varying:
    """How a plane varies about its local means: the difference to them, and the local mean of its square, (h, w)."""

    plane: Plane
    left: Plane
    local: Plane

    @classmethod
    def of(cls, plane: Plane) -> Varying:
        """Of a plane (h, w) float32."""
        means = cv2.GaussianBlur(plane, (_TAPS, _TAPS), _SCALE, borderType=cv2.BORDER_REFLECT_101)
        left = np.asarray(plane - means, np.float32)
        local = cv2.sqrBoxFilter(left, -1, (_AROUND, _AROUND), borderType=cv2.BORDER_REFLECT_101)
        return cls(plane, left, np.asarray(local, np.float32))

    def __getitem__(self, part: tuple[slice, slice]) -> Varying:
        return Varying(self.plane[part], self.left[part], self.local[part])

    def strength(self, inside: NDArray[np.bool_]) -> Strength:
        """See :func:`told`; what is ``inside`` tells, wherever that is."""
        few = (slice(None, None, max(isqrt(int(inside.sum()) // _ENOUGH), 1)),) * 2
        where = inside[few]
        if int(where.sum()) < _FEWEST:
            return Strength(0.0, 0.0)
        edges = cv2.filter2D(self.plane, -1, _OFF_EDGES, borderType=cv2.BORDER_REFLECT_101)[few][where]
        white = 1.4826 * float(np.median(np.abs(edges)))
        # sums that run over a row may end a little below 0 where a plane is flat
        squares = np.maximum(np.quantile(self.local[few][where], [_SMOOTH, 0.5]).astype(np.float64), 0.0)
        smooth, usual = np.sqrt(squares).tolist()
        return Strength(max(white, smooth), usual)

    def up_to(self, deviation: float) -> Plane:
        """See :func:`parted`."""
        variance = deviation**2
        if variance <= 0.0:
            return np.zeros_like(self.left)
        share = np.maximum(self.local, np.float32(variance))
        return np.asarray(cv2.divide(self.left, share, scale=variance), np.float32)


def told(plane: Plane, inside: NDArray[np.bool_]) -> Strength:
    """How much of a plane (h, w) is noise where it is ``inside``, and how much noise and texture; 0 of a few samples.

    Noise is the larger of two estimates: the median absolute deviation of what is left beside edges (Immerkaer 1996),
    which tells white noise whatever lies under it; and the deviation of the smoothest twentieth, which tells noise that
    is coarser than a pixel, as an enlarged or a coded film's is. Of a large face its middle tells.
    """
    middle = _middle(inside)
    if 0 in plane[middle].shape:
        return Strength(0.0, 0.0)
    return Varying.of(plane[middle]).strength(inside[middle])


def strength(plane: Plane, inside: NDArray[np.bool_]) -> float:
    """The standard deviation of a plane's noise, see :func:`told`."""
    return told(plane, inside).noise


def parted(plane: Plane, deviation: float) -> Plane:
    """What of a plane's differences to its local means is no stronger than a deviation: (h, w) float32.

    The filter of local statistics (Lee 1980): of each, the share that the deviation's square is of the local variance,
    at most all.
    """
    return Varying.of(plane).up_to(deviation)


def without(plane: Plane, inside: NDArray[np.bool_]) -> Plane:
    """A plane (h, w) float32 less its grain, whose strength is told ``inside``."""
    return np.asarray(plane - parted(plane, strength(plane, inside)), np.float32)


def grained(
    layer: Plane, target: Plane, inside: NDArray[np.bool_], share: float, largest: float, texture: float = 0.0
) -> Plane:
    """The layer with the target's grain as far as it lacks that, or with less of its own: (h, w) float32.

    Args:
        layer, target: (h, w) float32 code values.
        inside: (h, w), where both are faces.
        share: of the difference that is made up for.
        largest: code value of the channel.
        texture: how far what is as strong as the median of the target's local differences comes over, too.
    """
    if (share == 0.0 and texture == 0.0) or not inside.any():
        return layer
    film, middle, most = Varying.of(target), _middle(inside), _LARGEST * largest
    other = film[middle].strength(inside[middle])
    has, asked = min(told(layer, inside).noise, most), min(other.noise, most)
    if share and asked < has:
        layer = np.asarray(layer - np.float32(share * (1.0 - asked / has)) * parted(layer, has), np.float32)
    lacks = share * float(np.sqrt(1.0 - (has / asked) ** 2)) if has < asked else 0.0
    if texture == 0.0:
        return np.asarray(layer + np.float32(lacks) * film.up_to(asked), np.float32) if lacks else layer
    usual = asked + texture * max(min(other.usual, most) - asked, 0.0)
    return np.asarray(layer + film.up_to(usual) + np.float32(lacks - 1.0) * film.up_to(asked), np.float32)


def _middle(inside: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The middle of what is inside, at most so many samples high and wide; all of it, if a thing covers the middle."""
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    if rows.size == 0:
        return slice(0, 0), slice(0, 0)
    result = []
    for there in (rows, columns):
        first, last = int(there[0]), int(there[-1]) + 1
        spare = max(last - first - _WINDOW, 0)
        result.append(slice(first + spare // 2, last - (spare - spare // 2)))
    found = result[0], result[1]
    if int(inside[found].sum()) < _OPEN * inside[found].size:
        return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    return found
