"""What clear panes add to a picture: they dim a little what is behind them and mirror the room before them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stages.rendering import rasteriser
from stages.rendering.anatomy import smoothstep
from stages.rendering.camera import Camera
from stages.rendering.light import Light, basis
from stages.rendering.mesh import F32
from stages.rendering.occluders.prop import Pane

_THROUGH = np.float32(0.93)
_MIRRORS = 0.05  # of the light that comes straight on; both faces of a coated pane


def glaze(linear: F32, depth: F32, panes: Sequence[Pane], camera: Camera, light: Light) -> F32:
    """A picture seen through panes.

    Args:
        linear: (H, W, 3) float32.
        depth: (H, W) float32 cm of what is seen, 0 where there is nothing.
        panes: in camera space.
        camera: of the picture.
        light: the scene's, camera space.
    """
    result = linear
    for pane in panes:
        screen, z = camera.project(pane.positions), pane.positions[:, 2].astype(np.float64)
        uv, alpha = np.zeros((len(z), 2), np.float32), np.ones((1, 1), np.float32)
        triangle, near = rasteriser.visible(
            screen, z, pane.faces, camera.height, camera.width, opaque=0, uv=uv, alpha=alpha
        )
        before = (triangle >= 0) & ((depth == 0.0) | (near * depth > 1.0))
        rows, columns = np.nonzero(before)
        if not len(rows):
            continue
        result = result.copy() if result is linear else result
        points = np.stack([columns + 0.5, rows + 0.5], 1)
        table = np.concatenate([pane.positions, pane.normals], 1).astype(np.float32)
        values = rasteriser.interpolate(screen, z, pane.faces, triangle[rows, columns], points, table)
        result[rows, columns] = _THROUGH * result[rows, columns] + _mirrored(values[:, :3], values[:, 3:], light)
    return result


def _mirrored(position: F32, normal: F32, light: Light) -> F32:
    """The light that points (n, 3) with normals (n, 3) mirror to the camera: the room, and a window in it."""
    normal = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    view = -position / np.linalg.norm(position, axis=1, keepdims=True)
    cosine = np.abs((normal * view).sum(1))
    mirrored = 2.0 * (normal * view).sum(1, keepdims=True) * normal - view
    fresnel = _MIRRORS + (1.0 - _MIRRORS) * (1.0 - cosine) ** 5
    room = np.maximum(basis(mirrored) @ light.harmonics, 0.02)
    window = smoothstep(np.cos(np.radians(17.0)), np.cos(np.radians(14.0)), mirrored @ light.window)
    glow = 2.2 * window[:, None] * light.key.colour
    return np.asarray(fresnel[:, None] * (room + glow) * light.exposure, np.float32)
