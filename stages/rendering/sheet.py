"""A sheet of synthetic performers: `python -m stages.rendering.sheet --identities 20 --out performers.png`.

Each identity is shown twice, looking near the camera and turned aside with another expression, in its own light; with
`--occluders`, each kind of what may come before a face once, every time before another identity's.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from stages.progress import progress
from stages.rendering.background import backdrop
from stages.rendering.camera import Camera
from stages.rendering.head import HeadBasis
from stages.rendering.identity import Identity
from stages.rendering.light import Light
from stages.rendering.mesh import U8
from stages.rendering.occluders.covering import KINDS, Covering, Kind
from stages.rendering.performance import Acting, perform, pose_at
from stages.rendering.render import Performer, Sensor

FOCAL = 2.3  # heights of the picture


def portraits(seed: int, basis: HeadBasis, size: int) -> U8:
    """One identity seen twice, (size, 2 size, 3) uint8."""
    performer = Performer(Identity.from_seed(seed), basis)
    light, wall = Light.from_seed(seed), backdrop(seed, size, size)
    track = perform(seed, 250, 25.0, Acting(yaw=12.0, pitch=6.0, roll=5.0))
    aside = float(np.random.Generator(np.random.PCG64(seed)).choice([-1.0, 1.0])) * 32.0
    calm, turned = pose_at(track, 5), pose_at(track, int(track["jaw"].to_numpy().argmax()))
    poses = (replace(calm, units={}), replace(turned, yaw=aside, gaze_yaw=-0.6 * aside))
    noise = np.random.Generator(np.random.PCG64([seed, 0]))
    camera = Camera(size, size, FOCAL * size)
    return np.concatenate([performer.render(pose, camera, light, wall, Sensor(), noise).rgb for pose in poses], 1)


def behind(kind: Kind, seed: int, basis: HeadBasis, size: int) -> U8:
    """One identity behind something, (size, size, 3) uint8."""
    performer = Performer(Identity.from_seed(seed), basis)
    covering = Covering.of([(kind, seed)], performer.identity, performer.head, 4.0)
    seconds = covering.carried[0].busy[0] if covering.carried else 1.0
    pose = pose_at(perform(seed, 125, 25.0, Acting(yaw=16.0)), round(25 * seconds))
    noise = np.random.Generator(np.random.PCG64([seed, 1]))
    camera, light, wall = Camera(size, size, FOCAL * size), Light.from_seed(seed), backdrop(seed, size, size)
    return performer.render(pose, camera, light, wall, Sensor(), noise, covering, seconds).rgb


def main() -> None:
    """Render the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--identities", type=int, default=20)
    parser.add_argument("--columns", type=int, default=4, help="identities in a row")
    parser.add_argument("--size", type=int, default=240, help="pixels along a side of a picture")
    parser.add_argument("--occluders", action="store_true", help="each kind of what may come before a face")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures/performers.png"))
    given = parser.parse_args()
    basis = HeadBasis.load()
    if given.occluders:
        kinds = progress(list(enumerate(KINDS, 5)), total=len(KINDS), what="sheet")
        tiles = [behind(kind, seed, basis, given.size) for seed, kind in kinds]
    else:
        seeds = range(given.identities)
        shown = progress(seeds, total=len(seeds), what="sheet", unit="identity")
        tiles = [portraits(seed, basis, given.size) for seed in shown]
    while len(tiles) % given.columns:
        tiles.append(np.zeros_like(tiles[0]))
    rows = [np.concatenate(tiles[k : k + given.columns], 1) for k in range(0, len(tiles), given.columns)]
    given.out.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(np.concatenate(rows, 0))
    picture.save(given.out, quality=90) if given.out.suffix in (".jpg", ".jpeg") else picture.save(given.out)


if __name__ == "__main__":
    main()
