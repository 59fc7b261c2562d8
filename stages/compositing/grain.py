"""Grain: a decoder paints none, so its face is smoother than the film around it. It is given the film's own.

What a camera and a codec laid over the target's face is parted from the face itself, and laid over the converted one,
as compositors degrain a plate and grain their work with the difference. So grain is as coarse, as coloured and as
strong as the film's, goes over the edge of a mask unbroken, and is the same in every run. What is stronger than the
film's noise, lids, brows, lips and pores, is the target's and stays with it; of the skin's texture a share can be had.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

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

_SMOOTH: Final = 0.05
"""Share of a face that has no texture: what varies there is noise."""

_OFF_EDGES: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / np.float32(6.0)
"""Of a plane or an edge along an axis it makes 0, of white noise noise of the same deviation (Immerkaer 1996)."""

_LARGEST: Final = 0.06
"""Of a channel's range: what seems noisier than that is hair."""


@dataclass(frozen=True)
class Look:
    """What is told of a plane.

    Attributes:
        left: (h, w) float32, the difference to the local mean.
        local: (h, w) float32, the local mean of its square.
        strength: the standard deviation of the plane's noise, in its own units.
        usual: the median of the local deviations, of noise and texture together.
    """

    left: Plane
    local: Plane
    strength: float
    usual: float

    @classmethod
    def at(cls, plane: Plane, inside: NDArray[np.bool_]) -> Self:
        """Look at a plane (h, w) float32; strengths are told where it is ``inside``, and 0 if that is too little."""
        means = cv2.GaussianBlur(plane, (0, 0), _SCALE, borderType=cv2.BORDER_REFLECT_101)
        left = np.asarray(plane - means, np.float32)
        around = (_AROUND, _AROUND)
        local = np.asarray(cv2.blur(left * left, around, borderType=cv2.BORDER_REFLECT_101), np.float32)
        edges = cv2.filter2D(plane, -1, _OFF_EDGES, borderType=cv2.BORDER_REFLECT_101)
        few = (slice(None, None, _EVERY),) * 2
        told = inside[few]
        if int(told.sum()) < _FEWEST:
            return cls(left, local, 0.0, 0.0)
        white = 1.4826 * float(np.median(np.abs(edges[few][told])))
        smooth, usual = np.sqrt(np.quantile(local[few][told], [_SMOOTH, 0.5]).astype(np.float64)).tolist()
        return cls(left, local, max(white, smooth), usual)

    def up_to(self, deviation: float) -> Plane:
        """What of the differences is no stronger than this deviation, (h, w) float32.

        The filter of local statistics (Lee 1980): of each, the share that the deviation's square is of the local
        variance, at most all.
        """
        variance = np.float32(deviation**2)
        if not variance:
            return np.zeros_like(self.left)
        return np.asarray(self.left * (variance / np.maximum(self.local, variance)), np.float32)


def strength(plane: Plane, inside: NDArray[np.bool_]) -> float:
    """The standard deviation of the noise of a plane (h, w) where it is ``inside``, in its own units.

    The larger of two estimates: the median absolute deviation of what is left beside edges (Immerkaer 1996), which
    tells white noise whatever lies under it; and the deviation of the smoothest twentieth, which tells noise that is
    coarser than a pixel, as an enlarged or a coded film's is. 0 if there is too little to tell.
    """
    return Look.at(plane, inside).strength


def without(plane: Plane, inside: NDArray[np.bool_]) -> Plane:
    """A plane (h, w) float32 less its grain, whose strength is told ``inside``."""
    look = Look.at(plane, inside)
    return np.asarray(plane - look.up_to(look.strength), np.float32)


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
    if share == 0.0 and texture == 0.0:
        return layer
    own, other = Look.at(layer, inside), Look.at(target, inside)
    has, asked = (min(each.strength, _LARGEST * largest) for each in (own, other))
    result = layer
    noise = other.up_to(asked)
    if asked < has:
        result = layer - np.float32(share * (1.0 - asked / has)) * own.up_to(has)
    elif has < asked:
        result = layer + np.float32(share * np.sqrt(1.0 - (has / asked) ** 2)) * noise
    if texture:
        usual = asked + texture * max(min(other.usual, _LARGEST * largest) - asked, 0.0)
        result = result + (other.up_to(usual) - noise)
    return np.asarray(result, np.float32)
