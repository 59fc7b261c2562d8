"""Brows and lashes as single hairs on the skin, so that they stay crisp at every size and move with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from stages.rendering import anatomy, noise
from stages.rendering.anatomy import BROW, LOWER_LID, UPPER_LID, smoothstep
from stages.rendering.identity import Identity
from stages.rendering.mesh import Head, Part
from stages.rendering.strands import Growing, Strands, Surface, scatter
from stages.rendering.strands import grow as grow_paths

Floats = NDArray[np.float64]


def brow_mask(identity: Identity, points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Density of the brow's hair, 0..1 (n,), at points (n, 3) of the face frame."""
    along, above, half = _along(identity, points)
    rng = noise.generator(identity.seed, "brow")
    start, end = rng.uniform(-0.05, 0.16), rng.uniform(0.86, 1.06)
    inside = smoothstep(1.0, 0.55, np.abs(above) / half)
    begin, finish = smoothstep(start - 0.02, start + 0.16, along), smoothstep(end + 0.02, end - 0.25, along)
    return np.asarray(inside * begin * finish * (points[:, 2] > -4.0), np.float32)


def _along(identity: Identity, points: NDArray[np.float32]) -> tuple[Floats, Floats, Floats]:
    """Where along the brow (0 at the nose, 1 at the temple), how far above its middle (cm), and its half width."""
    rng = noise.generator(identity.seed, "brow shape")
    first, last = BROW[0][0], BROW[-1][0]
    along = (np.abs(points[:, 0]).astype(np.float64) - first) / (last - first)
    t = np.clip(along, -0.3, 1.2)
    peak = rng.uniform(0.55, 0.75)
    arch = identity.brow_arch * (0.42 * np.exp(-(((t - peak) / 0.28) ** 2)) - 0.10)
    tilt = rng.uniform(-0.18, 0.22) * (t - 0.4)
    height = anatomy.height_on(BROW, points) + arch + tilt + rng.uniform(-0.16, 0.16) - 0.12
    half = (0.14 + 0.36 * identity.brow_thickness) * np.interp(t, [0.0, 0.15, 0.55, 1.0], [0.85, 1.05, 0.9, 0.35])
    return along, points[:, 1] - height, half


def grow(identity: Identity, head: Head) -> Strands | None:
    """Both brows."""
    rng = noise.generator(identity.seed, "brow hairs")
    # the area covered by the mask's bounding faces is about 30 cm2 whatever the brow
    count = int(4200 * (0.35 + 0.65 * identity.brow_density))
    roots = scatter(head, count, lambda p: brow_mask(identity, p).astype(np.float64), rng)
    n = len(roots.positions)
    if not n:
        return None
    along, above, half = _along(identity, roots.places)
    side = np.sign(roots.places[:, 0])
    # upright near the nose, then outward, the upper hairs bent down and the lower ones up to the ridge
    upright = np.clip(1.0 - along / 0.35, 0.0, 1.0)
    across = np.stack([side * (0.35 + 0.65 * (1 - upright)), 0.9 * upright - 0.35 * above / half - 0.15, 0 * side], 1)
    across += 0.22 * rng.normal(size=across.shape)

    def comb(points: Floats, normals: Floats) -> Floats:
        return across

    length = rng.uniform(0.35, 0.75, n) * (0.75 + 0.4 * identity.brow_thickness)
    how = Growing(length, rng.uniform(0.01, 0.06, n), 0.25, 0.05, 0.0, 0.0, 0.05, 0.6, 4, hug=0.9)
    paths, outward = grow_paths(roots, Surface(head), comb, how, rng)
    width = rng.uniform(0.022, 0.036, n) * (0.75 + 0.4 * identity.brow_density)
    shade = np.full((n, 4), 0.8)
    return Strands(paths, outward, width, rng.random(n), shade, roots.bind)


def lashes(identity: Identity, head: Head) -> Strands | None:
    """Upper and lower lashes, rooted along the lids' margins and bound to them."""
    rng = noise.generator(identity.seed, "lashes")
    skin = np.unique(head.faces[head.parts == Part.SKIN])
    places = anatomy.face_frame(head.rest[skin])
    near = (places[:, 2] > -1.5) & (np.abs(places[:, 1]) < 1.2)
    pieces = []
    for curve, count, longest, up in ((UPPER_LID, 84, 0.62, 1.0), (LOWER_LID, 44, 0.34, -0.75)):
        for side in (-1.0, 1.0):
            margin = _margin(curve, side, skin[near], places[near])
            t = (np.arange(count) + rng.random(count)) / count
            at = (0.04 + 0.94 * t) * (len(margin) - 1)
            low = np.minimum(at.astype(int), len(margin) - 2)
            part = (at - low)[:, None]
            ends = head.positions[margin].astype(np.float64)
            root = ends[low] * (1.0 - part) + ends[low + 1] * part
            spread = (t - 0.40) * 1.2
            away = np.stack([side * spread, np.full(count, 0.75 * up), np.full(count, 1.15)], 1)
            away += 0.14 * rng.normal(size=(count, 3))
            away /= np.linalg.norm(away, axis=1, keepdims=True)
            length = longest * (0.45 + 0.65 * identity.lash_length) * (0.50 + 0.5 * np.sin(np.pi * t**0.8))
            length = (length * rng.uniform(0.6, 1.05, count))[:, None, None]
            u = np.linspace(0.0, 1.0, 5)[None, :, None]
            paths = root[:, None] + length * (u * away[:, None] + u**2 * np.array([0.0, 0.6 * up, -0.1]))
            outward = np.broadcast_to(np.array([0.0, 0.28, 0.96]), paths.shape).copy()
            width = np.full(count, 0.024 + 0.012 * identity.lash_length) * (1.0 if up > 0 else 0.75)
            bind = margin[np.round(at).astype(int)]
            pieces.append(Strands(paths, outward, width, rng.random(count), np.full((count, 5), 0.5), bind))
    return Strands(
        *(np.concatenate([getattr(piece, name) for piece in pieces]) for name in Strands.__dataclass_fields__)
    )


def _margin(
    curve: tuple[tuple[float, float], ...], side: float, rows: NDArray[np.int64], places: NDArray[np.float32]
) -> NDArray[np.int32]:
    """The vertices along a lid's edge from the inner to the outer corner: the foremost near the drawn curve."""
    x = np.linspace(curve[0][0] + 0.1, curve[-1][0], 14)
    y = anatomy.height_on(curve, np.stack([x, 0 * x, 0 * x], 1).astype(np.float32))
    near = cKDTree(places[:, :2]).query(np.stack([side * x, y], 1), k=5)
    distance, found = np.asarray(near[0]), np.asarray(near[1])
    # of those within half a millimetre of the nearest, the one that stands out most
    depth = np.where(distance < distance[:, :1] + 0.06, places[found, 2], -np.inf)
    chosen = rows[found[np.arange(len(x)), depth.argmax(1)]]
    _, first = np.unique(chosen, return_index=True)
    return np.asarray(chosen[np.sort(first)], np.int32)
