"""The hairstyles of the scalp: where hair grows, which way it is combed, how long and how full it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stages.rendering import anatomy, noise
from stages.rendering.identity import Identity
from stages.rendering.mesh import Head
from stages.rendering.strands import Field, Growing, Roots, Strands, Surface, clump, scatter
from stages.rendering.strands import grow as grow_paths

Floats = NDArray[np.float64]


_COUNT = {
    "buzz": 17000, "afro": 10500, "curly": 8000, "short": 9500, "parted": 8000, "bob": 6500, "long": 6500, "bun": 7500,
}  # fmt: skip
"""Strands of each style where hair grows thick all over."""


def grow(identity: Identity, head: Head, density: float) -> Strands | None:
    """Scalp hair of an identity, None if bald."""
    if identity.hair_style == "bald":
        return None
    rng = noise.generator(identity.seed, "hair")
    count = int(_COUNT[identity.hair_style] * density)
    roots = scatter(head, count, lambda p: _thick(anatomy.scalp_mask(p, identity.hairline)), rng)
    if not len(roots.positions):
        return None
    surface = Surface(head)
    n = len(roots.positions)
    layer_share = rng.random(n) ** 0.7
    how, comb, lock = _style(identity, head, roots, layer_share, rng)
    paths, outward = grow_paths(roots, surface, comb, how, rng)
    paths = clump(paths, *lock)
    paths = _clear_of_face(paths, head, roots, identity)
    if identity.hair_style == "bun":
        return _with_bun(identity, head, _strands(paths, outward, roots, layer_share, how, density, rng), density, rng)
    return _strands(paths, outward, roots, layer_share, how, density, rng)


def _thick(mask: NDArray[np.float32]) -> Floats:
    return np.clip(mask.astype(np.float64) * 1.3 - 0.1, 0.0, 1.0)


def _strands(
    paths: Floats, outward: Floats, roots: Roots, layer: Floats, how: Growing, density: float, rng: np.random.Generator
) -> Strands:
    along = np.linspace(0.0, 1.0, paths.shape[1])
    shade = (0.25 + 0.75 * layer)[:, None] * (0.45 + 0.55 * np.minimum(1.0, along * 3.0))[None]
    width = 0.115 * rng.uniform(0.7, 1.3, len(paths)) / np.sqrt(density)
    if how.length.mean() < 1.0:
        width *= 0.45
    if how.length.max() > 12.0:
        # a fringe is cut into finer locks than the lengths behind it
        width *= np.clip(how.length / 14.0, 0.55, 1.0)
    if how.frizz > 0.4:
        width *= 0.8
    return Strands(paths, outward, width, rng.random(len(paths)), shade, roots.bind)


def _style(
    identity: Identity, head: Head, roots: Roots, layer: Floats, rng: np.random.Generator
) -> tuple[Growing, Field, tuple[int, float]]:
    """How a style grows, which way it is combed, and its locks (strands in one, how tight)."""
    n, amount, curl = len(layer), identity.hair_length, identity.hair_curl
    vary = rng.uniform(0.85, 1.15, n)
    crown = _crown(head)
    side = 1.0 if noise.generator(identity.seed, "part").random() < 0.5 else -1.0
    place = roots.places
    front = np.clip((place[:, 2] + 4.0) / 6.0, 0.0, 1.0) * np.clip((place[:, 1] - 4.5) / 2.0, 0.0, 1.0)

    def growing(length: Floats, full: float, points: int, **other: float) -> Growing:
        values = {"lift": 0.5, "gravity": 0.1, "curl": 0.0, "twist": 0.3, "frizz": 0.06, "stiff": 0.55} | other
        return Growing(length=length, layer=full * layer, points=points, **values)

    style = identity.hair_style
    if style == "buzz":
        return growing((0.35 + 0.6 * amount) * vary, 0.35, 3, lift=1.2, frizz=0.15), _whorl(crown, 0.5), (8, 0.1)
    if style == "afro":
        how = growing(
            (1.8 + 4.2 * amount) * vary**1.5,
            0.5,
            8,
            lift=3.0,
            gravity=0.02,
            curl=0.30,
            twist=0.55,
            frizz=0.55,
            stiff=0.82,
        )
        return how, _standing, (6, 0.2)
    if style == "curly":
        how = growing(
            (3.5 + 5.0 * amount) * vary,
            1.6 + amount,
            10,
            lift=1.2,
            gravity=0.45,
            curl=0.22 + 0.22 * curl,
            twist=0.45,
            frizz=0.14,
        )
        return how, _whorl(crown, 0.7), (14, 0.75)
    if style == "short":
        # longer on top than at the sides; combed forward, up or aside
        top = np.clip((place[:, 1] - 2.5) / 4.0, 0.0, 1.0)
        length = (0.9 + (1.8 + 2.6 * amount) * top) * rng.uniform(0.65, 1.2, n)
        choice = int(noise.generator(identity.seed, "crop").integers(3))
        comb = (_whorl(crown, 0.9), _swept(np.array([0.25 * side, 0.35, -1.0])), _swept(np.array([side, 0.3, 0.1])))[
            choice
        ]
        how = growing(
            length, 0.5 + 0.7 * amount, 6, lift=(0.5, 1.1, 0.7)[choice], gravity=0.12, curl=0.06 * curl, frizz=0.10
        )
        return how, comb, (10, 0.45)
    if style == "bun":
        knot = crown + np.array([0.0, 1.0 - 3.0 * amount, -2.5])
        length = np.linalg.norm(roots.positions - knot, axis=1) * 1.15
        return growing(length, 0.35, 8, lift=0.15, gravity=0.0, frizz=0.03, stiff=0.35), _toward(knot), (24, 0.5)
    # parted, bob and long fall from a parting
    long = {"parted": 5.5 + 4.0 * amount, "bob": 15.0 + 5.0 * amount, "long": 25.0 + 10.0 * amount}[style]
    away = side * (0.0 if amount < 0.35 else 2.6)
    full = {"parted": 1.1, "bob": 1.5, "long": 1.2}[style] * (0.8 + 0.5 * curl)
    fringe = style in ("bob", "long") and noise.generator(identity.seed, "fringe").random() < 0.4
    length = np.full(n, long) * rng.uniform(0.93, 1.03, n)
    if style == "parted":
        length = length * (0.35 + 0.65 * np.clip((place[:, 1] - 1.0) / 5.0, 0.0, 1.0))
    points = {"parted": 9, "bob": 14, "long": 16}[style]
    waves = 0.10 + 0.55 * max(0.0, curl - 0.35)
    how = growing(length, full, points, lift=0.35, gravity=0.12, curl=waves, twist=0.12 + 0.10 * curl, frizz=0.045)
    comb = _from_parting(away, _half_width(head))
    if fringe:
        chosen = (front > 0.35) & (np.abs(place[:, 0]) < 4.2)
        how.length[chosen] = rng.uniform(5.2, 6.2, int(chosen.sum()))
        comb = _with_fringe(comb, chosen)
    return how, comb, (18, 0.55)


def _half_width(head: Head) -> float:
    """Half the width of the face at the temples, cm."""
    temple = (head.rest[:, 1] > 1.0) & (head.rest[:, 1] < 5.0) & (head.rest[:, 2] > 5.5)
    return float(np.abs(head.positions[temple, 0]).max())


def _crown(head: Head) -> Floats:
    """The whorl at the back of the top of the head, head space."""
    top = head.positions[head.positions[:, 1].argmax()].astype(np.float64)
    return np.array([0.0, top[1] - 0.3, min(top[2], 0.0) - 3.0])


def _whorl(crown: Floats, forward: float) -> Field:
    def comb(points: Floats, normals: Floats) -> Floats:
        away = points - crown
        away = away / (np.linalg.norm(away, axis=1, keepdims=True) + 0.5)
        return np.asarray(
            away + np.cross(away, [0.0, 1.0, 0.0]) * 0.25 + np.array([0.0, 0.0, 0.25 * forward]), np.float64
        )

    return comb


def _swept(direction: Floats) -> Field:
    def comb(points: Floats, normals: Floats) -> Floats:
        # swept on top, straight down at the sides
        top = np.clip((normals[:, 1:2] - 0.15) / 0.4, 0.0, 1.0)
        return np.asarray(
            top * direction + (1.0 - top) * np.array([0.0, -0.8, -0.35]) + 0.25 * top * normals, np.float64
        )

    return comb


def _standing(points: Floats, normals: Floats) -> Floats:
    return normals


def _toward(knot: Floats) -> Field:
    def comb(points: Floats, normals: Floats) -> Floats:
        way = knot - points
        return np.asarray(way / (np.linalg.norm(way, axis=1, keepdims=True) + 1e-6) * 2.0, np.float64)

    return comb


def _from_parting(x0: float, half: float) -> Field:
    """Aside and back from a parting at x0, over the temples at `half` from the middle, then straight down."""

    def comb(points: Floats, normals: Floats) -> Floats:
        aside = np.tanh((points[:, 0] - x0) / 0.4)
        over = np.maximum(_ramp(0.25 * half, 0.85 * half, np.abs(points[:, 0])), _ramp(-1.0, -6.0, points[:, 2]))[
            :, None
        ]
        zero = np.zeros(len(points))
        # the nearer the brow, the more it is combed back
        back = 0.55 + 0.9 * _ramp(2.0, 7.0, points[:, 2])
        across = np.stack([aside * 1.5, 0.1 + zero, -back], 1)
        down = np.stack([0.04 * aside, -1.0 + zero, -0.06 + zero], 1)
        # pressed onto the skull on top, hanging free below
        return (across - 0.6 * normals) * (1.0 - over) + down * over

    return comb


def _ramp(low: float, high: float, value: Floats) -> Floats:
    return np.clip((value - low) / (high - low), 0.0, 1.0)


def _with_fringe(comb: Field, chosen: NDArray[np.bool_]) -> Field:
    def fringed(points: Floats, normals: Floats) -> Floats:
        way = comb(points, normals)
        down = np.array([0.0, -0.5, 0.9]) + points * np.array([0.05, 0.0, 0.0])
        return np.where(chosen[:, None], down, way)

    return fringed


def _clear_of_face(paths: Floats, head: Head, roots: Roots, identity: Identity) -> Floats:
    """Keep long hair out of the face: in front of the ears and below the forehead it hangs beside the cheeks."""
    if identity.hair_style not in ("bob", "long", "parted", "curly"):
        return paths
    brow = head.positions[np.argmin(((head.rest - np.array([3.0, 3.5, 14.1])) ** 2).sum(1)), 1]
    half = _half_width(head)
    low = np.clip((brow + 2.2 - paths[..., 1]) / 2.0, 0.0, 1.0)
    ahead = low * np.clip((paths[..., 2] - 0.5) / 2.0, 0.0, 1.0)
    sign = np.where(paths[:, -1:, 0] >= 0, 1.0, -1.0)
    x, z = paths[..., 0], paths[..., 2]
    cleared = paths.copy()
    cleared[..., 0] = x + ahead * (sign * np.maximum(np.abs(x), 1.04 * half) - x)
    cleared[..., 2] = z + ahead * (np.minimum(z, 3.0 + 0.15 * (z - 3.0)) - z)
    return cleared


def _with_bun(identity: Identity, head: Head, flat: Strands, density: float, rng: np.random.Generator) -> Strands:
    """Add the knot: rings of hair wound about a ball behind the crown."""
    count, points = int(900 * density), flat.paths.shape[1]
    centre = _crown(head) + np.array([0.0, 1.2 - 3.0 * identity.hair_length, -3.4])
    radius = 2.3 + 1.0 * identity.hair_length
    axis = rng.normal(size=(count, 3)) * np.array([0.5, 0.5, 1.0])
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    one = np.cross(axis, [0.0, 1.0, 0.0])
    one /= np.linalg.norm(one, axis=1, keepdims=True) + 1e-9
    other = np.cross(axis, one)
    angle = rng.uniform(0, 2 * np.pi, (count, 1)) + np.linspace(0.0, 2.6, points)[None]
    layer = rng.random(count) ** 0.5
    out = np.cos(angle)[..., None] * one[:, None] + np.sin(angle)[..., None] * other[:, None]
    tilt = axis[:, None] * rng.uniform(-0.7, 0.7, (count, 1, 1))
    out = (out + tilt) / np.linalg.norm(out + tilt, axis=2, keepdims=True)
    paths = centre + out * (radius * (0.75 + 0.25 * layer))[:, None, None]
    shade = np.repeat((0.3 + 0.7 * layer)[:, None], points, 1)
    bind = np.full(count, flat.bind[0], np.int32)
    return Strands(
        np.concatenate([flat.paths, paths]),
        np.concatenate([flat.outward, out]),
        np.concatenate([flat.width, np.full(count, 0.13)]),
        np.concatenate([flat.tone, rng.random(count)]),
        np.concatenate([flat.shade, shade]),
        np.concatenate([flat.bind, bind]),
    )
