"""Steadies what is measured frame by frame, without lag and without flattening fast movements.

Every value is replaced by that of a parabola fitted to the frames around it, near ones counting more and unsure ones
less: local regression (Cleveland 1979) of degree 2 with Gaussian weights, which for equal weights is a
Savitzky-Golay filter. Constant, even and accelerating movements pass unchanged, jitter does not; at the ends the
parabola leans on the frames that there are.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stages.geometry import Floats, invert

DEGREE: Final = 2
LEAST_WEIGHT: Final = 1e-3


def smooth(values: NDArray[np.floating], sure: NDArray[np.floating], sigma: float) -> Floats:
    """Steady a run of frames.

    Args:
        values: (n, d), one row a frame, none left out.
        sure: (n,) how much each frame counts, 0..1.
        sigma: width of the window in frames; 0 leaves the values as they are.

    Returns:
        (n, d) float64.
    """
    exact = np.asarray(values, np.float64)
    if sigma <= 0.0 or len(exact) < 2:
        return exact.copy()
    reach = int(np.ceil(3.0 * sigma))
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2) * _around(np.maximum(sure, LEAST_WEIGHT), reach)
    powers = (offsets[:, None] / sigma) ** np.arange(DEGREE + 1)
    moments = np.einsum("no,oa,ob->nab", weights, powers, powers)
    kernel = weights * (np.linalg.pinv(moments, hermitian=True)[:, 0] @ powers.T)
    padded = np.pad(exact, ((reach, reach), (0, 0)))
    out = np.zeros_like(exact)
    for column in range(len(offsets)):
        out += kernel[:, column : column + 1] * padded[column : column + len(exact)]
    return out


def _around(values: NDArray[np.floating], reach: int) -> Floats:
    """Row i holds the values from i - reach to i + reach, zero beyond the ends: (n, 2 reach + 1)."""
    padded = np.pad(np.asarray(values, np.float64), reach)
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)


def bridged(values: NDArray[np.floating], sure: NDArray[np.floating], least: float) -> Floats:
    """Rows that are not sure enough, interpolated linearly between the nearest ones that are.

    Args:
        values: (n, d).
        sure: (n,) in 0..1.
        least: from here on a row is kept. If none reaches it, all are.
    """
    good = np.flatnonzero(np.asarray(sure) >= least)
    exact = np.asarray(values, np.float64)
    if good.size in (0, len(exact)):
        return exact.copy()
    place = np.interp(np.arange(len(exact)), good, np.arange(good.size))
    before = np.floor(place).astype(int)
    after = np.minimum(before + 1, good.size - 1)
    share = (place - before)[:, None]
    return np.asarray((1 - share) * exact[good[before]] + share * exact[good[after]])


def smooth_similarities(transforms: Floats, sure: NDArray[np.floating], sigma: float) -> Floats:
    """Steady a run of similarity transforms (n, 2, 3) by their centre, size and angle.

    These, the crop's centre and size in frame pixels, are what an eye sees move; the matrices' own numbers would mix
    a far-away origin into the shift.
    """
    inverses = np.stack([invert(transform) for transform in transforms])
    centres = inverses @ np.array([0.5, 0.5, 1.0])
    sizes = np.log(np.hypot(inverses[:, 0, 0], inverses[:, 1, 0]))
    angles = np.unwrap(np.arctan2(inverses[:, 1, 0], inverses[:, 0, 0]))
    steady = smooth(np.column_stack([centres, sizes, angles]), sure, sigma)
    return np.stack([_similarity(*row) for row in steady])


def _similarity(x: float, y: float, size: float, angle: float) -> Floats:
    """Frame pixels to a unit crop centred at (x, y), e^size pixels wide, turned by an angle."""
    cosine, sine = np.cos(angle) * np.exp(-size), np.sin(angle) * np.exp(-size)
    linear = np.array([[cosine, sine], [-sine, cosine]])
    return np.concatenate([linear, (0.5 - linear @ np.array([x, y]))[:, None]], axis=1)
