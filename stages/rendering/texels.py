"""Where on the template head each texel of a performer's skin texture lies, and how texel values become pictures."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numba
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stages.rendering import atlas

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Texels:
    """Where the texels of a square texture lie on the template head.

    Attributes:
        size: texels along a side.
        texels: (n, 2) int32 row and column of the n texels that some triangle covers.
        points: (n, 3) float32 their positions on the template head, see :mod:`stages.rendering.anatomy`.
        nearest: (size, size) int32 index of the covered texel nearest to each texel: fills the gaps between islands,
            so that filtering across an island's edge never meets a hole.
        triangle: (n,) int32 the triangle that covers the texel; weights: (n, 3) float32 its barycentric weights there.
    """

    size: int
    texels: NDArray[np.int32]
    points: Floats
    nearest: NDArray[np.int32]
    triangle: NDArray[np.int32]
    weights: Floats

    def sample(self, faces: NDArray[np.int32], values: Floats) -> Floats:
        """Values (v,) given at the vertices, interpolated at the texels: (n,) float32; `faces` as in :func:`bake`."""
        return np.asarray(
            np.einsum("nk,nk->n", values[faces[self.triangle]], self.weights).astype(np.float32), np.float32
        )

    def spread(self, values: NDArray[np.floating]) -> Floats:
        """Lay per-texel values (n,) or (n, c) out as a picture (size, size[, c]) float32 without holes."""
        return np.ascontiguousarray(values.astype(np.float32)[self.nearest])

    def surface_gradient(self, height: Floats) -> Floats:
        """Gradient along the surface of a height given per texel, in the space of `points`.

        Args:
            height: (n,) float32 in the unit of `points`.

        Returns:
            (n, 3) float32; a normal n becomes n - gradient, renormalised.
        """
        h, p = self.spread(height), self.spread(self.points)
        dh = [cv2.Sobel(h, cv2.CV_32F, dx, 1 - dx, ksize=3) / 8 for dx in (1, 0)]
        dp = [cv2.Sobel(p, cv2.CV_32F, dx, 1 - dx, ksize=3) / 8 for dx in (1, 0)]
        row, column = self.texels.T
        (hx, hy), (px, py) = [d[row, column] for d in dh], [d[row, column] for d in dp]
        # metric tensor of the parametrisation and its inverse
        xx, xy, yy = (px * px).sum(1), (px * py).sum(1), (py * py).sum(1)
        determinant = np.maximum(xx * yy - xy * xy, 1e-14)
        a, b = (yy * hx - xy * hy) / determinant, (xx * hy - xy * hx) / determinant
        gradient = a[:, None] * px + b[:, None] * py
        length = np.linalg.norm(gradient, axis=1, keepdims=True)
        return np.asarray((gradient / np.maximum(1.0, length / 0.6)).astype(np.float32), np.float32)


def bake(points: Floats, uv: Floats, faces: NDArray[np.int32], size: int) -> Texels:
    """Rasterise the template head in texture space.

    Args:
        points: (v, 3) float32 positions of the vertices on the template head.
        uv: (v, 2) float32 MakeHuman texture coordinates of the vertices (vertices are split along seams).
        faces: (f, 3) int32 triangles of skin.
        size: texels along a side.
    """
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size
    raw = atlas.from_atlas(np.stack(np.meshgrid(centres, centres), -1)).astype(np.float64)
    corners = atlas.to_atlas(uv)[faces] * size
    index, weights = _cover(corners.astype(np.float64), uv[faces].astype(np.float64), raw)
    row, column = np.nonzero(index >= 0)
    triangle, within = index[row, column], weights[row, column]
    on_surface = np.einsum("nkc,nk->nc", points[faces[triangle]], within).astype(np.float32)
    number = np.full((size, size), -1, np.int32)
    number[row, column] = np.arange(len(row), dtype=np.int32)
    near_row, near_column = ndimage.distance_transform_edt(number < 0, return_distances=False, return_indices=True)
    texels = np.stack([row, column], 1).astype(np.int32)
    return Texels(size, texels, on_surface, number[near_row, near_column], triangle, within)


@numba.njit(cache=True)
def _cover(
    corners: NDArray[np.float64], raw_corners: NDArray[np.float64], raw: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """For each texel centre the triangle over it (the last one wins) and its barycentric weights.

    `corners` (f, 3, 2) in texels bound the search; `raw_corners` (f, 3, 2) and `raw` (size, size, 2) are the same
    in MakeHuman's coordinates, in which triangles are straight.
    """
    size = raw.shape[0]
    index = np.full((size, size), -1, np.int32)
    weights = np.zeros((size, size, 3), np.float32)
    for f in range(corners.shape[0]):
        a, b, c = raw_corners[f, 0], raw_corners[f, 1], raw_corners[f, 2]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
        if abs(area) < 1e-14:
            continue
        x0 = max(0, int(np.floor(corners[f, :, 0].min() - 0.5)))
        x1 = min(size - 1, int(np.ceil(corners[f, :, 0].max())))
        y0 = max(0, int(np.floor(corners[f, :, 1].min() - 0.5)))
        y1 = min(size - 1, int(np.ceil(corners[f, :, 1].max())))
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                px, py = raw[y, x, 0], raw[y, x, 1]
                w1 = ((px - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (py - a[1])) / area
                w2 = ((b[0] - a[0]) * (py - a[1]) - (px - a[0]) * (b[1] - a[1])) / area
                if w1 < -1e-9 or w2 < -1e-9 or w1 + w2 > 1.0 + 1e-9:
                    continue
                index[y, x] = f
                weights[y, x, 0], weights[y, x, 1], weights[y, x, 2] = 1 - w1 - w2, w1, w2
    return index, weights
