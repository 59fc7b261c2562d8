"""Steadies what is measured frame by frame, without lag and without flattening fast movements.

Every value is replaced by that of a parabola fitted to the frames around it, near ones counting more and unsure ones
less: local regression (Cleveland 1979) of degree 2 with Gaussian weights, which for equal weights is a
Savitzky-Golay filter. Constant, even and accelerating movements pass unchanged, jitter does not; at the ends the
parabola leans on the frames that there are. Frames in which the face is somewhere else count less, as in a bilateral
filter: landmarks are sharp enough to follow a fast head by themselves, and a cut that was not told as such is not
smoothed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stages.geometry import Floats, invert

DEGREE: Final = 2
LEAST_WEIGHT: Final = 1e-3
ROWS: Final = 1000
"""Frames that are steadied at a time."""

SAME_PLACE: Final = 0.02
"""Share of the crop's side by which a face may move between two frames that steady one another."""


def smooth(
    values: NDArray[np.floating], sure: NDArray[np.floating], places: NDArray[np.floating], sigma: float
) -> Floats:
    """Steady a run of frames.

    Args:
        values: (n, d), one row a frame, none left out.
        sure: (n,) how much each frame counts, 0..1.
        places: (n, k) where the face is; frames whose distance in it is 1 count 0.6 as much.
        sigma: width of the window in frames; 0 leaves the values as they are.

    Returns:
        (n, d) float64.
    """
    return np.concatenate(list(smooth_in_parts(values, sure, places, sigma)))


def smooth_in_parts(
    values: NDArray[np.floating],
    sure: NDArray[np.floating],
    places: NDArray[np.floating],
    sigma: float,
    rows: int = ROWS,
) -> Iterator[Floats]:
    """As :func:`smooth`, so many rows at a time: an hour of landmarks is not held in float64."""
    count = len(values)
    if sigma <= 0.0 or count < 2:
        for start in range(0, max(count, 1), rows):
            yield np.array(values[start : start + rows], np.float64)
        return
    reach = int(np.ceil(3.0 * sigma))
    offsets = np.arange(-reach, reach + 1)
    near = np.exp(-0.5 * (offsets / sigma) ** 2)
    counts = _around(np.maximum(sure, LEAST_WEIGHT)[:, None], reach)[:, :, 0]
    apart = _around(np.asarray(places, np.float64), reach) - np.asarray(places)[:, None, :]
    weights = near * counts * np.exp(-0.5 * (apart**2).sum(axis=2))
    powers = (offsets[:, None] / sigma) ** np.arange(DEGREE + 1)
    moments = np.einsum("no,oa,ob->nab", weights, powers, powers)
    kernel = weights * (np.linalg.pinv(moments, hermitian=True)[:, 0] @ powers.T)
    for start in range(0, count, rows):
        stop = min(start + rows, count)
        low, high = max(start - reach, 0), min(stop + reach, count)
        beyond = (reach - (start - low), reach - (high - stop))
        padded = np.pad(np.asarray(values[low:high], np.float64), (beyond, (0, 0)))
        out = np.zeros((stop - start, padded.shape[1]))
        for column in range(len(offsets)):
            out += kernel[start:stop, column : column + 1] * padded[column : column + len(out)]
        yield out


def _around(values: NDArray[np.floating], reach: int) -> Floats:
    """Row i holds the rows of (n, k) from i - reach to i + reach, zero beyond the ends: (n, 2 reach + 1, k)."""
    padded = np.pad(np.asarray(values, np.float64), ((reach, reach), (0, 0)))
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0).swapaxes(1, 2)


def bridged(values: NDArray[np.floating], sure: NDArray[np.floating], least: float) -> NDArray[np.floating]:
    """A copy of the rows, in their own type; the unsure ones interpolated linearly between the nearest sure ones.

    Args:
        values: (n, d).
        sure: (n,) in 0..1.
        least: from here on a row is kept. If none reaches it, all are.
    """
    good, bad = (np.flatnonzero(chosen) for chosen in (np.asarray(sure) >= least, np.asarray(sure) < least))
    out = np.array(values)
    if good.size and bad.size:
        place = np.interp(bad, good, np.arange(good.size))
        before = np.floor(place).astype(int)
        after = np.minimum(before + 1, good.size - 1)
        share = (place - before)[:, None]
        out[bad] = (1 - share) * values[good[before]] + share * values[good[after]]
    return out


def parameters_of(transforms: Floats) -> Floats:
    """Similarity transforms (n, 2, 3) as centre x, y and logarithm of the size, in frame pixels, and angle: (n, 4).

    These are what an eye sees move; the matrices' own numbers would mix a far-away origin into the shift.
    """
    inverses = np.stack([invert(transform) for transform in transforms])
    centres = inverses @ np.array([0.5, 0.5, 1.0])
    sizes = np.log(np.hypot(inverses[:, 0, 0], inverses[:, 1, 0]))
    angles = np.unwrap(np.arctan2(inverses[:, 1, 0], inverses[:, 0, 0]))
    return np.column_stack([centres, sizes, angles])


def places_of(parameters: Floats) -> Floats:
    """Where the crop is, (n, 4), in such units that a distance of 1 is :data:`SAME_PLACE` of its side."""
    side = np.exp(np.median(parameters[:, 2]))
    return parameters / (SAME_PLACE * np.array([side, side, 1.0, 1.0]))


def transforms_of(parameters: Floats) -> Floats:
    """The transforms (n, 2, 3) of :func:`parameters_of`."""
    return np.stack([_similarity(*row) for row in parameters])


def _similarity(x: float, y: float, size: float, angle: float) -> Floats:
    """Frame pixels to a unit crop centred at (x, y), e^size pixels wide, turned by an angle."""
    cosine, sine = np.cos(angle) * np.exp(-size), np.sin(angle) * np.exp(-size)
    linear = np.array([[cosine, sine], [-sine, cosine]])
    return np.concatenate([linear, (0.5 - linear @ np.array([x, y]))[:, None]], axis=1)
