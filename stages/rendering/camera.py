"""A pinhole camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages.rendering.mesh import F32, F64


@dataclass(frozen=True)
class Camera:
    """A pinhole camera at the origin of camera space, looking along +z.

    width, height: of the picture, pixels. focal: focal length in pixels. The principal point is the picture's middle
    plus `shift` (2,) pixels (a handheld camera's wander).
    """

    width: int
    height: int
    focal: float
    shift: tuple[float, float] = (0.0, 0.0)

    def project(self, points: F32 | F64) -> F64:
        """Camera-space points (N, 3) cm to frame pixels (N, 2) float64; pixel centres lie at +0.5."""
        z = points[:, 2].astype(np.float64)
        x = self.focal * points[:, 0] / z + self.width / 2 + self.shift[0]
        y = self.focal * points[:, 1] / z + self.height / 2 + self.shift[1]
        return np.stack([x, y], 1)
