"""The canonical crop, and the similarity that takes a face to it.

The crop is a square of 24 cm about a mean face (MediaPipe's canonical face, 17.7 cm from the top of the forehead to
the chin) that is upright: all of the face lies in it with the forehead above the brows and the chin below an open
mouth, at 74% of its height. In unit-crop coordinates a face that looks straight ahead has the top of its forehead at
(0.50, 0.11) and its chin at (0.50, 0.85).

The face is not bent to look straight ahead. The template of a turned face is the canonical face turned alike, so that
the crop neither zooms when a head turns nor slides when it nods, as it would with a template from the front.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stages.geometry import Floats, umeyama
from stages.topology import RIGID

SIDE: Final = 24.0
"""Of the crop, in centimetres of the canonical face."""

MIDDLE: Final = (0.5, 0.48)
"""Where the middle of the face lies in the unit crop: there is more room below, for the jaw."""


def apparent_turn(landmarks: NDArray[np.floating], canonical: Floats) -> Floats:
    """How a face is turned as its picture shows it, once it is upright: (3, 3) rotation of the canonical face.

    Upright is a face whose own vertical axis is vertical in the picture. Scaled orthography: the 2x3 matrix that takes
    the canonical face nearest to the landmarks, made orthogonal (the "POS" step of DeMenthon and Davis 1995). Only the
    places count that no expression moves.

    Args:
        landmarks: (478, 2 or 3) in frame pixels.
        canonical: (468, 3), see :func:`stages.packs.canonical.read_canonical`.
    """
    model = canonical[list(RIGID)]
    seen = np.asarray(landmarks, np.float64)[list(RIGID), :2]
    matrix = np.linalg.lstsq(model - model.mean(axis=0), seen - seen.mean(axis=0), rcond=None)[0].T
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    rows = left @ right
    rotation = np.stack([rows[0], rows[1], np.cross(rows[0], rows[1])])
    roll = np.arctan2(-rotation[0, 1], rotation[1, 1])
    cosine, sine = np.cos(roll), np.sin(roll)
    return np.asarray(np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]]) @ rotation, np.float64)


def template(canonical: Floats, turn: Floats) -> Floats:
    """Where the places of a face turned by ``turn`` lie in the unit crop, (468, 2)."""
    return np.asarray((canonical @ turn.T)[:, :2] / SIDE + np.array(MIDDLE), np.float64)


def fit(landmarks: NDArray[np.floating], canonical: Floats) -> Floats:
    """The similarity that takes a face to the canonical crop, (2, 3) float64, frame pixels to the unit crop.

    Args:
        landmarks: (478, 2 or 3) in frame pixels.
        canonical: (468, 3).

    Raises:
        ValueError: the landmarks all lie in one place.
    """
    goal = template(canonical, apparent_turn(landmarks, canonical))
    return umeyama(np.asarray(landmarks)[list(RIGID), :2], goal[list(RIGID)])
