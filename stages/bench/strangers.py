"""``python -m stages.bench.strangers``: embed performers who are neither source nor target (see docs/evaluation.md)."""

from __future__ import annotations

from typing import Final

import numpy as np
import typer
from numpy.typing import NDArray
from safetensors.numpy import save_file

from stages.artifacts.files import sha256_of
from stages.atomic import whole_file
from stages.bench.crowd import IDLE, Mark, Role, Scene, cast, shoot
from stages.evaluation.likeness import mean_direction
from stages.evaluation.strangers import TABLE
from stages.packs import Landmarker, Recogniser, five_points, open_pack
from stages.progress import progress
from stages.rendering.head import HeadBasis
from stages.rendering.landmarks import five_points as rendered_points

SEEDS: Final = range(4000, 4024)
"""Of performers whom no sample, base or test shows."""

VIEWS: Final = 3
WIDEST: Final = 15.0
"""Degrees of yaw to either side."""


def portrait(seed: int) -> Scene:
    """One performer, large in the picture, who looks about."""
    marks = (Mark(0.0, 0.0, -WIDEST), Mark(float(VIEWS - 1), 0.0, WIDEST))
    role = Role(str(seed), seed, 80.0, marks, below=6.0, acting=IDLE)
    return Scene(seed=seed, roles=(role,), frames=VIEWS, rate=1, width=320, height=320)


def embeddings(seeds: range, recogniser: Recogniser, landmarker: Landmarker) -> NDArray[np.float32]:
    """What stands for each performer: the mean embedding of all views, (n, d) float32 of length 1."""
    basis = HeadBasis.load()
    people = []
    for seed in progress(seeds, total=len(seeds), what="strangers", unit="performer"):
        scene = portrait(seed)
        views = []
        for shot in shoot(scene, cast(scene, basis)):
            (person,) = shot.people
            landmarks, _ = landmarker.refine(shot.rgb, rendered_points(person.landmarks)[None], passes=2)
            views.append(recogniser.embed(shot.rgb, five_points(landmarks))[0])
        people.append(mean_direction(np.stack(views)))
    return np.stack(people)


def main() -> None:
    """Write the table that evaluations retrieve among."""
    pack = open_pack()
    found = embeddings(SEEDS, Recogniser(pack, device="cpu"), Landmarker(pack, device="cpu"))
    about = {"recogniser": sha256_of(pack.files["recognition"]), "seeds": f"{SEEDS.start}..{SEEDS.stop - 1}"}
    with whole_file(TABLE) as path:
        save_file({"embeddings": found}, path, metadata=about)


if __name__ == "__main__":
    typer.run(main)
