"""``python -m stages.bench.strangers``: performers who are neither source nor target, for docs/evaluation.md."""

from __future__ import annotations

from typing import Final

import numpy as np
import typer
from numpy.typing import NDArray
from safetensors.numpy import save_file

from stages import geometry
from stages.artifacts.files import sha256_of
from stages.atomic import whole_file
from stages.bench.crowd import IDLE, Mark, Role, Scene, cast, shoot
from stages.evaluation.strangers import PICTURES, PLACE, TABLE, TILE, embedded, tiles_of
from stages.packs import Landmarker, Recogniser, five_points, open_pack
from stages.packs.recogniser import arcface_transform
from stages.picture_bytes import jpeg
from stages.progress import progress
from stages.rendering.head import HeadBasis
from stages.rendering.landmarks import five_points as rendered_points

SEEDS: Final = range(4000, 4024)
"""Of performers whom no sample, base or test shows."""

VIEWS: Final = 3
WIDEST: Final = 15.0
"""Degrees of yaw to either side."""

_EDGE: Final = (TILE - 112) / 2
_WIDER: Final = np.array([[112.0, 0.0, _EDGE], [0.0, 112.0, _EDGE]]) / TILE
"""From a recogniser's crop of 112 pixels to a tile, which has a little more around it: another one's may be wider."""


def portrait(seed: int) -> Scene:
    """One performer, large in the picture, who looks about."""
    marks = (Mark(0.0, 0.0, -WIDEST), Mark(float(VIEWS - 1), 0.0, WIDEST))
    role = Role(str(seed), seed, 80.0, marks, below=6.0, acting=IDLE)
    return Scene(seed=seed, roles=(role,), frames=VIEWS, rate=1, width=320, height=320)


def views_of(seeds: range, landmarker: Landmarker) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Tiles (n, VIEWS, TILE, TILE, 3) uint8 RGB of all performers, and the five points in each, (n, VIEWS, 5, 2)."""
    basis = HeadBasis.load()
    tiles = np.zeros((len(seeds), VIEWS, TILE, TILE, 3), np.uint8)
    points = np.zeros((len(seeds), VIEWS, 5, 2), np.float32)
    for number, seed in enumerate(progress(seeds, total=len(seeds), what="strangers", unit="performer")):
        scene = portrait(seed)
        for view, shot in enumerate(shoot(scene, cast(scene, basis))):
            (person,) = shot.people
            landmarks, _ = landmarker.refine(shot.rgb, rendered_points(person.landmarks)[None], passes=2)
            (five,) = five_points(landmarks)
            around = geometry.compose(arcface_transform(five, 112), _WIDER)
            tiles[number, view] = geometry.crop(shot.rgb, around, TILE)
            points[number, view] = geometry.apply(geometry.compose(around, geometry.to_pixels(TILE)), five)
    return tiles, points


def main() -> None:
    """Write the pictures that evaluations retrieve among, and how the open pack's recogniser sees them."""
    pack = open_pack()
    tiles, points = views_of(SEEDS, Landmarker(pack, device="cpu"))
    sheet = tiles.transpose(0, 2, 1, 3, 4).reshape(len(SEEDS) * TILE, VIEWS * TILE, 3)
    with whole_file(PLACE / PICTURES) as path:
        path.write_bytes(jpeg(np.ascontiguousarray(sheet), PLACE / PICTURES, quality=94))
    found = embedded(tiles_of(PLACE / PICTURES, tiles.shape[:2]), points, Recogniser(pack, device="cpu"))
    about = {"recogniser": sha256_of(pack.files["recognition"]), "seeds": f"{SEEDS.start}..{SEEDS.stop - 1}"}
    with whole_file(PLACE / TABLE) as path:
        save_file({"embeddings": found, "points": points}, path, metadata=about)


if __name__ == "__main__":
    typer.run(main)
