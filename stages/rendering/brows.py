"""Brows and lashes as single hairs on the skin, so that they stay crisp at every size and move with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from stages.rendering import anatomy, noise
from stages.rendering.anatomy import BROW, LOWER_LID, UPPER_LID, smoothstep
from stages.rendering.identity import Identity
from stages.rendering.mesh import Head, Part
from stages.rendering.strands import Growing, Roots, Strands, Surface, grow as grow_paths, scatter

Floats = NDArray[np.float64]


def brow_mask(identity: Identity, points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Density of the brow's hair, 0..1 (n,), at points (n, 3) of the face frame."""
    along, above, half = _along(identity, points)
    rng = noise.generator(identity.seed, "brow")
    start, end = rng.uniform(-0.05, 0.16), rng.uniform(0.86, 1.06)
    inside = smoothstep(1.0, 0.55, np.abs(above) / half)
    ends = smoothstep(start - 0.02, start + 0.16, along) * smoothstep(end + 0.02, end - 0.25, along)
    return (inside * ends * (points[:, 2] > -4.0)).astype(np.float32)


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
    count = int(5200 * (0.35 + 0.65 * identity.brow_density))
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

    length = rng.uniform(0.45, 0.85, n) * (0.75 + 0.4 * identity.brow_thickness)
    how = Growing(length, rng.uniform(0.02, 0.07, n), 0.25, 0.05, 0.0, 0.0, 0.05, 0.6, 4)
    paths, outward = grow_paths(roots, Surface(head), comb, how, rng)
    width = rng.uniform(0.018, 0.034, n) * (0.75 + 0.4 * identity.brow_density)
    shade = np.full((n, 4), 0.8)
    return Strands(paths, outward, width, rng.random(n), shade, roots.bind)


def lashes(identity: Identity, head: Head) -> Strands | None:
    """Upper and lower lashes, rooted along the lids' margins and bound to them."""
    rng = noise.generator(identity.seed, "lashes")
    skin = np.unique(head.faces[np.isin(head.parts, (Part.SKIN,))])
    places = anatomy.face_frame(head.rest[skin])
    near = skin[(places[:, 2] > -1.0) & (np.abs(places[:, 1]) < 1.0) & (np.abs(places[:, 0]) < 4.7)]
    tree = cKDTree(anatomy.face_frame(head.rest[near])[:, :2])
    pieces = []
    for curve, count, longest, up in ((UPPER_LID, 64, 0.75, 1.0), (LOWER_LID, 40, 0.38, -0.7)):
        for side in (-1.0, 1.0):
            t = (np.arange(count) + rng.random(count)) / count
            x = curve[0][0] + 0.25 + t * (curve[-1][0] - curve[0][0] - 0.22)
            lid = np.stack([x, np.zeros(count), np.zeros(count)], 1).astype(np.float32)
            y = anatomy.height_on(curve, lid)
            _, found = tree.query(np.stack([side * x, y], 1), k=3)
            # the lid's edge is where the surface is foremost among its neighbours
            rows = near[found]
            bind = rows[np.arange(count), head.positions[rows][..., 2].argmax(1)]
            spread = (t - 0.35) * 1.1
            away = np.stack([side * spread, np.full(count, up), np.full(count, 1.1)], 1) + 0.12 * rng.normal(size=(count, 3))
            length = longest * (0.45 + 0.75 * identity.lash_length) * (0.55 + 0.45 * np.sin(np.pi * t)) * rng.uniform(0.8, 1.1, count)
            root = head.positions[bind].astype(np.float64)
            step = away / np.linalg.norm(away, axis=1, keepdims=True)
            bend = np.array([0.0, 0.55 * up, -0.15])
            u = np.linspace(0.0, 1.0, 5)[None, :, None]
            paths = root[:, None] + length[:, None, None] * (u * step[:, None] + u**2 * bend)
            outward = np.broadcast_to(np.array([0.0, 0.3, 0.95]), paths.shape).copy()
            width = np.full(count, 0.020 + 0.016 * identity.lash_length)
            pieces.append(Strands(paths, outward, width, rng.random(count), np.full((count, 5), 0.5), bind.astype(np.int32)))
    return Strands(*(np.concatenate([getattr(piece, name) for piece in pieces]) for name in Strands.__dataclass_fields__))
