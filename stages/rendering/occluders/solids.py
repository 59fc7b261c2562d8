"""Simple closed surfaces: tubes along a path, turned bodies and boxes with round edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stages.rendering.block import grid_faces
from stages.rendering.mesh import F64, I32


def tube(path: F64, radii: F64, *, closed: bool = False, sectors: int = 10) -> tuple[F64, I32]:
    """A round or flat tube along a path.

    Args:
        path: (n, 3) cm.
        radii: (n, 2), half width across the path's own plane and half height out of it.
        closed: whether the end meets the beginning; else both ends are shut.
        sectors: vertices around.

    Returns:
        (V, 3) vertices and (F, 3) faces, counter-clockwise from outside.
    """
    along = _directions(path, closed)
    side, up = _frames(along)
    angle = 2 * np.pi * np.arange(sectors) / sectors
    ring = radii[:, None, :] * np.stack([np.cos(angle), np.sin(angle)], 1)[None]
    points = path[:, None] + ring[..., :1] * side[:, None] + ring[..., 1:] * up[:, None]
    count = len(path)
    if closed:
        points = np.concatenate([points, points[:1]])
        return points.reshape(-1, 3), _outward(points.reshape(-1, 3), grid_faces(count + 1, sectors, wrap=True), path)
    shut = np.concatenate([np.repeat(path[:1, None], sectors, 1), points, np.repeat(path[-1:, None], sectors, 1)])
    return shut.reshape(-1, 3), _outward(shut.reshape(-1, 3), grid_faces(count + 2, sectors, wrap=True), path)


def turned(profile: Sequence[tuple[float, float]], *, sectors: int = 32) -> tuple[F64, I32]:
    """A body turned about the y axis.

    Args:
        profile: (height, radius) from one end to the other; a radius of 0 shuts the end.
        sectors: vertices around.
    """
    height, radius = np.array(profile, float).T
    angle = 2 * np.pi * np.arange(sectors) / sectors
    circle = np.stack([np.cos(angle), np.zeros(sectors), np.sin(angle)], 1)
    points = radius[:, None, None] * circle[None] + np.array([0.0, 1.0, 0.0]) * height[:, None, None]
    flat = points.reshape(-1, 3)
    return flat, _outward(flat, grid_faces(len(profile), sectors, wrap=True), np.outer(height, [0.0, 1.0, 0.0]))


def box(half: tuple[float, float, float], edge: float, *, steps: int = 10) -> tuple[F64, I32]:
    """A box about the origin, `half` its size: corners seen along z are round by `edge`, its rims a little."""
    corner = np.linspace(0.0, np.pi / 2, steps)
    outline = np.concatenate(
        [
            np.array([sx * (half[0] - edge), sy * (half[1] - edge)])
            + edge * np.stack([np.cos(corner + turn), np.sin(corner + turn)], 1)
            for turn, (sx, sy) in zip(np.arange(4) * np.pi / 2, ((1, 1), (-1, 1), (-1, -1), (1, -1)), strict=True)
        ]
    )
    soft = min(0.3 * edge, 0.5 * half[2])
    rings = [(-half[2], 0.0), (-half[2], 1.0 - soft / half[0]), (-half[2] + soft, 1.0)]
    rings += [(-z, share) for z, share in reversed(rings)]
    points = np.stack([np.concatenate([outline * share, np.full((len(outline), 1), z)], 1) for z, share in rings])
    flat = points.reshape(-1, 3)
    return flat, _outward(flat, grid_faces(len(rings), len(outline), wrap=True), np.zeros((1, 3)))


def _directions(path: F64, closed: bool) -> F64:
    ends = np.concatenate([path[-1:], path, path[:1]]) if closed else np.concatenate([path[:1], path, path[-1:]])
    along = ends[2:] - ends[:-2]
    return np.asarray(along / (np.linalg.norm(along, axis=1, keepdims=True) + 1e-12))


def _frames(along: F64) -> tuple[F64, F64]:
    """Two unit vectors across each direction; the second is as near to z as it can be, so that a tube never twists."""
    up = np.array([0.0, 0.0, 1.0]) - along * along[:, 2:]
    steep = np.linalg.norm(up, axis=1, keepdims=True) < 0.3
    up = np.where(steep, np.array([0.0, 1.0, 0.0]) - along * along[:, 1:2], up)
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    return np.cross(up, along), up


def _outward(points: F64, faces: I32, middle: F64) -> I32:
    """The faces, turned over if most of them look towards the `middle` line of points (n, 3)."""
    centre = points[faces].mean(1)
    normal = np.cross(points[faces[:, 1]] - points[faces[:, 0]], points[faces[:, 2]] - points[faces[:, 0]])
    nearest = middle[((centre[:, None] - middle[None]) ** 2).sum(2).argmin(1)]
    return faces if ((centre - nearest) * normal).sum() > 0 else np.ascontiguousarray(faces[:, ::-1])
