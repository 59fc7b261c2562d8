"""White that lies over a picture: a fade to white, fog, a flare. It takes contrast from all that is in the picture.

A map of colours that is made from skin is bounded, and shifts what is no skin: under a veil, brows and lips would stay
as dark and red as they were. How thick it is, is told by the depth of the target's face: how far its darkest places,
which everybody has about the eyes and mouth, lie below its skin. It is held against the converted face's under the same
mask, which no veil lies over, and whose eyes a hand hides as well; and that against what it is in the rest of the clip.
Both differ without a veil, by light and pose and between people, so only what is beyond that counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

DARKEST: Final = 0.02
"""Quantile of luma that stands for the darkest places."""

USUAL: Final = 0.75
"""Quantile of a clip's relations of depths that is its own."""

WITHIN: Final = 0.65
"""Share of a clip's own relation of depths down to which light and pose may bring it."""

BETWEEN: Final = 0.28
"""The relation itself: of ten people in ordinary footage the flattest frame had 0.3 of the deepest's depth."""

_LEAST: Final = 0.1
"""Depth of a converted face from which on it tells anything: else what is dark about it is hidden."""

_STEEP: Final = 1.5
"""Exponent by which contrast goes from there, so that under a thick veil nothing is left of it."""


def depth_of(luma: Floats, mask: Floats) -> float:
    """How far the darkest places of a face lie below its skin, as a share of that, 0..1; NaN of a face not seen.

    Args:
        luma, mask: (r, r) float32 0..1.
    """
    seen = luma[mask > 0.5]
    if seen.size == 0:
        return float("nan")
    dark, skin = np.quantile(seen, [DARKEST, 0.5])
    return float(1.0 - dark / skin) if skin > 0.0 else 0.0


def relations(depths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Depths of targets by those of converted faces, (n,), of (n, 2) of the latter and the former; NaN if not told."""
    mine, his = depths.T
    return np.asarray(np.divide(his, mine, out=np.full(len(depths), np.nan), where=mine >= _LEAST), np.float64)


def own_relation(told: NDArray[np.float64]) -> float:
    """The relation that a clip's faces have, by some of them, (n,); NaN if of none it is told."""
    told = told[np.isfinite(told)]
    return float(np.quantile(told, USUAL)) if told.size else float("nan")


def contrasts(told: NDArray[np.float64], own: float) -> NDArray[np.float64]:
    """What a veil leaves of contrast, (n,) in 0..1: 1 where there is none, or none can be told.

    Args:
        told: (n,) the :func:`relations` of some faces.
        own: of the clip.
    """
    left = told / BETWEEN if not own > 0.0 else np.minimum(told / (WITHIN * own), told / BETWEEN)
    return np.where(np.isfinite(left), np.clip(left, 0.0, 1.0) ** _STEEP, 1.0)


@dataclass(frozen=True)
class Veil:
    """What takes contrast from a face.

    Attributes:
        contrast: what is left of it, 0..1.
        skin: (3,) RGB 0..1 of the target's skin, towards which all goes.
    """

    contrast: float
    skin: Floats

    def applied(self, rgb: Floats) -> Floats:
        """Colours (..., 3) float32 0..1."""
        return np.clip(self.skin + np.float32(self.contrast) * (rgb - self.skin), 0.0, 1.0)
