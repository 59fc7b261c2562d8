"""Colour transfer by optimal transport of the colours themselves, not of their mean and covariance alone.

In one dimension the transport that moves least is the one that gives every value the other's value of the same rank.
``histogram`` does so with each channel. ``sliced`` repeats it along other bases, each of three directions at right
angles, until all that the two clouds of colours show from any side is alike (Pitie, Kokaram and Dahyot 2007; Rabin,
Peyre, Delon and Bernot 2011). Both work in log RGB as the covariance method does, and estimate from colours that are
pooled over time, so maps change as slowly as their pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.compositing.colour import LARGEST_GAIN, from_space, to_space

Floats = NDArray[np.float32]
Values = NDArray[np.float64]
Transporting = Literal["histogram", "sliced"]

SAMPLES: Final = 128
"""Colours that stand for a face."""

_KNOTS: Final = np.linspace(0.02, 0.98, 17)
"""Ranks at which a curve is given; beyond the outermost, colours are moved as far as there: brows stay brows."""

_STEPS: Final = 6
"""Bases of ``sliced``: more change colours by less than a code value."""

_GOLDEN: Final = np.pi * (3.0 - np.sqrt(5.0))


def _bases() -> Values:
    """The bases, (_STEPS, 3, 3), a row a direction: the channels, then turned about axes spread over half a sphere."""
    result = [np.eye(3)]
    for step in range(1, _STEPS):
        height = (step - 0.5) / (_STEPS - 1)
        around, radius = step * _GOLDEN, np.sqrt(1.0 - height**2)
        axis = np.array([radius * np.cos(around), radius * np.sin(around), height])
        result.append(np.asarray(cv2.Rodrigues(step * _GOLDEN * axis)[0], np.float64))
    return np.stack(result)


_BASES: Final = _bases()


@dataclass(frozen=True)
class Curves:
    """A map of colours in log RGB.

    Attributes:
        bases: (s, 3, 3), those of its steps.
        at, to: (s, 3, k), along each direction what goes to what; ``at`` does not fall.
        strength: share of the way that is gone.
        contrast: by how much it spreads colours, as the cube root of the ratio of their volumes.
    """

    bases: Values
    at: Values
    to: Values
    strength: float
    contrast: float

    def applied(self, rgb: Floats) -> Floats:
        """Colours (..., 3) float32 0..1 through the map."""
        values = np.asarray(to_space(rgb, "covariance"), np.float64)
        moved = values
        for basis, at, to in zip(self.bases, self.at, self.to, strict=True):
            moved = _step(moved, basis, at, to)
        return from_space((values + self.strength * (moved - values)).astype(np.float32), "covariance")


def samples(rgb: Floats, mask: Floats) -> NDArray[np.float16]:
    """Colours that stand for those under a mask, (SAMPLES, 3) in log RGB: evenly by luma, so few tell much.

    Args:
        rgb: (h, w, 3) float32 0..1.
        mask: (h, w) float32 weights, of which those above a half count; a mask with none counts as all ones.
    """
    inside = mask > 0.5
    colours = rgb[inside] if inside.any() else rgb.reshape(-1, 3)
    order = np.argsort(cv2.cvtColor(colours[:, None], cv2.COLOR_RGB2GRAY)[:, 0], kind="stable")
    chosen = order[((np.arange(SAMPLES) + 0.5) / SAMPLES * len(order)).astype(np.intp)]
    return to_space(colours[chosen], "covariance").astype(np.float16)


def curves(source: Values, target: Values, weights: Values, method: Transporting, strength: float) -> Curves:
    """The map that gives colours distributed as ``source`` the distribution of ``target``.

    No difference of colours is stretched by more than ``LARGEST_GAIN``, or its square with ``sliced``, whatever the
    clouds: a stretch along one direction is spread over the steps, of which none lies quite along it.

    Args:
        source, target: (n, 3) in log RGB.
        weights: (n,), of both.
        strength: see :class:`Curves`.
    """
    bases = _BASES[:1] if method == "histogram" else _BASES
    largest = LARGEST_GAIN ** min(1.0, 2.0 / len(bases))
    moved, before = source, _volume(source, weights)
    at, to = np.empty((len(bases), 3, len(_KNOTS))), np.empty((len(bases), 3, len(_KNOTS)))
    for step, basis in enumerate(bases):
        here, there = _along(moved, basis), _along(target, basis)
        for axis in range(3):
            at[step, axis] = _quantiles(here[:, axis], weights)
            to[step, axis] = _bounded(at[step, axis], _quantiles(there[:, axis], weights), largest)
        moved = _step(moved, basis, at[step], to[step])
    contrast = float((_volume(moved, weights) / before) ** (1.0 / 3.0))
    return Curves(bases, at, to, strength, 1.0 + strength * (contrast - 1.0))


def _along(values: Values, basis: Values) -> Values:
    """Coordinates (..., 3) in a basis. Summed by numpy, since the last digits of BLAS depend on the machine."""
    return np.asarray((values[..., None, :] * basis).sum(axis=-1))


def _step(values: Values, basis: Values, at: Values, to: Values) -> Values:
    coordinates = _along(values, basis)
    change = np.stack(
        [
            np.interp(coordinates[..., axis], at[axis], to[axis] - at[axis])  # beyond the ends as at the ends
            for axis in range(3)
        ],
        axis=-1,
    )
    return np.asarray(values + _along(change, basis.T))


def _quantiles(values: Values, weights: Values) -> Values:
    """Weighted quantiles at ``_KNOTS``."""
    order = np.argsort(values, kind="stable")
    rank = np.cumsum(weights[order])
    return np.interp(_KNOTS, (rank - 0.5 * weights[order]) / rank[-1], values[order])


def _bounded(at: Values, to: Values, largest: float) -> Values:
    """``to`` with slopes over ``at`` within 1 / largest and largest, and its mean kept."""
    run, rise = np.diff(at), np.diff(to)
    slope = np.clip(np.divide(rise, run, out=np.ones_like(run), where=run > 1e-9), 1.0 / largest, largest)
    kept = np.concatenate([[0.0], np.cumsum(slope * run)])
    return np.asarray(kept + (to.mean() - kept.mean()))


def _volume(values: Values, weights: Values) -> float:
    """Of the ellipsoid of their deviations, up to a factor; a code value's noise added, so that it is never 0."""
    shares = weights / weights.sum()
    centred = values - (shares[:, None] * values).sum(axis=0)
    covariance = (shares[:, None, None] * centred[:, :, None] * centred[:, None, :]).sum(axis=0)
    return float(np.sqrt(np.linalg.det(covariance + 1e-5 * np.eye(3))))
