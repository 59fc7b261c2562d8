"""Eyes keep their colour: the map that makes one skin like another would make their whites glow, or grey.

What two people's skins differ by is mostly albedo, and the whites of eyes have no part in that: they are about as
bright in everybody. What they do have a part in is the light. So eyes are moved by what the whites of the two people's
eyes differ by, in the crop and in the target, and not by what the skins do.

Teeth are as white, but go with the skin: where the target's lips are open is not where the other's are, and skin that
is taken for teeth is worse than grey teeth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.topology import LEFT_EYE, RIGHT_EYE

Floats = NDArray[np.float32]

WIDTH: Final = 5
"""Numbers that are measured of a face: a weight, and by it three channels of its whites, and its skin's warmth."""

_WHITE: Final = (0.6, 0.9)
"""Quantiles of luma between which a pixel between the lids is taken for white: iris, pupil and lashes lie below, glints
on a wet eye or on glasses above."""

_WITHIN: Final = 0.75
"""So much of the way from an eye's middle to its lids is measured: beside the lids, a soft picture shows their skin."""

_WHOLLY: Final = 0.9
"""Share of a pixel that must be eye, and seen, to be measured."""

_FOOT: Final = 0.05
"""Added before the logarithm, as in :mod:`stages.compositing.colour`."""

_LEAST: Final = 2e-4
"""Share of the crop that must lie open in the mean for a difference to be believed: less is a blink."""

_LARGEST: Final = 0.7
"""Of a logarithm: no white is made more than twice as bright or dark. What differs more is no eye, but dark glasses."""

_APART: Final = 0.05
"""By how much skin must be warmer than whites for the two to be told apart."""

_ALIKE: Final = 0.05
"""Distance in log RGB by which whites in the same light may be found to differ."""

_SOFT: Final = 0.006
"""Sigma of the edge of what is open, in shares of the crop's side."""


@dataclass(frozen=True)
class Whites:
    """How the eyes of a face are moved.

    Attributes:
        gain: (3,) the logarithm of what their channels are multiplied by.
        strength: 0..1; at 0 they go with the skin.
        white, skin: the :func:`warmth` of both in the face that is moved.
    """

    gain: NDArray[np.float64]
    strength: float
    white: float
    skin: float

    def applied(self, moved: Floats, rgb: Floats, outline: NDArray[np.float64]) -> Floats:
        """A face whose colours were moved, (r, r, 3) float32 0..1, with the whites of its eyes moved by their own gain.

        What is as warm as skin goes with the skin: lids of the face need not lie where the target's do.

        Args:
            moved: with the skin's map everywhere.
            rgb: before that.
            outline: (478, 2) landmarks in the unit crop.
        """
        inside = np.float32(self.strength) * open_eyes(outline, len(rgb))[..., None]
        if not inside.any():
            return moved
        inside = inside * np.clip((self.skin - warmth(rgb)) / (self.skin - self.white), 0.0, 1.0)[..., None]
        foot = np.float32(_FOOT)
        own = np.clip((rgb + foot) * np.exp(self.gain).astype(np.float32) - foot, 0.0, 1.0)
        return np.asarray(moved + inside * (own - moved), np.float32)


def measured_whites(view: Floats, mask: Floats, outline: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of a face's eyes (WIDTH,): the share of the crop that is open and seen, and that times the mean log RGB of their
    whites and the :func:`warmth` of the skin.

    Sums, so that faces can be added up over time and one that blinks counts for little.

    Args:
        view: (r, r, 3) float32 0..1.
        mask: (r, r) float32, where the face can be seen.
        outline: (478, 2) landmarks in the unit crop.
    """
    found = np.zeros(WIDTH)
    seen = mask > 0.5
    if not seen.any():
        return found
    luma, skin = np.asarray(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), np.float32), float(np.median(warmth(view)[seen]))
    for eye in (RIGHT_EYE, LEFT_EYE):
        lids = outline[list(eye)]
        middle = lids.mean(axis=0)
        inside = _filled(middle + _WITHIN * (lids - middle), len(view)) > _WHOLLY
        between = inside & (mask > _WHOLLY)
        if between.any():
            # of values that are there: between interpolated ones there may be none
            least, most = np.quantile(luma[between], _WHITE, method="nearest")
            white = view[between & (luma >= least) & (luma <= most)]
            # no count of pixels alone: a closed eye still has an edge
            open_ = cv2.contourArea(lids.astype(np.float32)) * between.sum() / inside.sum()
            found += open_ * np.array([1.0, *np.log(white.astype(np.float64) + _FOOT).mean(axis=0), skin])
    return found


def gain_of(face: NDArray[np.float64], target: NDArray[np.float64], strength: float) -> Whites | None:
    """What makes a face's whites like its target's, from sums of :func:`measured_whites`; None if there are too few.

    Nor is there one where the face's skin is not warmer than its whites: which is which could not be told.
    """
    if strength == 0.0 or min(face[0], target[0]) < _LEAST:
        return None
    mine, his = face[1:] / face[0], target[1:] / target[0]
    white, skin = float(warmth(np.exp(mine[:3]) - _FOOT)), float(mine[3])
    if skin - white < _APART:
        return None
    return Whites(np.clip(his[:3] - mine[:3], -_LARGEST, _LARGEST), strength, white, skin)


def cast_of(whites: Whites | None) -> NDArray[np.float64] | None:
    """The colour of the light on the target, beside that on the face, (3,) log RGB whose sum is 0; None if not told.

    Whites that differ by little more than their rounding differ by none.
    """
    if whites is None:
        return None
    hue = whites.gain - whites.gain.mean()
    return np.asarray(hue * max(0.0, 1.0 - _ALIKE / max(float(np.linalg.norm(hue)), 1e-9)), np.float64)


def warmth(rgb: NDArray[np.floating]) -> NDArray[np.floating]:
    """How much more red than blue there is in colours (..., 3) 0..1, about 0 for grey and 1 for pure red, (...)."""
    red, blue = rgb[..., 0], rgb[..., 2]
    return np.asarray((red - blue) / (red + blue + _FOOT))


def open_eyes(outline: NDArray[np.float64], size: int) -> Floats:
    """1 between the lids, fading to 0 at their edges; (size, size) float32.

    Args:
        outline: (478, 2) landmarks in the unit crop.
        size: of the crop, pixels.
    """
    filled = np.zeros((size, size), np.float32)
    for part in (RIGHT_EYE, LEFT_EYE):
        filled = np.maximum(filled, _filled(outline[list(part)], size))
    return np.asarray(cv2.GaussianBlur(filled, (0, 0), _SOFT * size), np.float32)


def _filled(corners: NDArray[np.float64], size: int) -> Floats:
    """1 inside a polygon (n, 2) of the unit crop, with a smooth edge; (size, size) float32."""
    filled = np.zeros((size, size), np.uint8)
    # fillPoly takes whole numbers: with 4 fractional bits they are sixteenths of a pixel
    points = np.round((corners * size - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(filled, [points], 255, lineType=cv2.LINE_AA, shift=4)
    return filled.astype(np.float32) / np.float32(255.0)
