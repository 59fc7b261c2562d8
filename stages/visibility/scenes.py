"""Performers bare and behind things, as aligned crops with what is visible of the face."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from stages import geometry
from stages.alignment.canonical_crop import fit
from stages.fidelity import FACE_PARTS
from stages.packs import Landmarker, open_pack
from stages.packs.canonical import read_canonical
from stages.rendering.background import backdrop
from stages.rendering.camera import Camera
from stages.rendering.expressions import units_of
from stages.rendering.head import HeadBasis
from stages.rendering.identity import Identity
from stages.rendering.landmarks import five_points
from stages.rendering.light import Light
from stages.rendering.mesh import COVERS, Part
from stages.rendering.occluders.covering import Covering, Kind
from stages.rendering.performance import Acting, perform, pose_at
from stages.rendering.render import Performer, Picture, Sensor
from stages.visibility.recipe import Recipe

FACE = tuple(part for part in Part if part.name.lower() in FACE_PARTS)
BEFORE = (*COVERS, Part.HAIR)
"""What covers a face: things, and hair that hangs over it."""

_ANEW: Final = frozenset({"glasses", "fringe"})
"""What is made anew for each pose. What a hand carries is seen from elsewhere in each, and takes as long to make as six
pictures."""

_ACTING: Final = Acting(yaw=42.0, pitch=18.0, roll=12.0)

_GRIMACES: Final = ("smile", "lips", "jaw", "stretch", "squint", "sneer", "brows_up", "brows_down", "wide", "frown")
"""Channels that are strong in a grimace, three of them at a time."""

_HARD, _HOT = 0.6, 2.0
"""Of grimaces, the share in hard light, and by how much at most they are exposed longer."""

_RATE = 25
_LONG = 40.0  # seconds of the way of a hand, from which moments are drawn
_SURE = 0.5  # a pose counts if the landmarker is this sure of the bare face


class Seen(NamedTuple):
    """Crops of one performer, pose by pose: the bare face, then behind each covering of :func:`coverings`.

    ``rgb`` (poses, 1 + c, S, S, 3), ``face``, ``cover`` (poses, 1 + c, S, S) uint8: the share of each pixel that shows
    face, and that shows something before it; ``hull`` (poses, S, S) uint8, 255 inside of the landmarks' hull.
    """

    rgb: NDArray[np.uint8]
    face: NDArray[np.uint8]
    cover: NDArray[np.uint8]
    hull: NDArray[np.uint8]


def coverings(recipe: Recipe, number: int) -> tuple[tuple[Kind, ...], ...]:
    """What the faces of performer ``number`` are seen behind; only held-out ones have what training must not see."""
    one_each = tuple((kind,) for kind in recipe.kinds)
    if number < recipe.performers:
        return one_each
    return one_each + tuple((kind,) for kind in recipe.unseen)


def play(recipe: Recipe, number: int, sitter: Sitter | None = None) -> Seen:
    """Crops of performer ``number``, who is made anew if not given."""
    rows = list(_poses(recipe, number, sitter or Sitter(recipe, number)))
    return Seen(*(np.stack([row[k] for row in rows]) for k in range(4)))


def grimace(recipe: Recipe, number: int, sitter: Sitter | None = None) -> Seen:
    """Further crops of performer ``number``, all bare: broad smiles, teeth, knitted brows, in lights that burn out.

    What speech does to a face is little of what faces do, and a row of teeth that was never shown is a thing.
    """
    rows = list(_grimaces(recipe, number, sitter or Sitter(recipe, number)))
    return Seen(*(np.stack([row[k] for row in rows]) for k in range(4)))


class Sitter:
    """A performer, and what finds and cuts out the face."""

    def __init__(self, recipe: Recipe, number: int) -> None:
        pack = open_pack()
        self.performer = Performer(Identity.from_seed(recipe.first_identity + number), HeadBasis.load())
        self.canonical = read_canonical(pack.files["canonical_face"])
        self._landmarker = Landmarker(pack, device="cpu", threads=1)

    def found(self, picture: Picture) -> NDArray[np.float32] | None:
        """The landmarks of a bare face, None if the landmarker is not sure of it."""
        points, sure = self._landmarker.refine(picture.rgb, five_points(picture.landmarks)[None], passes=2)
        return None if float(sure[0]) < _SURE else np.asarray(points[0], np.float32)

    def crops(
        self, pictures: list[Picture], points: NDArray[np.float32], recipe: Recipe
    ) -> tuple[NDArray[np.uint8], ...]:
        """A row of :class:`Seen`."""
        return _crops(pictures, points, fit(points, self.canonical), recipe)


class _Setting(NamedTuple):
    camera: Camera
    light: Light
    behind: NDArray[np.float32]
    sensor: Sensor


def _setting(recipe: Recipe, hard: float, hot: float, chance: np.random.Generator) -> _Setting:
    size = recipe.frame_size
    camera = Camera(size, size, 2.0 * size, tuple(chance.normal(0.0, 0.02 * size, 2).tolist()))
    light, behind = Light.by_chance(chance, hard), backdrop(int(chance.integers(2**31)), size, size)
    sensor = _sensor(chance)
    if hot:
        sensor = replace(sensor, exposure=sensor.exposure * float(chance.uniform(1.0, hot)))
    return _Setting(camera, light, behind, sensor)


def _grimaces(recipe: Recipe, number: int, sitter: Sitter) -> Iterator[tuple[NDArray[np.uint8], ...]]:
    chance, made = np.random.default_rng([recipe.seed, number, 1]), 0
    track = perform(int(chance.integers(2**31)), 200 * recipe.poses, _RATE, _ACTING)
    while made < recipe.grimaces:
        pose = pose_at(track, int(chance.integers(len(track))))
        units = {unit: max(amount, pose.units.get(unit, 0.0)) for unit, amount in units_of(_drawn(chance)).items()}
        pose = replace(pose, units=pose.units | units)
        setting = _setting(recipe, _HARD, _HOT, chance)
        picture = sitter.performer.render(pose, *setting, chance)
        points = sitter.found(picture)
        if points is not None:
            yield sitter.crops([picture], points, recipe)
            made += 1


def _drawn(chance: np.random.Generator) -> dict[str, float]:
    """Channels of a grimace; every second one is a smile that shows teeth."""
    if chance.random() < 0.5:
        return {
            "smile": float(chance.uniform(0.6, 1.0)),
            "lips": float(chance.uniform(0.4, 1.0)),
            "jaw": float(chance.uniform(0.0, 0.3)),
            "squint": float(chance.uniform(0.0, 0.6)),
            "brows_up": float(chance.uniform(0.0, 0.8)),
        }
    return {str(each): float(chance.uniform(0.4, 1.0)) for each in chance.choice(_GRIMACES, 3, replace=False)}


def _poses(recipe: Recipe, number: int, sitter: Sitter) -> Iterator[tuple[NDArray[np.uint8], ...]]:
    chance, performer = np.random.default_rng([recipe.seed, number]), sitter.performer
    all_kinds = coverings(recipe, number)
    carried = {
        place: _covering(kinds, recipe, performer, chance)
        for place, kinds in enumerate(all_kinds)
        if not _ANEW.issuperset(kinds)
    }
    track = perform(int(chance.integers(2**31)), 200 * recipe.poses, _RATE, _ACTING)
    made = 0
    while made < recipe.poses:
        pose = pose_at(track, int(chance.integers(len(track))))
        setting = _setting(recipe, recipe.hard, 0.0, chance)
        pictures = [performer.render(pose, *setting, chance)]
        points = sitter.found(pictures[0])
        if points is None:
            continue
        for place, kinds in enumerate(all_kinds):
            covering = carried.get(place) or _covering(kinds, recipe, performer, chance)
            busy = [time for thing in covering.carried for time in thing.busy] or [float(chance.uniform(0.0, _LONG))]
            # also on its way, where it is half out of the picture and faces are only touched by it
            seconds = float(chance.choice(busy) + chance.normal(0.0, 0.12))
            pictures.append(performer.render(pose, *setting, chance, covering, seconds))
        yield sitter.crops(pictures, points, recipe)
        made += 1


def _covering(kinds: tuple[Kind, ...], recipe: Recipe, performer: Performer, chance: np.random.Generator) -> Covering:
    seeds = chance.integers(2**31, size=len(kinds)).tolist()
    # a hand before a face is mostly the person's own
    stranger = Identity.from_seed(int(chance.integers(100_000, 200_000)))
    whose = performer.identity if chance.random() < 0.6 else stranger
    return Covering.of(list(zip(kinds, seeds, strict=True)), whose, performer.head, _LONG)


def _sensor(chance: np.random.Generator) -> Sensor:
    dim = chance.random() < 0.25
    return Sensor(
        noise=float(chance.uniform(0.3, 5.0 if dim else 2.0)),
        shot=float(chance.uniform(0.002, 0.04 if dim else 0.015)),
        blur=float(chance.choice([0.35, 0.6, 1.0, 1.8])),
        exposure=float(np.exp(chance.normal(0.0, 0.2)) * (0.5 if dim else 1.0)),
    )


def _crops(
    pictures: list[Picture], points: NDArray[np.float32], transform: geometry.Floats, recipe: Recipe
) -> tuple[NDArray[np.uint8], ...]:
    size, reach = recipe.stored_size, recipe.stored_reach
    shrink = np.array([[1.0, 0.0, 0.5 * (reach - 1.0)], [0.0, 1.0, 0.5 * (reach - 1.0)]]) / reach
    wider = geometry.compose(transform, shrink)
    to_crop = geometry.compose(wider, geometry.to_pixels(size))
    rgb = np.stack([geometry.warp(picture.rgb, to_crop, size, size) for picture in pictures])
    face, cover = (
        np.stack([_share(np.isin(picture.parts, labels), to_crop, size) for picture in pictures])
        for labels in (FACE, BEFORE)
    )
    hull = np.zeros((size, size), np.uint8)
    corners = cv2.convexHull(geometry.apply(to_crop, points[:, :2]).astype(np.float32) - np.float32(0.5))[:, 0]
    cv2.fillConvexPoly(hull, np.round(corners * 16).astype(np.int32), 255, shift=4)
    return rgb, face, cover, hull


def _share(mask: NDArray[np.bool_], to_crop: geometry.Floats, size: int) -> NDArray[np.uint8]:
    moved = geometry.warp(255.0 * mask.astype(np.float32), to_crop, size, size, edge="zero")
    return np.asarray(np.clip(np.rint(moved), 0, 255), np.uint8)
