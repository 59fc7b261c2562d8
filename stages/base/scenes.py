"""Scenes that a troupe of performers plays alike: the same pose, expression, gaze, light and camera, other faces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.alignment.canonical_crop import fit
from stages.alignment.smoothing import parameters_of, transforms_of
from stages.base.recipe import Recipe
from stages.dataset.masks import face_mask
from stages.dataset.settings import DatasetSettings
from stages.geometry import Floats, apply, crop
from stages.packs import Landmarker, open_pack
from stages.packs.canonical import read_canonical
from stages.rendering.background import backdrop
from stages.rendering.camera import Camera
from stages.rendering.head import HeadBasis
from stages.rendering.identity import Identity
from stages.rendering.landmarks import five_points
from stages.rendering.light import Light
from stages.rendering.performance import Acting, perform, pose_at
from stages.rendering.posing import Pose
from stages.rendering.render import Performer, Picture, Sensor
from stages.training.chart import PLACES
from stages.training.faces import as_planes

_RATE = 25
_SECONDS_A_SCENE = 1.2
"""Of the performance that a scene is drawn from: neighbours show other expressions."""

_BLINKS = 6.0
"""How much likelier a frame with lids half shut is drawn: blinks are short, and a swap that does not blink is seen."""

_SURE = 0.5
"""A scene counts if the landmarker is this sure of every face in it."""


class Played(NamedTuple):
    """Scenes of a troupe, or of several with one axis more before.

    ``planes`` (scenes, cast, 6, P, P) uint8 as :func:`stages.training.faces.as_planes` has; ``places`` (scenes, cast,
    468, 2) float32, landmarks in the unit crop.
    """

    planes: NDArray[np.uint8]
    places: NDArray[np.float32]


def identities(recipe: Recipe, troupe: int) -> list[int]:
    """The seeds of a troupe's performers."""
    first = recipe.first_identity + troupe * recipe.cast
    return list(range(first, first + recipe.cast))


def play(recipe: Recipe, troupe: int) -> Played:
    """All scenes of a troupe.

    All faces of a scene are cropped by one transform, the mean of their own: who plays then shows in the face alone.
    """
    planes, places = zip(*_scenes(recipe, troupe), strict=True)
    return Played(np.stack(planes), np.stack(places))


def _scenes(recipe: Recipe, troupe: int) -> Iterator[Played]:
    chance = np.random.default_rng([recipe.seed, troupe])
    basis, pack = HeadBasis.load(), open_pack()
    performers = [Performer(Identity.from_seed(seed), basis) for seed in identities(recipe, troupe)]
    landmarker = Landmarker(pack, device="cpu", threads=1)
    canonical = read_canonical(pack.files["canonical_face"])
    poses = _poses(recipe, troupe, chance)
    made = 0
    while made < recipe.scenes:
        pictures = _shoot(recipe, next(poses), performers, chance)
        meshes, sure = zip(*(_landmarks(picture, landmarker) for picture in pictures), strict=True)
        if min(sure) < _SURE:
            continue
        shared = transforms_of(
            parameters_of(np.stack([fit(points, canonical) for points in meshes])).mean(axis=0, keepdims=True)
        )[0]
        placed = [apply(shared, points[:, :2]).astype(np.float32) for points in meshes]
        planes = [
            _planes(picture.rgb, points, shared, recipe.stored_size)
            for picture, points in zip(pictures, placed, strict=True)
        ]
        yield Played(np.stack(planes), np.stack(placed)[:, :PLACES])
        made += 1


def _poses(recipe: Recipe, troupe: int, chance: np.random.Generator) -> Iterator[Pose]:
    """Poses of one long performance, far apart in time, blinks more often than they last."""
    acting = Acting(yaw=recipe.yaw, pitch=recipe.pitch, roll=recipe.roll, talking=1.2, smiling=0.9)
    frames = round(2 * recipe.scenes * _SECONDS_A_SCENE * _RATE)
    track = perform(recipe.seed * 100_003 + troupe, frames, _RATE, acting)
    weights = np.where(track["blink_left"].to_numpy() > 0.4, _BLINKS, 1.0)
    drawn = chance.choice(frames, size=min(2 * recipe.scenes, frames), replace=False, p=weights / weights.sum())
    for frame in drawn:
        yield pose_at(track, int(frame))


def _shoot(recipe: Recipe, pose: Pose, performers: list[Performer], chance: np.random.Generator) -> list[Picture]:
    """One pose by every performer, in one light and before one backdrop of chance."""
    size = recipe.frame_size
    wall, noise = (int(value) for value in chance.integers(0, 2**31, size=2))
    x, y, z = pose.position
    pose = replace(pose, position=(x, y, z * float(chance.uniform(0.97, 1.25))))
    sensor = Sensor(
        noise=float(chance.uniform(0.3, 2.0)),
        shot=float(chance.uniform(0.002, 0.015)),
        blur=float(chance.uniform(0.3, 0.8)),
        exposure=float(np.exp(chance.normal(0.0, 0.15))),
    )
    camera = Camera(size, size, 2.0 * size)
    lamps, behind = Light.by_chance(chance, recipe.hard), backdrop(wall, size, size)
    return [
        performer.render(pose, camera, lamps, behind, sensor, np.random.default_rng([noise, index]))
        for index, performer in enumerate(performers)
    ]


def _landmarks(picture: Picture, landmarker: Landmarker) -> tuple[NDArray[np.float32], float]:
    points, sure = landmarker.refine(picture.rgb, five_points(picture.landmarks)[None], passes=2)
    return points[0], float(sure[0])


def _planes(rgb: NDArray[np.uint8], placed: NDArray[np.float32], transform: Floats, size: int) -> NDArray[np.uint8]:
    return as_planes(crop(rgb, transform, size), face_mask(placed, size, DatasetSettings().forehead), placed, size)
