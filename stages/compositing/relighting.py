"""Relighting: shading that is the light's, not the face's, goes from the target to the converted face.

A decoder paints the light that it has seen in training. What it misses is how much brighter or darker the target is
than the converted face, at low frequencies. That difference is light and the two people's albedo (beard, lips, sockets)
together. Both may be told apart, since the crop is aligned: albedo stays where it is over a shot, and is the same left
and right. So the symmetric part of the shot's mean difference is taken for albedo and stays; whatever changes over the
shot, or falls on one side only, is light and is transferred. Ratios of local means, as in Land's retinex, over the
visible face only: what lies beyond its mask weighs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.compositing.settings import LightSettings

Floats = NDArray[np.float32]
Shading = NDArray[np.float16]
"""Of a face and its target, (GRID, GRID, 5): local means of the converted crop's R, G and B and of the target's luma,
code values 0..1, and how much of the place is visible face, 0..1."""

GRID: Final = 12
"""Cells across the crop. A face is about half of it wide, so a cell is smaller than the least scale."""

SAMPLES: Final = 64
"""Of so many of a shot's faces, evenly over it, the mean is taken: enough of any shot, and a preview is quick."""

_FINER: Final = 4
"""Means are taken on a grid that is finer by this."""

_EDGE: Final = 0.04
"""Share of the face size by which the mask is drawn in: its rim has the background's colours, too."""

_FOOT: Final = 0.05
"""Added to code values before their ratio, so that noise in deep shadow is no light."""

_DOUBT: Final = 0.02
"""Visible share of a place at which half of what is seen there is believed."""

_LARGEST: Final = 0.7
"""Of a logarithm: no place is made more than twice as bright or dark. What differs more is hair, or an open mouth."""

_TURNED: Final = 45.0
"""Degrees of yaw from which on a face's halves can not be compared; of what is seen less turned, the more counts."""

_KEPT: Final = 1024
"""Faces whose light is remembered while those near them ask for it."""

_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True)
class Run:
    """The faces of one track in one shot.

    Attributes:
        rows: of those that are relit.
        samples: of those whose mean stands for the shot.
    """

    rows: NDArray[np.intp]
    samples: NDArray[np.intp]


def samples_of(run: NDArray[np.intp]) -> NDArray[np.intp]:
    """The rows of a run whose mean stands for it: all, or ``SAMPLES`` evenly over it."""
    if len(run) <= SAMPLES:
        return run
    return run[((np.arange(SAMPLES) + 0.5) / SAMPLES * len(run)).astype(np.intp)]


def shading(layer: Floats, target: Floats, mask: Floats, size: float, scale: float) -> Shading:
    """Local means of a face and its target under a mask: a normalised convolution (Knutsson and Westin 1993).

    Args:
        layer, target: (r, r, 3) float32 RGB 0..1, aligned.
        mask: (r, r) float32 0..1, what is face in both.
        size: of the face in pixels of the crop.
        scale: sigma of the means as a share of the face size.
    """
    reach = 2 * round(_EDGE * size) + 1
    weight = np.asarray(cv2.erode(mask, np.ones((reach, reach), np.uint8), borderValue=0), np.float32)
    sigma = scale * size * GRID * _FINER / mask.shape[0]
    seen = _low(weight, sigma)[..., None]
    values = _low(np.dstack([layer, target @ _LUMA]) * weight[..., None], sigma)
    means = np.divide(values, seen, out=np.zeros_like(values), where=seen > 1e-6)
    return np.concatenate([means, seen], axis=2).astype(np.float16)


def _low(picture: Floats, sigma: float) -> Floats:
    """A picture (r, r[, 4]) blurred by ``sigma`` cells of the finer grid, nothing beyond it: (GRID, GRID[, 4])."""
    fine = cv2.resize(picture, (GRID * _FINER, GRID * _FINER), interpolation=cv2.INTER_AREA)
    wide = cv2.GaussianBlur(fine, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(cv2.resize(wide, (GRID, GRID), interpolation=cv2.INTER_AREA), np.float32)


def brighter(found: Shading, recoloured: Floats) -> Floats:
    """By how much the target is brighter than the face once that has its new colours, (GRID, GRID, 2) float32.

    Args:
        found: of the face and its target.
        recoloured: (GRID, GRID, 3) float32 0..1, the face's local means in their new colours.

    Returns:
        The logarithm of the ratio, and how much of the place is seen.
    """
    foot = np.float32(_FOOT)
    ratio = np.log((found[..., 3].astype(np.float32) + foot) / (recoloured @ _LUMA + foot))
    return np.stack([ratio, found[..., 4].astype(np.float32)], axis=2)


class Gains:
    """The logarithm of what each face's crop is multiplied by, told when it is asked for.

    Args:
        difference: of a face, see :func:`brighter`.
        yaw: (n,) degrees.
        runs: that the faces belong to, each of them to one.
        weights: who counts for whom over ``settings.steady`` seconds; a face of which it does not tell, for itself.
        settings: strength.
    """

    def __init__(
        self,
        difference: Callable[[int], Floats],
        yaw: NDArray[np.float64],
        runs: Sequence[Run],
        weights: Mapping[int, Sequence[tuple[int, float]]],
        settings: LightSettings,
    ) -> None:
        self._difference, self._weights, self._settings = difference, weights, settings
        self._missed = lru_cache(_KEPT)(self._missed_in)
        self._run_of = np.zeros(len(yaw), np.intp)
        self._albedo = []
        for number, run in enumerate(runs):
            self._run_of[run.rows] = number
            samples = np.stack([difference(row) for row in run.samples.tolist()])
            self._albedo.append(albedo(samples, yaw[run.samples]))

    def of(self, row: int) -> Floats:
        """Of a face, (GRID, GRID) float32."""
        near = self._weights.get(row, [(row, 1.0)])
        steady: Any = sum(weight * self._missed(other) for other, weight in near)
        return np.asarray(self._settings.strength * np.clip(steady, -_LARGEST, _LARGEST), np.float32)

    def _missed_in(self, row: int) -> NDArray[np.float64]:
        """What of the light a face lacks by itself, as far as that is seen."""
        difference = self._difference(row)
        ratio, seen = difference[..., 0], difference[..., 1]
        return np.asarray(seen / (seen + _DOUBT) * (ratio - self._albedo[self._run_of[row]]), np.float64)


def albedo(difference: Floats, yaw: NDArray[np.float64]) -> Floats:
    """What of a shot's mean difference (n, GRID, GRID, 2) is taken for the two people's own: (GRID, GRID) float32.

    The mean less its part that is not alike left and right, as far as the face was seen from before and both halves
    of it were seen.
    """
    before = np.clip(1.0 - (yaw / _TURNED) ** 2, 0.0, 1.0).astype(np.float32)[:, None, None]
    mean, _ = _mean(difference, np.ones_like(before))
    front, seen = _mean(difference, before)
    both = np.minimum(seen, seen[:, ::-1])
    return np.asarray(mean - 0.5 * both / (both + _DOUBT) * (front - front[:, ::-1]), np.float32)


def _mean(difference: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """The mean of what is seen, and how much of each place is, of a whole sample."""
    seen = weights * difference[..., 1]
    total = seen.sum(axis=0)
    mean = np.divide((seen * difference[..., 0]).sum(axis=0), total, out=np.zeros_like(total), where=total > 0)
    return mean, np.asarray(total / len(difference))


def relit(rgb: Floats, gain: Floats) -> Floats:
    """A crop (r, r, 3) float32 0..1 multiplied by the exponential of gains over it, (GRID, GRID), cut to 0..1."""
    size = rgb.shape[0]
    finer = np.asarray(cv2.resize(gain, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.clip(rgb * np.exp(finer)[..., None], 0.0, 1.0)
