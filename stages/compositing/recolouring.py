"""The map of colours that each method gives a face, from what was measured of it and its target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.compositing import colour, transport
from stages.compositing.settings import ColourSettings
from stages.compositing.transport import Curves

Floats = NDArray[np.float32]
Samples = NDArray[np.float16]


@dataclass(frozen=True)
class Affine:
    """An affine map, beyond the colours that it was made from a shift.

    Attributes:
        mapping: (3, 4), see :func:`stages.compositing.colour.transfer`.
        method: in whose space it works.
        source: that it was made from, see :func:`stages.compositing.colour.recoloured`.
        cast: of the light, see there.
    """

    mapping: NDArray[np.float64]
    method: colour.Method
    source: colour.Statistics | None = None
    cast: NDArray[np.float64] | None = None

    @property
    def contrast(self) -> float:
        """By how much it spreads skin's colours relative to their level, which only a map of log RGB does evenly."""
        if self.method != "covariance":
            return 1.0
        gain = float(np.cbrt(abs(np.linalg.det(self.mapping[:, :3]))))
        return gain if self.source is None else 1.0 + colour.NEAR * (gain - 1.0)

    def applied(self, rgb: Floats) -> Floats:
        """Colours (h, w, 3) float32 0..1 through the map."""
        return colour.recoloured(rgb, self.mapping, self.method, self.source, self.cast)


Recolouring = Affine | Curves
UNCHANGED = Affine(np.eye(3, 4), "none")


def measured_colours(
    view: Floats, mask: Floats, settings: ColourSettings, beardless: NDArray[np.bool_] | None = None
) -> tuple[colour.Statistics, Samples]:
    """What a method must know of a face: statistics, and colours, (SAMPLES, 3), or (0, 3) where it needs none.

    Args:
        view: (h, w, 3) float32 0..1.
        mask: (h, w) float32 weights.
        settings: of which the method counts.
        beardless: see :func:`stages.compositing.colour.typical`.
    """
    skin = colour.typical(view, mask, beardless)
    if settings.method == "histogram" or settings.method == "sliced":
        return colour.statistics(view, skin, "covariance"), transport.samples(view, skin)
    return colour.statistics(view, skin, settings.method), np.zeros((0, 3), np.float16)


def recolouring(
    statistics: tuple[colour.Statistics, colour.Statistics],
    colours: NDArray[np.float16],
    near: Sequence[tuple[int, float]],
    settings: ColourSettings,
    cast: NDArray[np.float64] | None = None,
) -> Recolouring:
    """The map that gives a face its target's colours.

    Args:
        statistics: of the face and of the target, smoothed over time.
        colours: (n, 2, SAMPLES, 3), those of all faces and their targets.
        near: which of them count for this face, and how much.
        settings: method and strength.
        cast: of the light, see :func:`stages.compositing.colour.recoloured`.
    """
    if settings.method == "histogram" or settings.method == "sliced":
        pool = np.concatenate([colours[row].astype(np.float64) for row, _ in near], axis=1)
        weights = np.repeat([weight for _, weight in near], colours.shape[2])
        return transport.curves(pool[0], pool[1], weights, settings.method, settings.strength)
    mapping = colour.transfer(*statistics, settings.method, settings.strength)
    return Affine(mapping, settings.method, statistics[0], None if cast is None else settings.strength * cast)


def between(
    views: Sequence[Floats], mask: Floats, settings: ColourSettings, beardless: NDArray[np.bool_] | None = None
) -> Recolouring:
    """The map that gives the first of two pictures, (h, w, 3) float32 0..1, the second's colours under one mask."""
    (mine, own), (his, other) = (measured_colours(view, mask, settings, beardless) for view in views)
    return recolouring((mine, his), np.stack([own, other])[None], [(0, 1.0)], settings)
