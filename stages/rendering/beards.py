"""Beard and moustache hair that stands out from the skin; shaven stubble is painted, see `skin`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stages.rendering import anatomy, noise
from stages.rendering.identity import Identity
from stages.rendering.mesh import Head
from stages.rendering.strands import Growing, Strands, Surface, clump, scatter
from stages.rendering.strands import grow as grow_paths

Floats = NDArray[np.float64]


def grow(identity: Identity, head: Head, density: float) -> Strands | None:
    """The beard of an identity, None if it wears none."""
    if identity.beard_style == "none":
        return None
    rng = noise.generator(identity.seed, "beard hairs")
    long = {"stubble": 0.16, "moustache": 0.9, "goatee": 1.1, "full": 1.5}[identity.beard_style]
    long *= noise.generator(identity.seed, "beard length").uniform(0.7, 1.5)

    def where(points: NDArray[np.float32]) -> Floats:
        style = identity.beard_style
        if style == "moustache":
            area = anatomy.moustache_mask(points)
        elif style == "goatee":
            area = np.maximum(anatomy.moustache_mask(points), anatomy.goatee_mask(points))
        else:
            area = anatomy.beard_mask(points)
        patch = 1.0 + 0.9 * noise.fractal(points, 0.7, salt=noise.salt(identity.seed, "beard"), octaves=3)
        return np.clip(area * patch * (0.35 + 0.65 * identity.beard_density), 0.0, 1.0).astype(np.float64)

    roots = scatter(head, int((11000 if long < 0.4 else 14000) * density), where, rng)
    n = len(roots.positions)
    if not n:
        return None
    x = roots.places[:, 0:1].astype(np.float64)
    lip = anatomy.moustache_mask(roots.places)[:, None]

    def comb(points: Floats, normals: Floats) -> Floats:
        down = np.array([0.0, -1.0, 0.15])
        aside = np.concatenate([np.tanh(x / 0.4) * 0.9, np.full_like(x, -0.6), np.full_like(x, 0.2)], 1)
        return np.asarray(lip * aside + (1.0 - lip) * down + 0.15 * normals, np.float64)

    # shorter toward the cheeks and on the lip
    chin = np.exp(-(((roots.places[:, 1] + 10.0) / 3.0) ** 2))
    length = long * rng.uniform(0.6, 1.15, n) * (0.55 + 0.6 * chin) * (1.0 - 0.45 * lip[:, 0])
    layer = 0.30 * long * rng.random(n)
    how = Growing(
        length,
        layer,
        0.7,
        0.15,
        0.03 + 0.10 * identity.hair_curl * (long > 0.4),
        0.8,
        0.26,
        0.55,
        2 if long < 0.4 else 5,
    )
    paths, outward = grow_paths(roots, Surface(head), comb, how, rng)
    paths = clump(paths, 8, 0.3)
    width = rng.uniform(0.016, 0.024, n) if long < 0.4 else rng.uniform(0.024, 0.042, n)
    shade = 0.35 + 0.65 * np.broadcast_to(np.linspace(0.2, 1.0, paths.shape[1]), (n, paths.shape[1]))
    return Strands(paths, outward, width, rng.random(n), shade.copy(), roots.bind)
