"""How far landmarks lie from the truth, and how much of that is convention.

The project's 478 landmarks are those of MediaPipe's face mesh, the truth's 68 are iBUG's (Sagonas et al. 2013) as
vertices of the performers' mesh. :data:`MESH_OF` names the place of the first for each of the second. Two people who
mark "the bridge of the nose" do not mark the same place, though, and neither do these two: part of the distance is no
error of the network but a difference of what is meant. Such a difference is **one displacement in head space for each
landmark**, the same for all people, poses and expressions. :func:`convention` fits it by least squares; the bench does
so to performers who have no part in what is measured (:mod:`stages.bench.sitters`). What varies with the person, the
pose or the expression is error and stays.

The 17 points of the jaw do not count, as in 300-W's inner measure of 51 points: a mesh's jaw slides to the silhouette,
the truth's stays on the skin, and that difference is no fixed displacement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stages.bench.crowd import Person

Floats = NDArray[np.float64]

INNER: Final = slice(17, 68)
"""iBUG's landmarks without the jaw."""

MESH_OF: Final = (
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
    168, 197, 5, 4, 75, 97, 2, 326, 305,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,
    78, 82, 13, 312, 308, 317, 14, 87,
)  # fmt: skip
"""The face mesh's landmarks at iBUG's 17 to 67: brows, nose, eyes, outer lips, inner lips."""


def errors(people: Sequence[Person], found: Sequence[NDArray[np.floating]]) -> Floats:
    """Distances of landmarks from the truth as vectors, (n, 51, 2), in pixels.

    Args:
        people: n truths.
        found: of each, (478, 2 or 3) in frame pixels.
    """
    here = np.stack([np.asarray(points, np.float64)[list(MESH_OF), :2] for points in found])
    return here - np.stack([person.landmarks[INNER] for person in people])


def convention(people: Sequence[Person], vectors: Floats) -> Floats:
    """The displacement of each landmark in head space, (51, 3) cm, that explains errors (n, 51, 2) best.

    A displacement d shows in a picture as ``scale * (rotation @ d)[:2]``: scaled orthography, which is exact enough for
    millimetres on a head.
    """
    seen = np.concatenate([person.scale * person.rotation[:2] for person in people])  # (2n, 3)
    flat = vectors.transpose(0, 2, 1).reshape(-1, vectors.shape[1])  # (2n, 51)
    return np.asarray(np.linalg.lstsq(seen, flat, rcond=None)[0].T, np.float64)


def shown(people: Sequence[Person], displacements: Floats) -> Floats:
    """Displacements in head space (51, 3) cm as each person's picture shows them, (n, 51, 2) pixels."""
    return np.stack([person.scale * displacements @ person.rotation[:2].T for person in people])


def normalised(people: Sequence[Person], vectors: Floats) -> Floats:
    """Mean distance of each face's landmarks in distances between its outer eye corners, (n,); 0.03 is 3 %.

    The distance is the one in space (see :class:`stages.bench.crowd.Person`), which turning does not shorten.
    """
    eyes = np.array([person.eyes for person in people])
    return np.asarray(np.linalg.norm(vectors, axis=2).mean(axis=1) / eyes, np.float64)
