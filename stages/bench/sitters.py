"""What the two sets of landmarks mean differently, from performers who have no part in the scenes."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stages.bench.accuracy import convention, errors
from stages.bench.crowd import IDLE, Mark, Person, Role, Scene, cast, shoot
from stages.packs import Landmarker
from stages.progress import progress
from stages.rendering.head import HeadBasis
from stages.rendering.landmarks import five_points

SITTERS: Final = range(3000, 3012)
"""Seeds of performers."""

VIEWS: Final = 9
"""Of each, while the head turns from one side to the other."""

WIDEST: Final = 45.0
PASSES: Final = 2


def sitting(seed: int) -> Scene:
    """One performer, large in the picture, who talks and turns from side to side."""
    marks = (Mark(0.0, 0.0, -WIDEST), Mark(float(VIEWS - 1), 0.0, WIDEST))
    role = Role(str(seed), seed, 80.0, marks, below=6.0, acting=IDLE)
    return Scene(seed=seed, roles=(role,), frames=VIEWS, rate=1, width=320, height=320)


def convention_of(landmarker: Landmarker, seeds: range = SITTERS) -> NDArray[np.float64]:
    """The displacement of each landmark in head space, (51, 3) cm, see :func:`stages.bench.accuracy.convention`."""
    basis = HeadBasis.load()
    people: list[Person] = []
    landmarks: list[NDArray[np.float32]] = []
    for seed in progress(seeds, total=len(seeds), what="convention", unit="head"):
        scene = sitting(seed)
        for shot in shoot(scene, cast(scene, basis)):
            (person,) = shot.people
            found, _ = landmarker.refine(shot.rgb, five_points(person.landmarks)[None], passes=PASSES)
            people.append(person)
            landmarks.append(found[0])
    return convention(people, errors(people, landmarks))
