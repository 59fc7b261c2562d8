"""How steady landmarks are on a face that keeps still, and how well they keep up with one that does not.

One performer, three clips: *still*, nothing but the sensor's noise changes; *turn*, the head turns from one side to the
other in 0.4 s, faster than people do in talk; *cut*, another camera takes over in the middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from stages.bench.accuracy import INNER, MESH_OF
from stages.bench.crowd import Mark, Person, Role, Scene

SIDE: Final = 256.0
"""Size of the crop in whose pixels jitter is told."""

_SITTER: Final = Role("sitter", 34, 72.0, (Mark(0.0, 0.0, 12.0),), below=5.0, acting=None)

STILL: Final = Scene(seed=11, frames=24, roles=(_SITTER,), width=512, height=384, focal=2.0)
TURN: Final = replace(
    STILL, seed=12, frames=26, roles=(replace(_SITTER, marks=(Mark(0.3, 0.0, -40.0), Mark(0.7, 0.0, 40.0))),)
)
CUT: Final = (
    replace(STILL, seed=12, frames=8, roles=(replace(_SITTER, marks=(Mark(0.0, -6.0, -20.0), Mark(1.0, 0.0, 15.0))),)),
    replace(STILL, seed=14, frames=8, roles=(replace(_SITTER, distance=95.0, marks=(Mark(0.0, 8.0, 20.0),)),)),
)
"""Two shots; the second begins where the first one ends."""

Floats = NDArray[np.float64]


def jitter(landmarks: Floats, side: float) -> float:
    """Root mean square of landmarks about their own means, over frames and axes, in pixels of a crop of ``SIDE``.

    Args:
        landmarks: (n, k, 2) of a face that keeps still, in frame pixels.
        side: of the face's canonical crop, in frame pixels.
    """
    return float(np.sqrt(((landmarks - landmarks.mean(axis=0)) ** 2).mean()) * SIDE / side)


def lag(landmarks: Floats, people: Sequence[Person]) -> float:
    """Frames by which landmarks come after the truth (before it, if negative).

    The truth's landmarks, as splines over time, are shifted until they and the landmarks found differ least; where each
    lies relative to the other on average, which is convention, does not count.

    Args:
        landmarks: (n, 478, 2 or 3) of a face that moves, in frame pixels.
        people: the truth, n.
    """
    true = np.stack([person.landmarks[INNER] for person in people]).astype(np.float64)
    found = np.asarray(landmarks, np.float64)[:, list(MESH_OF), :2]
    time = np.arange(len(true))
    curve = CubicSpline(time, true)
    inside = slice(3, len(true) - 3)
    shifts = np.arange(-2.0, 2.0, 0.02)
    costs = []
    for shift in shifts:
        rest = found[inside] - curve(time[inside] - shift)
        costs.append(float(((rest - rest.mean(axis=0)) ** 2).sum()))
    return float(shifts[int(np.argmin(costs))])


def across(whole: Floats, first: Floats, second: Floats) -> float:
    """Largest distance, in pixels, by which landmarks of two shots differ from those of each shot alone.

    Args:
        whole: (n + m, k, 2), the two shots as one clip.
        first, second: (n, k, 2) and (m, k, 2), each as a clip of its own.
    """
    return float(np.linalg.norm(whole - np.concatenate([first, second]), axis=2).max())
