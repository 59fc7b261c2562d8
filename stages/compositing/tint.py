"""Footage of few colours: black and white, sepia, a strong grade. What a face may have of its own colours there.

A map of colours is made from skin, and leaves to lips, brows and eyes the hues in which they differ from it. In footage
that has lost its colours those would stay: red lips in a black-and-white film. How many colours footage has is told by
how far they lie in the target's face from the line that its tint alone would give: in log RGB, chroma that is a
straight line of lightness; and by how strong they are in the mean. A face whose own lie much further from its line is
drawn towards the target's. Between two people in ordinary footage these distances differ, too, by lips and by redness
of skin, so only what is beyond that counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WIDTH: Final = 9
"""Numbers that are measured: a share of the crop, and times that three of the line's ends at 0, three of its slopes,
the distance from it, and how strong the mean colour is."""

ORDINARY: Final = 3.0
"""Times as far from its line as the target's a face's colours may lie and stay as they are: of ten people in ordinary
footage the most varied frame lay 2.9 times as far as the least."""

BOTH: Final = 2.4
"""The same for the geometric mean of that and of how strong the mean colour is: light may take one, but hardly both."""

_CAST: Final = 0.2
"""A mean colour that is weaker tells no more than this: light of the other colour may take it wholly."""

_CELLS: Final = 32
"""Means of so many cells across the crop are measured: a lip is some of them, and the rounding of codes is none."""

_FOOT: Final = 0.02
"""Added before the logarithm: less than in :mod:`stages.compositing.colour`, since means of cells have less noise, and
a dark picture would seem to have fewer colours."""

_WHOLLY: Final = 0.9
"""Share of a cell that must be face."""

_LEAST: Final = 1e-6
"""Variance of lightness below which there is no slope."""


@dataclass(frozen=True)
class Tint:
    """How the colours of a face are drawn to a line.

    Attributes:
        start, slope: (3,) chroma, which sums to 0, of lightness 0, and by lightness: the mean of log RGB.
        share: of a colour's distance from the line that it keeps, 0..1.
    """

    start: NDArray[np.float64]
    slope: NDArray[np.float64]
    share: float

    def applied(self, rgb: Floats) -> Floats:
        """Colours (..., 3) float32 0..1 with their lightness."""
        values = np.log(np.maximum(rgb, 0.0) + np.float32(_FOOT))
        light = values.mean(axis=-1, keepdims=True)
        line = light * (1.0 + self.slope.astype(np.float32)) + self.start.astype(np.float32)
        moved = line + np.float32(self.share) * (values - line)
        return np.clip(np.exp(np.asarray(moved, np.float32)) - np.float32(_FOOT), 0.0, 1.0)


def measured_tint(view: Floats, mask: Floats) -> NDArray[np.float64]:
    """The line of a face's colours and how far they lie from it, (WIDTH,): sums, which can be added up over time.

    Args:
        view: (r, r, 3) float32 0..1.
        mask: (r, r) float32 0..1, where the face can be seen.
    """
    extent = (min(_CELLS, view.shape[1]), min(_CELLS, view.shape[0]))
    seen = np.asarray(cv2.resize(mask, extent, interpolation=cv2.INTER_AREA)) > _WHOLLY
    if not seen.any():
        return np.zeros(WIDTH)
    means = np.asarray(cv2.resize(view, extent, interpolation=cv2.INTER_AREA), np.float64)
    values = np.log(np.maximum(means[seen], 0.0) + _FOOT)
    light = values.mean(axis=1)
    chroma = values - light[:, None]
    centred, away = light - light.mean(), chroma - chroma.mean(axis=0)
    spread = float((centred**2).mean())
    slope = (centred[:, None] * away).mean(axis=0) / spread if spread > _LEAST else np.zeros(3)
    left = away - centred[:, None] * slope
    mean, distance = chroma.mean(axis=0), np.sqrt((left**2).sum(axis=1).mean())
    told = [1.0, *(mean - slope * light.mean()), *slope, distance, np.linalg.norm(mean)]
    return float(seen.mean()) * np.array(told, np.float64)


def tint_of(face: NDArray[np.float64], target: NDArray[np.float64], strength: float) -> Tint | None:
    """What takes from a face the colours that its target has none of, by sums of :func:`measured_tint`.

    None where there is nothing to take, or nothing was seen. From where it begins, the share that is kept falls by the
    square, so that what is little is soon none.

    Args:
        face, target: (WIDTH,) of both.
        strength: 0..1.
    """
    if min(face[0], target[0]) <= 0.0:
        return None
    mine, his = face[1:] / face[0], target[1:] / target[0]
    apart, strong = (his[6:] / np.maximum(mine[6:], 1e-9)).tolist()
    share = min(ORDINARY * apart, BOTH * np.sqrt(apart * max(strong, _CAST))) ** 2
    if share >= 1.0 or strength == 0.0:
        return None
    return Tint(his[:3], his[3:6], 1.0 - strength * (1.0 - float(share)))
