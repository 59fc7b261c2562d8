"""Normals and ambient occlusion of a triangle mesh."""

from __future__ import annotations

import numba
import numpy as np

from stages.rendering.mesh import F32, F64, I32
from stages.rendering.rasteriser import row_span


@numba.njit(cache=True, nogil=True)
def vertex_normals(positions: F32, faces: I32, weld: I32) -> F32:
    """Area-weighted vertex normals, smooth across the copies of a welded vertex.

    positions (V, 3) float32; faces (F, 3) int32, counter-clockwise from outside in a right-handed space;
    weld (V,) int32, the group of copies a vertex belongs to. Returns (V, 3) float32, unit.
    """
    summed = np.zeros((weld.max() + 1, 3))
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux = float(positions[b, 0] - positions[a, 0])
        uy = float(positions[b, 1] - positions[a, 1])
        uz = float(positions[b, 2] - positions[a, 2])
        vx = float(positions[c, 0] - positions[a, 0])
        vy = float(positions[c, 1] - positions[a, 1])
        vz = float(positions[c, 2] - positions[a, 2])
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for k in range(3):
            w = weld[faces[f, k]]
            summed[w, 0] += nx
            summed[w, 1] += ny
            summed[w, 2] += nz
    normals = np.empty((positions.shape[0], 3), np.float32)
    for v in range(positions.shape[0]):
        n = summed[weld[v]]
        length = np.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]) + 1e-12
        for k in range(3):
            normals[v, k] = n[k] / length
    return normals


def occlusion(positions: F32, normals: F32, faces: I32, directions: int = 96, resolution: int = 160) -> F32:
    """Cosine-weighted share of the sky that each vertex sees, (V,) float32 0..1.

    The mesh is drawn into an orthographic depth map from each of `directions` points of a Fibonacci sphere, and a
    vertex sees the sky there if nothing lies before it (hemispherical shadow maps).
    """
    k = np.arange(directions) + 0.5
    z = 1.0 - 2.0 * k / directions
    around = np.pi * (1.0 + 5.0**0.5) * k
    ring = np.sqrt(1.0 - z * z)
    sky = np.stack([ring * np.cos(around), ring * np.sin(around), z], 1)
    seen = np.zeros(len(positions))
    weight = np.zeros(len(positions))
    for direction in sky:
        cosine = np.maximum(normals @ direction, 0.0)
        plane = DepthMap.draw(positions, faces, direction, resolution)
        seen += cosine * plane.visibility(positions + 0.15 * normals, softness=0)
        weight += cosine
    return (seen / np.maximum(weight, 1e-6)).astype(np.float32)


class DepthMap:
    """An orthographic depth map seen from a far point: where light from there reaches.

    `nearest` (S, S) float32 holds the largest coordinate along `direction` (towards the light) of the surface.
    """

    def __init__(self, nearest: F32, frame: F64, low: F64, scale: float) -> None:
        self.nearest, self.frame, self.low, self.scale = nearest, frame, low, scale

    @classmethod
    def draw(cls, positions: F32, faces: I32, direction: F64, resolution: int) -> DepthMap:
        """Draw a mesh, positions (V, 3), from the unit vector `direction` (3,)."""
        toward = np.asarray(direction, float) / np.linalg.norm(direction)
        aside = np.cross([0.0, 1.0, 0.0] if abs(toward[1]) < 0.9 else [1.0, 0.0, 0.0], toward)
        aside /= np.linalg.norm(aside)
        frame = np.stack([aside, np.cross(toward, aside), toward])
        local = positions @ np.ascontiguousarray(frame.T, np.float32)
        flat = np.ascontiguousarray(local.T)
        low = flat[:2].min(1).astype(np.float64)
        scale = (resolution - 2) / float((flat[:2].max(1) - low).max())
        grid = (local[:, :2] - np.float32(low)) * np.float32(scale) + np.float32(1.0)
        return cls(_draw_depth(grid, flat[2], faces, resolution), frame, low, scale)

    def visibility(self, points: F32, softness: int = 1, bias: float = 0.25) -> F32:
        """Share of light that reaches points (N, 3), (N,) float32: a (2 softness + 1)-square of samples."""
        return _look_up(self.nearest, self.frame, self.low, self.scale, points, softness, bias)


@numba.njit(cache=True, nogil=True)
def _draw_depth(grid: F32, height: F32, faces: I32, size: int) -> F32:
    nearest = np.full((size, size), -1e9, np.float32)
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, bx, by, cx, cy = grid[a, 0], grid[a, 1], grid[b, 0], grid[b, 1], grid[c, 0], grid[c, 1]
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if abs(area) < 1e-9:
            continue
        x0, x1 = max(0, int(np.floor(min(ax, bx, cx)))), min(size - 1, int(np.ceil(max(ax, bx, cx))))
        y0, y1 = max(0, int(np.floor(min(ay, by, cy)))), min(size - 1, int(np.ceil(max(ay, by, cy))))
        scale = 1.0 / area
        step_b, step_c = (cy - ay) * scale, -(by - ay) * scale
        for y in range(y0, y1 + 1):
            row_b = ((0.5 - ax) * (cy - ay) - (cx - ax) * (y + 0.5 - ay)) * scale
            row_c = ((bx - ax) * (y + 0.5 - ay) - (0.5 - ax) * (by - ay)) * scale
            first, last = row_span(row_b, step_b, row_c, step_c, x0, x1)
            for x in range(first, last + 1):
                w1, w2 = row_b + x * step_b, row_c + x * step_c
                if w1 < 0.0 or w2 < 0.0 or w1 + w2 > 1.0:
                    continue
                h = height[a] * (1.0 - w1 - w2) + height[b] * w1 + height[c] * w2
                if h > nearest[y, x]:
                    nearest[y, x] = h
    return nearest


@numba.njit(cache=True, nogil=True)
def _look_up(nearest: F32, frame: F64, low: F64, scale: float, points: F32, softness: int, bias: float) -> F32:
    size = nearest.shape[0]
    lit = np.empty(points.shape[0], np.float32)
    taps = (2 * softness + 1) ** 2
    for i in range(points.shape[0]):
        px, py, pz = float(points[i, 0]), float(points[i, 1]), float(points[i, 2])
        gx = (frame[0, 0] * px + frame[0, 1] * py + frame[0, 2] * pz - low[0]) * scale + 1.0
        gy = (frame[1, 0] * px + frame[1, 1] * py + frame[1, 2] * pz - low[1]) * scale + 1.0
        h = frame[2, 0] * px + frame[2, 1] * py + frame[2, 2] * pz + bias
        # percentage-closer filtering with bilinear ends, so that a shadow's edge has no steps
        column, row = int(np.floor(gx - 0.5)), int(np.floor(gy - 0.5))
        fx, fy = gx - 0.5 - column, gy - 0.5 - row
        count = 0.0
        for dy in range(-softness, softness + 2):
            wy = 1.0 - fy if dy == -softness else fy if dy == softness + 1 else 1.0
            for dx in range(-softness, softness + 2):
                wx = 1.0 - fx if dx == -softness else fx if dx == softness + 1 else 1.0
                x, y = min(max(column + dx, 0), size - 1), min(max(row + dy, 0), size - 1)
                if h >= nearest[y, x]:
                    count += wx * wy
        lit[i] = count / taps
    return lit
