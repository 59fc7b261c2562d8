"""Hair of a performer as ribbons: each strand grows from its root along a combed, falling path over the head.

A strand is a polyline in head space. It starts at a root on the skin with the direction that its style combs it to,
and every step bends it by gravity, by curl and away from the head, at a distance of its own so that the strands of a
style fill a volume. Ribbons lie along the head's surface, about a millimetre wide and tapering, so that no alpha map
is needed and supersampling gives soft edges (compare Yuksel and Tariq, "Advanced techniques in real-time hair
rendering and simulation", 2010).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from stages.rendering import beards, brows, hairstyles
from stages.rendering.identity import Identity
from stages.rendering.mesh import Hair, Head
from stages.rendering.strands import Strands


class Growth(IntEnum):
    """What kind of hair a strand is: the band of `Hair.uv` v that it lies in, a quarter each."""

    SCALP = 0
    BROW = 1
    BEARD = 2
    LASH = 3


def grow(identity: Identity, head: Head, density: float = 1.0) -> Hair | None:
    """All hair of an identity; None if there is none.

    `Hair.uv`: u runs from root (0) to tip (1); v is (growth + r) / 4 with `Growth` and each strand's own random r in
    0..1, from which shading takes colour and its variation.

    Args:
        identity: whose.
        head: its neutral head.
        density: factor on the number of strands; their width grows as it falls, so that the hair still covers.
    """
    grown = [
        (Growth.SCALP, hairstyles.grow(identity, head, density)),
        (Growth.BROW, brows.grow(identity, head)),
        (Growth.BEARD, beards.grow(identity, head, density)),
        (Growth.LASH, brows.lashes(identity, head)),
    ]
    pieces = [ribbons(growth, strands) for growth, strands in grown if strands is not None and len(strands.paths)]
    return joined(pieces) if pieces else None


def joined(pieces: Sequence[Hair]) -> Hair:
    """Hair of several pieces, one after the other."""
    starts = np.cumsum([0, *(len(piece.positions) for piece in pieces[:-1])])
    joined = {
        name: np.concatenate([getattr(piece, name) for piece in pieces])
        for name in ("positions", "normals", "tangents", "uv", "bind", "shade")
    }
    faces = np.concatenate([piece.faces + start for piece, start in zip(pieces, starts, strict=True)])
    return Hair(faces=faces.astype(np.int32), alpha=np.ones((1, 1), np.float32), **joined)


def ribbons(growth: Growth, strands: Strands) -> Hair:
    """Two vertices at each point of each strand, spread across it."""
    paths, outward = strands.paths, strands.outward
    count, points, _ = paths.shape
    tangents = np.gradient(paths, axis=1)
    tangents /= np.linalg.norm(tangents, axis=2, keepdims=True) + 1e-9
    across = np.cross(tangents, outward)
    across /= np.linalg.norm(across, axis=2, keepdims=True) + 1e-9
    # each ribbon is rolled about itself by its own angle, so that a silhouette, too, shows some of them broadside
    roll = (2.2 * (np.mod(strands.tone * 7.31, 1.0) - 0.5))[:, None, None]
    across = np.cos(roll) * across + np.sin(roll) * np.cross(tangents, across)
    along = np.linspace(0.0, 1.0, points)
    taper = np.sqrt(np.clip(1.0 - along**3, 0.04, 1.0)) * np.minimum(1.0, 0.6 + 2.0 * along)
    half = 0.5 * strands.width[:, None] * taper
    sides = np.stack([paths - half[..., None] * across, paths + half[..., None] * across], 2)

    def per_vertex(values: NDArray[np.floating]) -> NDArray[np.float32]:
        return np.repeat(values.astype(np.float32).reshape(count * points, -1), 2, axis=0)

    v = (growth + np.clip(strands.tone, 0.0, 0.999)) / 4.0
    uv = np.stack(np.broadcast_arrays(along[None], v[:, None]), -1)
    corner = (np.arange(count)[:, None] * points + np.arange(points - 1)[None]).ravel() * 2
    faces = np.concatenate(
        [np.stack([corner, corner + 1, corner + 2], 1), np.stack([corner + 1, corner + 3, corner + 2], 1)]
    )
    return Hair(
        positions=sides.reshape(-1, 3).astype(np.float32),
        normals=per_vertex(outward),
        tangents=per_vertex(tangents),
        uv=per_vertex(uv),
        bind=np.repeat(strands.bind.astype(np.int32), points * 2),
        alpha=np.ones((1, 1), np.float32),
        shade=per_vertex(strands.shade)[:, 0],
        faces=faces.astype(np.int32),
    )
