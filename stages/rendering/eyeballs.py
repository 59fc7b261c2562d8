"""Eyeballs: a sphere with a corneal bulge, finer towards the iris."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages.rendering.block import Block, grid_faces
from stages.rendering.mesh import F64, Part

RINGS, SECTORS = 28, 40
CORNEA = np.radians(29.0)  # half-angle of the cornea seen from the eye's centre
BULGE = 0.10  # height of the cornea over the sphere, in radii


def profile(angle: F64) -> F64:
    """Distance of the surface from the eye's centre in radii, for an angle (any shape) from the optical axis."""
    inside = np.clip(1.0 - (angle / CORNEA) ** 2, 0.0, 1.0)
    bulging: F64 = 1.0 + BULGE * inside**1.5
    return bulging


@dataclass(frozen=True)
class Eyeball:
    """An eyeball's mesh (its first vertex is the pole of the iris), its centre (3,) and its radius, cm."""

    block: Block
    centre: F64
    radius: float


def eyeball(guide: F64) -> Eyeball:
    """An eyeball in the place of MakeHuman's coarse one, `guide` (72, 3) cm.

    The guide's front carries a bulge, so the radius comes from its width and height and the centre from its back.
    """
    low, high = guide.min(0), guide.max(0)
    radius = float((high - low)[:2].mean() / 2)
    centre = np.array([*(low + high)[:2] / 2, low[2] + radius])
    angle = np.pi * (np.arange(RINGS) / (RINGS - 1)) ** 1.6
    around = 2.0 * np.pi * np.arange(SECTORS) / SECTORS
    a, t = (grid.ravel() for grid in np.meshgrid(angle, around, indexing="ij"))
    direction = np.stack([np.sin(a) * np.cos(t), np.sin(a) * np.sin(t), np.cos(a)], 1)
    spread = (a / np.pi)[:, None]
    block = Block(
        positions=centre + radius * profile(a)[:, None] * direction,
        rest=direction,
        uv=0.5 + spread * np.stack([np.cos(t), -np.sin(t)], 1),
        faces=grid_faces(RINGS, SECTORS, wrap=True),
        parts=np.full(2 * (RINGS - 1) * SECTORS, Part.EYE, np.uint8),
        weld=np.where(a == 0.0, 0, np.arange(len(a))).astype(np.int32),
        neck=np.ones(len(a), np.float32),
    )
    return Eyeball(block, centre, radius)
