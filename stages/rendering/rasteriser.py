"""A z-buffer rasteriser: which triangle each sample sees, and surface attributes there.

Visibility is settled first (`visible`), attributes are interpolated for the visible samples only (`interpolate`), as in
deferred shading. Everything is float64 and sequential, so that the same input gives the same bytes.
"""

from __future__ import annotations

import numba
import numpy as np

from stages.rendering.mesh import F32, F64, I32

NEAR = 1.0  # cm; triangles with a corner nearer to the camera are skipped


def visible(
    screen: F64, z: F64, faces: I32, height: int, width: int, *, opaque: int, uv: F32, alpha: F32
) -> tuple[I32, F64]:
    """The nearest triangle at each sample centre.

    Args:
        screen: (V, 2) float64, vertices in samples; sample (row, column) has its centre at (column + 0.5, row + 0.5).
        z: (V,) float64, camera depth in cm.
        faces: (F, 3) int32. The first `opaque` triangles are seen from outside only; the rest are hair, seen from both
            sides and only where `alpha` (A, B) float32 at their `uv` (V, 2) is at least 0.5.

    Returns:
        (height, width) int32 triangle or -1, and (height, width) float64 1/z (0 where there is nothing).
    """
    nearest = np.zeros((height, width))
    triangle = np.full((height, width), -1, np.int32)
    _rasterise(screen, 1.0 / np.maximum(z, NEAR), z, faces, opaque, uv, alpha, nearest, triangle)
    return triangle, nearest


@numba.njit(cache=True, nogil=True)
def row_span(row_a: float, step_a: float, row_b: float, step_b: float, x0: int, x1: int) -> tuple[int, int]:
    """The samples x0..x1 of a row that may lie in a triangle, one more on either side against rounding.

    The barycentric weights at sample x are row_a + x step_a, row_b + x step_b and what they lack of 1.
    """
    first, last = float(x0), float(x1)
    row_c, step_c = 1.0 - row_a - row_b, -step_a - step_b
    for row, step in ((row_a, step_a), (row_b, step_b), (row_c, step_c)):
        if step > 1e-12:
            first = max(first, np.ceil(-row / step) - 1.0)
        elif step < -1e-12:
            last = min(last, np.floor(-row / step) + 1.0)
    return (int(first), int(last)) if first <= last else (1, 0)


@numba.njit(cache=True, nogil=True)
def _rasterise(
    screen: F64, inverse: F64, z: F64, faces: I32, opaque: int, uv: F32, alpha: F32, nearest: F64, triangle: I32
) -> None:
    height, width = nearest.shape
    rows, columns = alpha.shape
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        if z[a] < NEAR or z[b] < NEAR or z[c] < NEAR:
            continue
        ax, ay, bx, by, cx, cy = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1]
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        # y points down, so a triangle that is counter-clockwise from outside has negative area when seen
        if area == 0.0 or (area > 0.0 and f < opaque):
            continue
        x0, x1 = max(0, int(np.ceil(min(ax, bx, cx) - 0.5))), min(width - 1, int(np.floor(max(ax, bx, cx) - 0.5)))
        y0, y1 = max(0, int(np.ceil(min(ay, by, cy) - 0.5))), min(height - 1, int(np.floor(max(ay, by, cy) - 0.5)))
        # the edge functions are linear along a row, so each bounds the row's samples from one side
        scale = 1.0 / area
        step_a, step_b = -(cy - by) * scale, -(ay - cy) * scale
        for y in range(y0, y1 + 1):
            py = y + 0.5
            row_a = ((bx - 0.5) * (cy - py) - (cx - 0.5) * (by - py)) * scale
            row_b = ((cx - 0.5) * (ay - py) - (ax - 0.5) * (cy - py)) * scale
            first, last = row_span(row_a, step_a, row_b, step_b, x0, x1)
            for x in range(first, last + 1):
                wa, wb = row_a + x * step_a, row_b + x * step_b
                wc = 1.0 - wa - wb
                if wa < 0.0 or wb < 0.0 or wc < 0.0:
                    continue
                near = wa * inverse[a] + wb * inverse[b] + wc * inverse[c]
                if near <= nearest[y, x]:
                    continue
                if f >= opaque:
                    ka, kb, kc = wa * inverse[a] / near, wb * inverse[b] / near, wc * inverse[c] / near
                    u = ka * uv[a, 0] + kb * uv[b, 0] + kc * uv[c, 0]
                    v = ka * uv[a, 1] + kb * uv[b, 1] + kc * uv[c, 1]
                    i, j = min(max(int(v * rows), 0), rows - 1), min(max(int(u * columns), 0), columns - 1)
                    if alpha[i, j] < 0.5:
                        continue
                nearest[y, x] = near
                triangle[y, x] = f


def interpolate(screen: F64, z: F64, faces: I32, triangle: I32, points: F64, attributes: F32) -> F32:
    """Perspective-correct vertex attributes on the visible triangles.

    Args:
        screen, z, faces: as given to `visible`.
        triangle: (N,) int32, the triangle of each point.
        points: (N, 2) float64 in samples. A point may lie a little outside of its triangle, as the middle of a pixel
            does whose samples straddle an edge: attributes are then extrapolated.
        attributes: (V, C) float32.

    Returns:
        (N, C) float32.
    """
    out = np.empty((len(triangle), attributes.shape[1]), np.float32)
    _gather(screen, 1.0 / z, faces, triangle, points, attributes, out)
    return out


@numba.njit(cache=True, nogil=True)
def _gather(screen: F64, inverse: F64, faces: I32, triangle: I32, points: F64, attributes: F32, out: F32) -> None:
    channels = attributes.shape[1]
    for i in range(triangle.shape[0]):
        px, py = points[i, 0], points[i, 1]
        f = triangle[i]
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, bx, by, cx, cy = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1]
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        wa = ((bx - px) * (cy - py) - (cx - px) * (by - py)) / area * inverse[a]
        wb = ((cx - px) * (ay - py) - (ax - px) * (cy - py)) / area * inverse[b]
        wc = ((ax - px) * (by - py) - (bx - px) * (ay - py)) / area * inverse[c]
        total = wa + wb + wc
        wa, wb, wc = wa / total, wb / total, wc / total
        for k in range(channels):
            out[i, k] = wa * attributes[a, k] + wb * attributes[b, k] + wc * attributes[c, k]
