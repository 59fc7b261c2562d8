"""One-off: measure where alignment finds heads of many shapes, and write what it depends on as a linear model.

`python -m stages.rendering.build_placement` renders 160 performers, whose heads are set by their vertices only, in
seven views of a neutral face, and fits `data/performers/placement.safetensors` to the crops that alignment takes of
them. Some minutes on two cores. What a nudge of a head does to the crop is measured too, on some heads that are nudged.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
from collections.abc import Iterable
from concurrent.futures import Executor
from functools import cache
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from stages.alignment.canonical_crop import MIDDLE, apparent_turn, fit
from stages.geometry import apply, as_matrix, invert, scale_of
from stages.packs import Landmarker, open_pack
from stages.packs.canonical import read_canonical
from stages.progress import progress
from stages.rendering.background import backdrop
from stages.rendering.camera import Camera
from stages.rendering.head import HeadBasis
from stages.rendering.identity import Identity
from stages.rendering.landmarks import five_points
from stages.rendering.light import Light
from stages.rendering.mesh import F64
from stages.rendering.placement import FREEDOMS, PLACEMENT_FILE, Nudge
from stages.rendering.posing import Pose
from stages.rendering.render import Performer, Sensor
from stages.workers import workers

log = logging.getLogger(__name__)

PERFORMERS, OTHERS, NUDGED = range(1000, 1160), range(1160, 1184), range(1000, 1004)
"""Seeds of those who are measured, none of them a sample's, of those who only check, and of those who are nudged."""

SIZE, FOCAL, DISTANCE = 384, 2.0, 70.0
VIEWS = ((0, 0), (18, 0), (-18, 0), (0, 9), (0, -9), (10, -5), (-10, 5))
"""Yaw and pitch, degrees."""

STEPS = np.array([0.4, 0.4, 0.04, 4.0, 4.0, 4.0])
"""Nudges whose effect is measured, as in ``FREEDOMS``."""

STRENGTHS = np.geomspace(0.01, 1000.0, 26)
"""Of the ridge, cm squared; the one that predicts left-out performers best is taken, for each freedom its own."""


def main() -> None:
    """Render, measure, fit, write, and print how well it predicts performers that were left out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=PLACEMENT_FILE)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--check", action="store_true", help="only measure other performers with the file as it is")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with workers(given.processes) as pool:
        answers = pool.map(nudged, _nudges())
        effect = effect_of_nudges(list(progress(answers, total=len(_nudges()), what="nudges", unit="head")))
        if given.check:
            log.info("%s", _row("", FREEDOMS))
            for name, placement in (("by vertices", None), ("placed", given.out)):
                log.info("%s", _row(name, as_nudges(_all(pool, OTHERS, placement), effect).std(axis=0)))
            return
        seen = as_nudges(_all(pool, PERFORMERS, None), effect)
    shapes = np.stack([shape_of(seed) for seed in PERFORMERS])
    middle = shapes.mean(axis=0)
    weights, left = fit_ridge(shapes - middle, seen)
    save_file({"middle": middle, "weights": np.ascontiguousarray(weights)}, given.out)
    log.info("%s", _row("", FREEDOMS))
    log.info("%s", _row("found", seen.std(axis=0)))
    log.info("%s", _row("left over", left))
    log.info("%s %s", given.out, hashlib.sha256(given.out.read_bytes()).hexdigest())


def shape_of(seed: int) -> F64:
    """(204,): the 68 landmarks of a performer's neutral head that is set by its vertices only, head space, cm."""
    basis = _basis(None)
    return np.asarray(basis.shape(Identity.from_seed(seed))[0][basis.weld[basis.landmarks]].ravel(), np.float64)


def measured(seed: int, placement: Path | None = None, nudge: Nudge | None = None) -> F64:
    """Where alignment finds a performer's neutral head, the mean over all views, (6,).

    Middle of the crop in cm at the head's distance, logarithm of the crop's size, apparent yaw, pitch and roll in
    degrees; signs and zeros are nobody's business, since only differences of heads count.
    """
    landmarker, canonical = _alignment()
    performer = Performer(Identity.from_seed(seed), _basis(placement), nudge)
    camera, behind = Camera(SIZE, SIZE, FOCAL * SIZE), backdrop(0, SIZE, SIZE)
    rows = []
    for yaw, pitch in VIEWS:
        pose = Pose(yaw=float(yaw), pitch=float(pitch), position=(0.0, 0.0, DISTANCE))
        picture = performer.render(pose, camera, Light.from_seed(0), behind, Sensor(), np.random.default_rng(0))
        points = landmarker.refine(picture.rgb, five_points(picture.landmarks)[None], passes=3)[0][0]
        turn, crop = apparent_turn(points, canonical), fit(points, canonical)
        x, y = apply(invert(crop), np.array([MIDDLE]))[0] / (FOCAL * SIZE / DISTANCE)
        roll = np.arctan2(as_matrix(crop)[1, 0], as_matrix(crop)[0, 0])
        angles = np.degrees([np.arctan2(turn[0, 2], turn[2, 2]), np.arcsin(turn[2, 1]), roll])
        rows.append([x, y, -np.log(scale_of(crop)), *angles])
    return np.asarray(np.mean(rows, axis=0), np.float64)


def nudged(asked: tuple[int, int | None]) -> F64:
    """:func:`measured` for a performer with one freedom nudged by its step, or none."""
    seed, freedom = asked
    values = np.zeros(len(FREEDOMS))
    if freedom is not None:
        values[freedom] = STEPS[freedom]
    return measured(seed, None, Nudge(values))


def effect_of_nudges(found: list[F64]) -> F64:
    """(6, 6): what is measured for a unit of each nudge, from the answers to :func:`_nudges`."""
    table = np.stack(found).reshape(len(NUDGED), 1 + len(FREEDOMS), len(FREEDOMS))
    return np.asarray(((table[:, 1:] - table[:, :1]) / STEPS[:, None]).mean(axis=0).T, np.float64)


def as_nudges(found: F64, effect: F64) -> F64:
    """(n, 6): the nudges that heads seem to have been given, from what was measured, (n, 6); of zero mean."""
    return np.asarray(np.linalg.solve(effect, (found - found.mean(axis=0)).T).T, np.float64)


def fit_ridge(shapes: F64, seen: F64) -> tuple[F64, F64]:
    """Weights (6, 204) from centred shapes (n, 204) to nudges (n, 6), and what is left over of each, (6,).

    Ridge regression; the strength and the rest are by leaving one performer out (closed form by the hat matrix).
    """
    left, values, right = np.linalg.svd(shapes, full_matrices=False)
    weights, rest = [], []
    for column in seen.T:
        trials = []
        for strength in STRENGTHS:
            shrunk = values / (values**2 + strength)
            hat = (left * (shrunk * values)) @ left.T
            error = (column - hat @ column) / (1.0 - np.diag(hat))
            trials.append((float(error.std()), right.T @ (shrunk * (left.T @ column))))
        best = min(trials, key=lambda trial: trial[0])
        rest.append(best[0])
        weights.append(best[1])
    return np.stack(weights), np.array(rest)


def _nudges() -> list[tuple[int, int | None]]:
    return [(seed, freedom) for seed in NUDGED for freedom in (None, *range(len(FREEDOMS)))]


def _all(pool: Executor, seeds: range, placement: Path | None) -> F64:
    found = pool.map(measured, seeds, [placement] * len(seeds))
    return np.stack(list(progress(found, total=len(seeds), what="performers", unit="head")))


def _row(name: str, cells: Iterable[str | float]) -> str:
    return f"{name:>12}" + "".join(f"{cell:>12}" if isinstance(cell, str) else f"{cell:12.3f}" for cell in cells)


@cache
def _basis(placement: Path | None) -> HeadBasis:
    return HeadBasis.load(placement=placement)


@cache
def _alignment() -> tuple[Landmarker, F64]:
    pack = open_pack()
    return Landmarker(pack, device="cpu", threads=1), read_canonical(pack.files["canonical_face"])


if __name__ == "__main__":
    main()
