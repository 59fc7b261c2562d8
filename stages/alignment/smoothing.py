"""Steadies what is measured frame by frame, without lag and without flattening fast movements.

Every value is replaced by that of a parabola fitted to the frames around it, near ones counting more and unsure ones
less: local regression (Cleveland 1979) of degree 2 with Gaussian weights, which for equal weights is a
Savitzky-Golay filter. Constant, even and accelerating movements pass unchanged, jitter does not; at the ends the
parabola leans on the frames that there are. Frames in which the face is somewhere else count less, as in a bilateral
filter: landmarks are sharp enough to follow a fast head by themselves, and a cut that was not told as such is not
smoothed over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

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
    starts = range(0, max(len(values), 1), ROWS)
    windows = (Window.of(len(values), start, start + ROWS, sigma) for start in starts)
    return np.concatenate([smooth_window(values[each.leant], each, sure, places, sigma) for each in windows])


@dataclass(frozen=True)
class Window:
    """Frames of a run that are steadied together, ``start`` to before ``stop``, and those that they lean on, ``first``
    to before ``last``."""

    start: int
    stop: int
    first: int
    last: int

    @classmethod
    def of(cls, count: int, start: int, stop: int, sigma: float) -> Self:
        """Of a run of ``count`` frames, beyond which it does not go."""
        reach, stop = reach_of(sigma), min(stop, count)
        return cls(start, stop, max(start - reach, 0), min(stop + reach, count))

    @property
    def leant(self) -> slice:
        """The frames that they lean on, themselves among them."""
        return slice(self.first, self.last)


def reach_of(sigma: float) -> int:
    """Frames on either side that count."""
    return int(np.ceil(3.0 * sigma)) if sigma > 0.0 else 0


def smooth_window(
    values: NDArray[np.floating],
    window: Window,
    sure: NDArray[np.floating],
    places: NDArray[np.floating],
    sigma: float,
) -> Floats:
    """As :func:`smooth`, some frames of the run: an hour of landmarks is in memory at no time.

    Args:
        values: (last - first, d) of the frames that the window leans on.
        window: which they are.
        sure, places, sigma: as there, of the whole run.

    Returns:
        (stop - start, d) float64.
    """
    count = window.stop - window.start
    inside = slice(window.start - window.first, window.stop - window.first)
    if sigma <= 0.0 or len(sure) < 2:
        return np.array(values[inside], np.float64)
    sure, places = sure[window.leant], places[window.leant]
    reach = reach_of(sigma)
    beyond = (reach - (window.start - window.first), reach - (window.last - window.stop))
    offsets = np.arange(-reach, reach + 1)
    near = np.exp(-0.5 * (offsets / sigma) ** 2)
    counts = _around(np.maximum(sure, LEAST_WEIGHT)[:, None], reach, beyond)[:, :, 0]
    apart = _around(places, reach, beyond) - np.asarray(places)[inside, None, :]
    weights = near * counts * np.exp(-0.5 * (apart**2).sum(axis=2))
    powers = (offsets[:, None] / sigma) ** np.arange(DEGREE + 1)
    moments = np.einsum("no,oa,ob->nab", weights, powers, powers)
    kernel = weights * (np.linalg.pinv(moments, hermitian=True)[:, 0] @ powers.T)
    padded = np.pad(np.asarray(values, np.float64), (beyond, (0, 0)))
    out = np.zeros((count, padded.shape[1]))
    for column in range(len(offsets)):
        out += kernel[:, column : column + 1] * padded[column : column + count]
    return out


def _around(values: NDArray[np.floating], reach: int, beyond: tuple[int, int]) -> Floats:
    """Row i holds the rows i to i + 2 reach of (n, k) between so many zeros: (m, 2 reach + 1, k)."""
    padded = np.pad(np.asarray(values, np.float64), (beyond, (0, 0)))
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0).swapaxes(1, 2)


@dataclass(frozen=True)
class Bridges:
    """How unsure frames of a run are put between the nearest sure ones, in a straight line.

    Attributes:
        before, after: (n,) the sure frames that each frame is between; of a sure one, itself.
        share: (n,) float64 of the way from the one to the other.
    """

    before: NDArray[np.intp]
    after: NDArray[np.intp]
    share: NDArray[np.float64]

    @classmethod
    def over(cls, sure: NDArray[np.floating], least: float) -> Self:
        """Over the frames that are less sure than ``least``; if none reaches it, each stays what it is.

        Args:
            sure: (n,) in 0..1.
            least: from here on a frame is kept.
        """
        good, bad = (np.flatnonzero(chosen) for chosen in (np.asarray(sure) >= least, np.asarray(sure) < least))
        before, after = np.arange(len(sure)), np.arange(len(sure))
        share = np.zeros(len(sure))
        if good.size and bad.size:
            place = np.interp(bad, good, np.arange(good.size))
            low = np.floor(place).astype(int)
            before[bad], after[bad] = good[low], good[np.minimum(low + 1, good.size - 1)]
            share[bad] = place - low
        return cls(before, after, share)

    def crossed(self, rows: slice, values: Callable[[NDArray[np.intp]], NDArray[np.floating]]) -> NDArray[np.floating]:
        """Some frames of the run, in the type of ``values``, which gives those (n, d) of the frames it is asked for."""
        before, after, share = self.before[rows], self.after[rows], self.share[rows]
        out = np.array(values(before))
        between = share > 0.0
        if between.any():
            part = share[between, None]
            out[between] = (1 - part) * out[between] + part * values(after[between])
        return out


def parameters_of(transforms: Floats) -> Floats:
    """Similarity transforms (n, 2, 3) as centre x, y and logarithm of the size, in square pixels, and angle: (n, 4).

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
    """Square pixels to a unit crop centred at (x, y), e^size pixels wide, turned by an angle."""
    cosine, sine = np.cos(angle) * np.exp(-size), np.sin(angle) * np.exp(-size)
    linear = np.array([[cosine, sine], [-sine, cosine]])
    return np.concatenate([linear, (0.5 - linear @ np.array([x, y]))[:, None]], axis=1)
