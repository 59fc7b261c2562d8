"""A hand with its forearm: bones wrapped in a smooth skin.

The skin is where a field of distances is zero: to the bones as tapered capsules, joined smoothly (Quilez, "Smooth
minimum", 2013), fingers among themselves sharply. Marching cubes (Lewiner et al. 2003, as scikit-image has it) make it
a mesh.

Hand space, cm: the wrist at the origin, fingers towards +y, the palm faces +z, the thumb is at +x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from skimage.measure import marching_cubes

from stages.rendering import noise, pigments
from stages.rendering.anatomy import smoothstep
from stages.rendering.identity import Identity
from stages.rendering.mesh import F32, F64, Part
from stages.rendering.occluders.prop import Finish, Prop

_STEP = 0.24  # cm, of the grid of distances
_ELBOW = -24.0  # where the forearm is cut off
# of index, middle, ring and little finger: where it begins (x, y), its length, its thickness, and how it spreads
_FINGERS = ((2.75, 9.0, 7.2, 0.80, 7.0), (0.85, 9.5, 8.0, 0.83, 1.0), (-1.1, 9.1, 7.4, 0.79, -5.0),
            (-2.9, 8.1, 5.9, 0.68, -12.0))  # fmt: skip
_BONES = (0.46, 0.30, 0.24)  # shares of a finger's length
_FAR = np.array([0.0, -60.0, -40.0], np.float32)  # into the face frame, far from all that a face has


@dataclass(frozen=True)
class Grip:
    """What a hand does. curl: degrees of each of a finger's three joints. spread: 0 fingers together, 1 apart. thumb:
    direction that the thumb points to, hand space."""

    curl: tuple[float, float, float] = (12.0, 14.0, 10.0)
    spread: float = 0.5
    thumb: tuple[float, float, float] = (0.72, 0.66, 0.22)


OPEN = Grip()
ROUND_THIN = Grip((62.0, 72.0, 48.0), 0.0, (0.25, 0.62, 0.78))
ROUND_WIDE = Grip((38.0, 46.0, 34.0), 0.25, (0.62, 0.50, 0.66))
FLAT = Grip((20.0, 34.0, 30.0), 0.15, (0.80, 0.52, 0.30))


def hand(identity: Identity, grip: Grip, rng: np.random.Generator) -> Prop:
    """A hand in hand space.

    Args:
        identity: whose skin it has.
        grip: what it does.
        rng: draws sizes and the sleeve.
    """
    size = rng.uniform(0.88, 1.02) + 0.06 * identity.masculinity
    bent = rng.normal(1.0, 0.12, (4, 3)) * np.array(grip.curl)
    capsules, fingers, tips = _skeleton(grip, bent, rng.uniform(0.9, 1.1))
    low, high = np.array([-7.5, _ELBOW, -4.5]), np.array([10.5, 18.5, 10.5])
    axes = [np.arange(a, b, _STEP, dtype=np.float32) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    flat = grid * np.array([1.0, 1.0, 1.25], np.float32)  # the wrist is wider than thick
    arm = _capsule(flat, np.array([0.0, -1.0, 0.0]), np.array([0.0, 1.5 * _ELBOW, 0.0]), 2.5, 4.4)
    palm = arm
    for a, b, r, s in capsules:
        palm = _smooth_minimum(palm, _capsule(grid, a, b, r, s), 1.1)
    digits = np.full(grid.shape[:3], 99.0, np.float32)
    for finger in fingers:
        one = np.full(grid.shape[:3], 99.0, np.float32)
        for a, b, r, s in finger:
            one = _smooth_minimum(one, _capsule(grid, a, b, r, s), 0.12)
        digits = np.minimum(digits, one)
    field = _smooth_minimum(palm, digits, 0.7)
    vertices, faces, _, _ = marching_cubes(  # type: ignore[no-untyped-call]
        field, 0.0, spacing=(_STEP, _STEP, _STEP), gradient_direction="descent"
    )
    points = (vertices + low).astype(np.float32)
    paint = _skin(identity, points, fingers, tips)
    cut = rng.uniform(-9.0, -3.5) if rng.random() < 0.6 else 2.0 * _ELBOW
    sleeve = points[:, 1] < cut
    cloth = Finish(tuple(rng.uniform(0.02, 0.5, 3)), 0.85, 0.3, grain=0.5)
    paint[sleeve] = cloth.row()
    points[sleeve, 0] *= 1.18
    points[sleeve, 2] *= 1.24
    return Prop.of(points * np.float32(size), faces, paint, Part.HAND).shaded_in()


Bone = tuple[F64, F64, float, float]


def _skeleton(grip: Grip, bent: F64, thumb_size: float) -> tuple[list[Bone], list[list[Bone]], F64]:
    """Capsules of the palm, of each finger, and the fingers' tips with the directions of their nails, (5, 2, 3)."""
    palm: list[Bone] = []
    fingers: list[list[Bone]] = []
    tips = []
    for (x, y, length, thick, aside), curl in zip(_FINGERS, bent, strict=True):
        base = np.array([x, y, 0.0])
        palm.append((np.array([0.45 * x, 0.6, 0.0]), base - [0.0, 0.6, 0.1], 1.25, 1.05))
        turn = np.radians(aside * grip.spread)
        heading, angle, at, bones = np.array([np.sin(turn), np.cos(turn), 0.0]), 0.0, base, []
        for number, share in enumerate(_BONES):
            angle += np.radians(curl[number])
            way = np.cos(angle) * heading + np.sin(angle) * np.array([0.0, 0.0, 1.0])
            end = at + share * length * way
            bones.append((at, end, thick * (1.0 - 0.09 * number), thick * (0.93 - 0.10 * number)))
            at = end
        fingers.append(bones)
        tips.append((at, np.sin(angle) * heading - np.cos(angle) * np.array([0.0, 0.0, 1.0])))
    way = np.array(grip.thumb) / np.linalg.norm(grip.thumb)
    root, knuckle = np.array([1.9, 1.4, 0.6]), np.array([3.6, 4.0, 1.0])
    palm.append((root, knuckle, 1.55, 1.25))
    middle = knuckle + 3.4 * thumb_size * way
    bend = way + np.array([-0.25, 0.25, 0.12])
    end = middle + 2.7 * thumb_size * bend / np.linalg.norm(bend)
    fingers.append([(knuckle, middle, 1.08, 0.88), (middle, end, 0.90, 0.72)])
    nail = np.cross(way, [0.0, 0.0, 1.0]) - np.array([0.0, 0.0, 0.6])
    tips.append((end, nail / np.linalg.norm(nail)))
    return palm, fingers, np.array(tips)


def _capsule(points: F32, a: F64, b: F64, first: float, last: float) -> F32:
    """Distance of points (..., 3) to a bone from a to b that is `first` thick at a and `last` at b."""
    a, b = a.astype(np.float32), b.astype(np.float32)
    along = b - a
    t = np.clip(((points - a) @ along) / float(along @ along), 0.0, 1.0)
    away = np.linalg.norm(points - a - t[..., None] * along, axis=-1)
    return np.asarray(away - (first + (last - first) * t), np.float32)


def _smooth_minimum(one: F32, other: F32, width: float) -> F32:
    share = np.maximum(width - np.abs(one - other), 0.0) / width
    return np.asarray(np.minimum(one, other) - 0.25 * width * share * share, np.float32)


def _skin(identity: Identity, points: F32, fingers: list[list[Bone]], tips: F64) -> F32:
    """`Prop.paint` of a hand: the identity's skin, redder at the knuckles and the fingers' ends, with nails."""
    bare = identity.model_copy(update={"moles": 0})
    albedo = pigments.colour(bare, points + _FAR).astype(np.float64)
    knuckles = np.array([bone[0] for finger in fingers for bone in finger])
    near = np.exp(-((((points[:, None] - knuckles[None]) ** 2).sum(2)).min(1)) / 1.3)
    ends = np.exp(-((((points[:, None] - tips[None, :, 0]) ** 2).sum(2)).min(1)) / 1.0)
    back = smoothstep(0.3, -0.6, points[:, 2])
    creases = noise.fractal(points * np.array([0.6, 2.2, 0.6], np.float32), 1.4, salt=31, octaves=3)
    flush = np.maximum(near * back, 0.8 * ends)[:, None]
    albedo *= 1.0 - flush * np.array([0.05, 0.22, 0.20]) - 0.10 * np.abs(creases)[:, None]
    # the palm has little melanin
    palm = (1.0 - back) * smoothstep(-2.0, 0.0, points[:, 1])
    pale = np.array([0.52, 0.33, 0.25])
    albedo += 0.45 * palm[:, None] * (np.maximum(albedo, pale) - albedo)
    paint = np.tile(Finish((0.0, 0.0, 0.0), 0.48, 0.9, scattering=1.0, grain=0.10).row(), (len(points), 1))
    away = points[:, None] - tips[None, :, 0]
    over = (away * tips[None, :, 1]).sum(2)
    nails = ((over > 0.32) & ((away**2).sum(2) < 0.95)).any(1)
    albedo[nails] = 0.5 * albedo[nails] + 0.5 * np.array([0.62, 0.42, 0.36])
    paint[nails, 3:5] = 0.25, 1.3
    paint[:, :3] = np.clip(albedo, 0.01, 0.9)
    return paint
