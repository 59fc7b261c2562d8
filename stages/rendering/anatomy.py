"""Where the features of the template head lie: soft masks and curves that paint and hair are placed by.

Face frame: centimetres on the template head (`Head.rest` moved by `EYES`), x to the person's left, y up, z out of the
face; the origin lies midway between the eyeballs' centres. Every identity shares the template head's points, so what is
placed here follows each one's own features. The constants were read off the template head once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

Floats = NDArray[np.float32]

EYES = (0.0, 1.841, 10.40)
"""Midpoint of the eyeballs' centres of the template head, in head space."""

MOUTH_LINE = -6.76
"""Height of the closed mouth."""

# (x, y) of one side, from the middle of the face outward
UPPER_LIP = ((0.0, -6.08), (0.40, -5.97), (0.80, -5.88), (1.2, -5.98), (1.6, -6.15), (2.0, -6.40), (2.62, -6.78))
LOWER_LIP = ((0.0, -7.66), (0.60, -7.66), (1.00, -7.60), (1.5, -7.42), (2.0, -7.13), (2.4, -6.88), (2.62, -6.78))
UPPER_LID = (
    (1.60, -0.20),
    (2.00, 0.02),
    (2.35, 0.25),
    (2.8, 0.40),
    (3.4, 0.47),
    (3.9, 0.37),
    (4.25, 0.15),
    (4.42, -0.05),
)
LOWER_LID = ((1.60, -0.20), (2.00, -0.28), (2.6, -0.38), (3.2, -0.44), (3.8, -0.36), (4.2, -0.15), (4.42, -0.05))
LID_CREASE = ((1.75, 0.12), (2.20, 0.52), (2.8, 0.82), (3.4, 0.93), (4.0, 0.80), (4.5, 0.45), (4.9, 0.10))
BROW = ((1.35, 1.50), (2.00, 1.72), (2.8, 1.95), (3.6, 2.05), (4.4, 1.88), (5.1, 1.45))
NASOLABIAL = ((1.75, -3.60), (2.15, -4.30), (2.65, -5.10), (3.0, -5.90), (3.25, -6.70), (3.3, -7.3))
TEAR_TROUGH = ((1.75, -0.75), (2.20, -1.35), (2.9, -1.75), (3.7, -1.80), (4.4, -1.50))


def face_frame(rest: Floats) -> Floats:
    """Points (n, 3) of `Head.rest` in the face frame, (n, 3) float32 cm."""
    return (rest - np.asarray(EYES, np.float32)).astype(np.float32)


def smoothstep(low: float, high: float, value: NDArray[np.floating]) -> Floats:
    """0 below `low`, 1 above `high` (or the reverse if low > high), smooth between."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return np.asarray((t * t * (3.0 - 2.0 * t)).astype(np.float32), np.float32)


def blob(points: Floats, centre: Sequence[float], radii: Sequence[float]) -> Floats:
    """A Gaussian spot on both sides of the face.

    Args:
        points: (n, 3) face frame.
        centre: (x, y) or (x, y, z), x on the person's left; mirrored to the right.
        radii: standard deviations along the same axes, cm.

    Returns:
        (n,) float32, 1 at the centre.
    """
    mirrored = points * np.array([1, 1, 1], np.float32)
    mirrored[:, 0] = np.abs(mirrored[:, 0])
    k = len(centre)
    t = (mirrored[:, :k] - np.asarray(centre, np.float32)) / np.asarray(radii, np.float32)
    front = smoothstep(-4.0, -1.0, points[:, 2]) if k == 2 else np.float32(1.0)
    return np.asarray((np.exp(-0.5 * (t * t).sum(1)) * front).astype(np.float32), np.float32)


def height_on(curve: Sequence[tuple[float, float]], points: Floats) -> Floats:
    """Height y of a curve given by (x, y) knots at each point's |x|, (n,) float32; flat beyond its ends."""
    x, y = np.array(curve).T
    return _smooth(x, y, np.abs(points[:, 0]))


def distance_to(curve: Sequence[tuple[float, float]], points: Floats) -> tuple[Floats, Floats]:
    """Distance in the frontal plane to a mirrored polyline, and where along it (0..1) the nearest point is.

    Returns:
        (n,) float32 cm, (n,) float32.
    """
    knots = _resample(curve)
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
    return _to_polyline(np.ascontiguousarray(points, np.float32), knots, lengths / lengths[-1])


@numba.njit(cache=True, nogil=True)
def _to_polyline(points: Floats, knots: NDArray[np.float64], share: NDArray[np.float64]) -> tuple[Floats, Floats]:
    best = np.full(points.shape[0], np.inf, np.float32)
    along = np.zeros(points.shape[0], np.float32)
    for i in range(points.shape[0]):
        if points[i, 2] < -3.0:  # not on the front of the head
            continue
        x, y = abs(points[i, 0]), points[i, 1]
        for k in range(knots.shape[0] - 1):
            dx, dy = knots[k + 1, 0] - knots[k, 0], knots[k + 1, 1] - knots[k, 1]
            t = ((x - knots[k, 0]) * dx + (y - knots[k, 1]) * dy) / (dx * dx + dy * dy)
            t = min(max(t, 0.0), 1.0)
            d = np.hypot(x - knots[k, 0] - t * dx, y - knots[k, 1] - t * dy)
            if d < best[i]:
                best[i] = d
                along[i] = share[k] + t * (share[k + 1] - share[k])
    return best, along


def _resample(curve: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    x, y = np.array(curve).T
    dense = np.linspace(x[0], x[-1], 24)
    return np.stack([dense, _smooth(x, y, dense)], 1).astype(np.float64)


def _smooth(x: NDArray[np.floating], y: NDArray[np.floating], at: NDArray[np.floating]) -> Floats:
    """Monotone cubic through the knots, held flat beyond them."""
    return PchipInterpolator(x, y)(np.clip(at, x[0], x[-1])).astype(np.float32)


def lip_mask(points: Floats, softness: float = 0.07, fullness: float = 0.0) -> Floats:
    """1 on the vermilion of both lips and inside the mouth's edge, 0 on skin; (n,) float32.

    `fullness` moves the painted border outward, cm.
    """
    above = height_on(UPPER_LIP, points) + fullness - points[:, 1]
    below = points[:, 1] - height_on(LOWER_LIP, points) + fullness
    aside = (UPPER_LIP[-1][0] - np.abs(points[:, 0])) * 0.8
    inside = np.minimum(np.minimum(above, below), aside)
    return smoothstep(-softness, softness, inside) * smoothstep(-1.5, 0.0, points[:, 2])


def scalp_mask(points: Floats, hairline: float) -> Floats:
    """1 where scalp hair grows, 0 on the face, ears and neck; soft at the hairline.

    `hairline` 0 is low on the forehead, 1 well receded with deep temples.
    """
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    # front: an arc over the forehead that climbs with recession and dips at the temples
    middle = 6.0 + 1.9 * hairline
    temple = hairline * 3.2 * np.exp(-(((x - 4.3) / 1.6) ** 2))
    front = middle + temple - 0.055 * x * x
    # sides: down before the ear (sideburn), round it, and along the nape
    side = np.interp(
        z, [-16.0, -11.0, -8.6, -7.8, -6.2, -5.2, -4.4, -3.2], [-6.5, -6.5, -4.6, 0.2, 0.3, -1.8, -1.0, 3.0]
    )
    edge = np.where(z > -3.2, np.maximum(front, 3.0), np.minimum(side, np.maximum(front, 3.0)))
    return smoothstep(-0.45, 0.45, y - edge)


def ear_mask(points: Floats) -> Floats:
    """1 on the ears, (n,) float32."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    return smoothstep(6.9, 7.5, x) * smoothstep(1.6, 0.8, y) * smoothstep(-6.5, -5.5, y) * smoothstep(-12.0, -11.0, z)


def beard_mask(points: Floats) -> Floats:
    """1 over jaw, chin and the lower cheeks where a full beard grows, 0 on lips and upper cheeks."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    # upper edge: from the sideburn down across the cheek to the corner of the mouth
    edge = np.interp(x, [0.0, 2.4, 3.2, 5.0, 6.6, 7.2], [-7.75, -7.2, -6.2, -4.6, -2.2, -1.0])
    jaw = smoothstep(-0.5, 0.5, edge - y) * smoothstep(-12.9, -11.5, y + np.minimum(z + 4.0, 0.0) * -0.35)
    jaw = jaw * smoothstep(-8.0, -6.2, z)
    return np.asarray(np.maximum(jaw, moustache_mask(points)) * (1.0 - lip_mask(points, 0.1)), np.float32)


def moustache_mask(points: Floats) -> Floats:
    """1 between nose and upper lip, running down past the corners of the mouth."""
    x, y = np.abs(points[:, 0]), points[:, 1]
    upper = np.interp(x, [0.0, 0.3, 1.4, 2.4, 3.1], [-5.15, -5.0, -4.95, -5.7, -6.9])
    lower = np.interp(x, [0.0, 2.3, 2.6, 3.1], [-6.0, -6.5, -7.0, -7.2])
    band = np.minimum(upper - y, y - lower)
    philtrum = 1.0 - 0.6 * np.exp(-((x / 0.28) ** 2))
    mask = smoothstep(-0.12, 0.18, band) * smoothstep(3.2, 2.7, x) * philtrum * smoothstep(-2.5, -1.0, points[:, 2])
    return np.asarray(mask, np.float32)


def goatee_mask(points: Floats) -> Floats:
    """1 on the chin, below the lower lip and joined to the moustache round the mouth's corners."""
    x, y = np.abs(points[:, 0]), points[:, 1]
    chin = smoothstep(2.3, 1.6, x) * smoothstep(-8.2, -8.8, y)
    soul = smoothstep(0.8, 0.4, x) * smoothstep(-7.8, -8.0, y)
    ring = np.exp(-(((x - 2.75) / 0.45) ** 2)) * smoothstep(-9.3, -8.6, y) * smoothstep(-5.8, -6.6, y)
    return np.asarray(np.maximum(np.maximum(chin, soul), ring).astype(np.float32) * beard_reach(points), np.float32)


def beard_reach(points: Floats) -> Floats:
    """1 on the face, falling to 0 under the chin toward the throat."""
    return smoothstep(-5.5, -2.5, points[:, 2]) * smoothstep(-13.5, -12.0, points[:, 1])
