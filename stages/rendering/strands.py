"""Growing strands over a head: roots on the skin, paths that are combed, fall, curl and never enter the head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from stages.rendering import anatomy
from stages.rendering.mesh import Head, Part

Floats = NDArray[np.float64]
Field = Callable[[Floats, Floats], Floats]
"""Direction to comb to, (n, 3), at points (n, 3) with outward normals (n, 3), all in the face frame of the head."""


@dataclass(frozen=True)
class Strands:
    """Polylines of hair on one head.

    paths: (n, k, 3) float64 cm, head space, root first.
    outward: (n, k, 3) float64 unit, away from the head's surface, the way a ribbon faces.
    width: (n,) cm at the thickest point.
    tone: (n,) 0..1, each strand's own random value for its colour.
    shade: (n, k) 0..1, 0 deep in the hair, 1 outermost.
    bind: (n,) int32, the head vertex whose motion the strand follows.
    """

    paths: Floats
    outward: Floats
    width: Floats
    tone: Floats
    shade: Floats
    bind: NDArray[np.int32]


@dataclass(frozen=True)
class Roots:
    """Where strands begin: position and outward normal (n, 3) in head space, place (n, 3) in the face frame of the
    template head, and the head vertex (n,) that each is bound to."""

    positions: Floats
    normals: Floats
    places: NDArray[np.float32]
    bind: NDArray[np.int32]

    def take(self, chosen: NDArray[np.bool_]) -> Roots:
        """The roots of which `chosen` (n,) is true."""
        return Roots(self.positions[chosen], self.normals[chosen], self.places[chosen], self.bind[chosen])


def scatter(head: Head, count: int, weight: Callable[[NDArray[np.float32]], Floats], rng: np.random.Generator) -> Roots:
    """Spread roots evenly over the skin, thinned by a mask.

    Args:
        head: whose skin.
        count: roots if the mask were 1 over all that it covers; fewer come where it is below 1.
        weight: mask 0..1 (n,) at points (n, 3) of the face frame.
        rng: source of the places.
    """
    skin = head.faces[np.isin(head.parts, (Part.SKIN, Part.NECK, Part.LIPS))]
    corners = head.positions[skin].astype(np.float64)
    area = 0.5 * np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    places = anatomy.face_frame(head.rest)
    covered = weight(places)[skin].max(1) > 0.01
    skin, area = skin[covered], area[covered]
    if not len(skin):
        return Roots(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 3), np.float32), np.zeros(0, np.int32))
    chosen = np.searchsorted(np.cumsum(area) / area.sum(), (np.arange(count) + rng.random(count)) / count)
    triangle = skin[np.minimum(chosen, len(skin) - 1)]
    a, b = np.sqrt(rng.random(count)), rng.random(count)
    within = np.stack([1 - a, a * (1 - b), a * b], 1)

    def mixed(values: NDArray[np.floating]) -> Floats:
        return np.asarray(np.einsum("nk,nkc->nc", within, values[triangle].astype(np.float64)), np.float64)

    normals = mixed(head.normals)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    roots = Roots(
        mixed(head.positions),
        normals,
        mixed(places).astype(np.float32),
        triangle[np.arange(count), within.argmax(1)].astype(np.int32),
    )
    return roots.take(rng.random(count) < weight(roots.places))


class Surface:
    """The skin as something to lie on: the nearest vertex tells how far out a point is, and which way out."""

    def __init__(self, head: Head) -> None:
        rows = np.unique(head.faces[np.isin(head.parts, (Part.SKIN, Part.NECK, Part.CLOTHES, Part.EAR))])
        self._positions = head.positions[rows].astype(np.float64)
        self._normals = head.normals[rows].astype(np.float64)
        self._tree = cKDTree(self._positions)

    def outward(self, points: Floats) -> tuple[Floats, Floats]:
        """Signed distance (n,) cm outside the skin, and the unit normal (n, 3) there, smoothed over neighbours."""
        distance, near = self._tree.query(points, k=4)
        share = 1.0 / (np.asarray(distance) + 0.15)
        share = share / np.sum(share, axis=1, keepdims=True)
        normal = np.einsum("nk,nkc->nc", share, self._normals[near])
        normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
        base = np.einsum("nk,nkc->nc", share, self._positions[near])
        return ((points - base) * normal).sum(1), normal


@dataclass(frozen=True)
class Growing:
    """How the strands of a style grow; per-strand values are (n,).

    length: cm. layer: cm above the skin that the strand settles at. lift: how far the root stands up, 0..1. gravity:
    pull downward. curl: radius of the helix, cm; twist: turns per cm. frizz: random bend. stiff: inertia 0..1. hug: how
    far a strand that stands off its layer is drawn back to it, 0..1.
    """

    length: Floats
    layer: Floats
    lift: float
    gravity: float
    curl: float
    twist: float
    frizz: float
    stiff: float
    points: int
    hug: float = 0.0


def grow(roots: Roots, surface: Surface, comb: Field, how: Growing, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Grow strands from their roots.

    Returns:
        paths and outward directions, (n, k, 3) float64 each, head space.
    """
    count, step = len(roots.positions), how.length / (how.points - 1)
    position = roots.positions + roots.normals * 0.02
    heading = roots.normals * how.lift + _tangential(comb(position, roots.normals), roots.normals)
    heading = _unit(heading + how.frizz * rng.normal(size=(count, 3)))
    paths, facing = [position], [roots.normals]
    normal, resting = roots.normals, np.ones(count)
    for index in range(1, how.points):
        pull = comb(position, normal)
        pull = pull + np.array([0.0, -how.gravity, 0.0])
        pull = pull + how.frizz * rng.normal(size=(count, 3))
        # what lies on its layer already is combed along it, not into it
        inward = np.minimum((pull * normal).sum(1), 0.0) * resting
        heading = _unit(how.stiff * heading + (1.0 - how.stiff) * (pull - inward[:, None] * normal))
        position = position + heading * step[:, None]
        height, normal = surface.outward(position)
        floor = how.layer * min(1.0, 2.0 * index / how.points) + 0.05
        off = floor - height
        resting = np.clip(off / 0.2 + 0.5, 0.0, 1.0)
        position = position + normal * np.where(off > 0.0, off, how.hug * off)[:, None]
        moved = position - paths[-1]
        moved *= (step / (np.linalg.norm(moved, axis=1) + 1e-9))[:, None]
        position = paths[-1] + moved
        heading = _unit(moved)
        paths.append(position)
        facing.append(normal)
    path, outward = np.stack(paths, 1), np.stack(facing, 1)
    return (_curled(path, outward, how, rng) if how.curl > 0 else path), outward


def clump(paths: Floats, size: int, amount: float) -> Floats:
    """Draw the tips of neighbouring strands together, as locks; `size` strands share a lock."""
    count, points, _ = paths.shape
    if count < 2 * size:
        return paths
    leaders = np.arange(0, count, size)
    _, nearest = cKDTree(paths[leaders, 0]).query(paths[:, 0])
    leader = paths[leaders[nearest]]
    pull = amount * np.linspace(0.0, 1.0, points)[None, :, None] ** 1.3
    return paths + pull * (leader - paths) * 0.9


def _curled(path: Floats, outward: Floats, how: Growing, rng: np.random.Generator) -> Floats:
    """Wind each strand about its own path."""
    count, points, _ = path.shape
    tangent = _unit(np.gradient(path, axis=1))
    side = _unit(np.cross(tangent, outward))
    other = np.cross(side, tangent)
    phase = 2 * np.pi * rng.random((count, 1))
    along = np.linspace(0.0, 1.0, points)
    turns = np.outer(how.length * how.twist * (0.8 + 0.4 * rng.random(count)), along)
    radius = how.curl * np.outer(0.6 + 0.8 * rng.random(count), np.minimum(1.0, 3.0 * along))
    angle = phase + 2 * np.pi * turns
    winding = np.cos(angle)[..., None] * side + (np.sin(angle)[..., None] + 0.6) * other
    return np.asarray(path + radius[..., None] * winding, np.float64)


def _tangential(direction: Floats, normal: Floats) -> Floats:
    return np.asarray(direction - (direction * normal).sum(1, keepdims=True) * normal, np.float64)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9), np.float64)
