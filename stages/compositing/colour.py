"""Colour transfer: the linear map that gives one face the colours of another (others: ``transport``).

Each method here is an affine map of a 3-vector, estimated from means and covariances inside the mask. Statistics, not
pictures, are smoothed over time (``steadiness``), so the map can not flicker with the frame's content.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Method = Literal["none", "mean-deviation", "covariance"]
Floats = NDArray[np.float32]

_FOOT = 0.05
"""Added before the logarithm, so that noise in the shadows does not count as contrast."""

_NOISE = 1e-5
"""Variance that is added to every channel (about one code value's): a flat face stays invertible."""

_TYPICAL = 2.5
"""How many robust standard deviations from the median luma still count as skin."""

_TELLING = 0.1
"""Share of a face that is enough to tell its skin by."""

WITHIN: Final = 1.5
"""How many deviations from the mean of skin, in all channels together, its map is known: half of skin lies within."""

HUE: Final = (4.0, 8.0)
"""From how many deviations on a colour is moved less in hue, and from how many not at all: lips lie between, brows
beyond."""

NEAR: Final = 0.74
"""Share of a map's gain by which skin is spread in the mean: the regression of three normal channels, whose length
together is cut at ``WITHIN``, on themselves."""

LARGEST_GAIN = 1.35
"""No direction of colour is stretched or shrunk by more. Skin's own variance says little about brows, lips and teeth,
which lie far from it: a larger gain turns black brows blue."""


@dataclass(frozen=True)
class Statistics:
    """Mean (3,) and covariance (3, 3) of colours, float64, in the space of the method."""

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]


def to_space(rgb: Floats, method: Method) -> Floats:
    """RGB (..., 3) float32 0..1 code values into the space in which the method works.

    mean-deviation: Lab (CIE 1976, D65; L 0..100), whose channels are nearly independent in natural pictures.
    covariance: the logarithm of RGB. A shift there is a gain in linear light, which is what other skin or other light
    is; a shift of code values would take as much from black brows as from skin, and turn them blue or red.
    """
    if method == "mean-deviation":
        return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), dtype=np.float32)
    return np.asarray(np.log(rgb + np.float32(_FOOT)), dtype=np.float32)


def from_space(values: Floats, method: Method) -> Floats:
    """Back to RGB float32, cut to 0..1."""
    if method == "mean-deviation":
        return np.clip(np.asarray(cv2.cvtColor(values, cv2.COLOR_LAB2RGB), dtype=np.float32), 0.0, 1.0)
    return np.clip(np.exp(values) - np.float32(_FOOT), 0.0, 1.0)


def statistics(rgb: Floats, mask: Floats, method: Method) -> Statistics:
    """Mean and covariance of the colours under a soft mask.

    Args:
        rgb: (h, w, 3) float32 0..1.
        mask: (h, w) float32 weights; a mask that is 0 all over counts as all ones.
    """
    weights = mask.reshape(-1).astype(np.float64)
    if weights.sum() <= 0:
        weights = np.ones_like(weights)
    weights /= weights.sum()
    colours = np.ascontiguousarray(to_space(rgb, method).reshape(-1, 3).T, dtype=np.float64)
    # summed by numpy: the last digits of what BLAS sums depend on how many threads it has, so on the machine
    mean = (weights * colours).sum(axis=1)
    centred = colours - mean[:, None]
    weighted = centred * weights
    return Statistics(mean, np.stack([(each * centred).sum(axis=1) for each in weighted]))


def typical(rgb: Floats, mask: Floats, beardless: NDArray[np.bool_] | None = None) -> Floats:
    """The part of a mask whose luma is near the median, which is skin: not hair over the brow, brows, teeth, nostrils.

    Statistics of all that lies in the mask would give a face the contrast of its own hair against its skin, which the
    other face may not have. Near means 2.5 standard deviations, estimated by the median absolute deviation. A full
    beard covers half of a face, and the median of all would be a beard's: it is told where none grows.

    Args:
        rgb: (h, w, 3) float32 0..1.
        mask: (h, w) float32 weights.
        beardless: (h, w), where no beard grows (see :func:`above_mouth`); all of the mask if None, or if less than a
            tenth of it lies there.

    Returns:
        (h, w) float32: the mask, 0 where the luma is far from the median.
    """
    inside = mask > 0.5
    if not inside.any():
        return mask
    told = inside if beardless is None else inside & beardless
    if told.sum() < _TELLING * inside.sum():
        told = inside
    luma = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), dtype=np.float32)
    away = np.abs(luma - np.median(luma[told]))
    deviation = 1.4826 * float(np.median(away[told])) + np.sqrt(_NOISE)
    return np.asarray(mask * (away <= _TYPICAL * deviation), dtype=np.float32)


def above_mouth(bridge: NDArray[np.floating], base: NDArray[np.floating], height: int, width: int) -> NDArray[np.bool_]:
    """Where a face is above the line through the base of its nose, at right angles to the nose: (h, w).

    Args:
        bridge, base: (2,), where the nose begins between the eyes, and where it ends above the lip, in pixels.
        height, width: of the picture.
    """
    down = np.asarray(base, np.float64) - bridge
    rows, columns = np.arange(height) + 0.5, np.arange(width) + 0.5
    return np.asarray((columns - base[0]) * down[0] + ((rows - base[1]) * down[1])[:, None] < 0.0)


def transfer(source: Statistics, target: Statistics, method: Method, strength: float) -> NDArray[np.float64]:
    """The affine map (3, 4) that gives colours with ``source`` statistics those of ``target``.

    mean-deviation scales each channel on its own (Reinhard et al. 2001). covariance is the Monge-Kantorovich map
    between two normal distributions, of all linear maps the one that moves colours least (Pitie and Kokaram 2007,
    "The linear Monge-Kantorovitch linear colour mapping", eq. 6). ``strength`` mixes it with the identity.
    """
    identity = np.eye(3, 4)
    if method == "none" or strength == 0.0:
        return identity
    noise = np.eye(3) * _NOISE
    if method == "mean-deviation":
        gain = np.sqrt(np.diag(target.covariance + noise) / np.diag(source.covariance + noise))
        linear = np.diag(np.clip(gain, 1 / LARGEST_GAIN, LARGEST_GAIN))
    else:
        linear = _monge_kantorovich(source.covariance + noise, target.covariance + noise)
    offset = target.mean - linear @ source.mean
    full = np.concatenate([linear, offset[:, None]], axis=1)
    return identity + strength * (full - identity)


def _monge_kantorovich(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """S^-1/2 (S^1/2 T S^1/2)^1/2 S^-1/2 for covariances S, T, its gains kept within bounds; symmetric (3, 3)."""
    root = _power(source, 0.5)
    inverse = _power(source, -0.5)
    linear = inverse @ _power(root @ target @ root, 0.5) @ inverse
    values, vectors = np.linalg.eigh((linear + linear.T) / 2)
    return np.asarray((vectors * np.clip(values, 1 / LARGEST_GAIN, LARGEST_GAIN)) @ vectors.T)


def _power(matrix: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """A power of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 1e-12) ** exponent) @ vectors.T)


def recoloured(
    rgb: Floats,
    mapping: NDArray[np.float64],
    method: Method,
    source: Statistics | None = None,
    cast: NDArray[np.float64] | None = None,
) -> Floats:
    """Colours (h, w, 3) float32 0..1 through an affine map of :func:`transfer`.

    Args:
        rgb, mapping, method: of it.
        source: the statistics that it was made from. They say nothing of colours far from them, of brows, lips,
            nostrils and highlights: what lies more than ``WITHIN`` deviations away in any direction is moved as far as
            what lies on the way there is, and stretched no further; and from ``HUE`` on it loses the hue of that, since
            what makes dark skin fair makes black brows blue and lips mauve. Without them, the map holds everywhere.
        cast: (3,) of which the sum is 0: the part of the hue that is the light's, in log RGB, which these colours have,
            too; None if none.
    """
    if method == "none":
        return rgb
    values = to_space(rgb, method)
    if source is None:
        return from_space(np.asarray(cv2.transform(values, mapping.astype(np.float32)), np.float32), method)
    linear = mapping[:, :3]
    away = values - source.mean.astype(np.float32)
    whitened = cv2.transform(away, _power(source.covariance + np.eye(3) * _NOISE, -0.5).astype(np.float32))
    distance = np.sqrt(np.einsum("...c,...c->...", whitened, whitened))
    near = away * np.minimum(np.float32(WITHIN) / np.maximum(distance, np.float32(WITHIN)), 1.0)[..., None]
    stretched = cv2.transform(near, (linear - np.eye(3)).astype(np.float32))
    shift = mapping[:, 3] + linear @ source.mean - source.mean
    moved = np.asarray(stretched + shift.astype(np.float32), np.float32)
    if method == "covariance":  # in Lab, hue is no part of what all channels share
        grey = moved.mean(axis=-1, keepdims=True)
        begins, ends = HUE
        least = grey if cast is None else grey + cast.astype(np.float32)
        share = np.clip((ends - distance) / (ends - begins), 0.0, 1.0)[..., None].astype(np.float32)
        moved = least + share * (moved - least)
    return from_space(np.asarray(values + moved, np.float32), method)
