"""Colour of the eyeball: pupil, iris with fibres and limbal ring, and the veined white."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.rendering import noise
from stages.rendering.anatomy import smoothstep
from stages.rendering.colour import to_linear
from stages.rendering.identity import Identity

Floats = NDArray[np.float32]

IRIS = np.radians(26.5)  # half-angle of the iris seen from the eye's centre
PUPIL = 0.36  # radius of the pupil as a share of the iris


@dataclass(frozen=True)
class EyeMap:
    """Albedo of an eyeball in polar layout: (rings, sectors, 3) float32 linear.

    Row is the angle from the optical axis over 180 degrees, column the angle about it over 360 degrees from the eye's
    x axis.
    """

    albedo: Floats

    def at(self, direction: Floats) -> Floats:
        """Albedo (n, 3) at unit directions (n, 3) of the eye's own frame, z the optical axis; bilinear."""
        rings, sectors, _ = self.albedo.shape
        row = np.arccos(np.clip(direction[:, 2], -1, 1)) / np.pi * rings - 0.5
        column = np.arctan2(direction[:, 1], direction[:, 0]) / (2 * np.pi) * sectors - 0.5
        r0, c0 = np.floor(row).astype(int), np.floor(column).astype(int)
        fr, fc = (row - r0)[:, None], (column - c0)[:, None]
        r1, c1 = np.clip(r0 + 1, 0, rings - 1), (c0 + 1) % sectors
        r0, c0 = np.clip(r0, 0, rings - 1), c0 % sectors
        top = self.albedo[r0, c0] * (1 - fc) + self.albedo[r0, c1] * fc
        bottom = self.albedo[r1, c0] * (1 - fc) + self.albedo[r1, c1] * fc
        return np.asarray((top * (1 - fr) + bottom * fr).astype(np.float32), np.float32)


def paint(identity: Identity, rings: int = 768, sectors: int = 512) -> EyeMap:
    """Paint both eyes of an identity (they share one map)."""
    angle = (np.arange(rings) + 0.5) / rings * np.pi
    around = (np.arange(sectors) + 0.5) / sectors * 2 * np.pi
    a, t = np.meshgrid(angle, around, indexing="ij")
    radius = (np.sin(a) / np.sin(IRIS)).astype(np.float32)
    radius[a > np.pi / 2] = 9.0
    circle = np.stack([np.cos(t), np.sin(t), np.zeros_like(t)], -1).astype(np.float32)

    # fibres: noise that varies fast around and slowly outward
    fibres = noise.fractal(
        circle * 9.0 + radius[..., None] * 0.6, 1.0, salt=noise.salt(identity.seed, "iris"), octaves=4, gain=0.65
    )
    crypts = noise.fractal(
        circle * 2.5 + radius[..., None] * 2.0, 1.0, salt=noise.salt(identity.seed, "crypts"), octaves=2
    )
    colour = to_linear(np.array(identity.iris_colour))
    # seen through the cornea and in the brow's shade an iris is duller than its pigment
    colour = 0.45 * colour + 0.28 * colour.mean()
    collarette = np.exp(-(((radius - 0.52 - 0.05 * crypts) / 0.12) ** 2))
    warm = to_linear(np.array([0.50, 0.36, 0.17])) * (0.4 + 1.2 * colour.mean())
    mix = (0.35 * collarette)[..., None]
    iris = colour * (1 - mix) + np.maximum(warm, colour) * mix
    iris = iris * (1.15 + 0.95 * fibres + 0.35 * crypts)[..., None].clip(0.25, 2.4)
    iris *= (1.0 - (0.35 + 0.5 * identity.iris_ring) * smoothstep(0.80, 1.0, radius))[..., None]

    direction = np.stack([np.sin(a) * np.cos(t), np.sin(a) * np.sin(t), np.cos(a)], -1).astype(np.float32)
    warped = direction + 0.18 * np.stack([noise.fractal(direction, 3.0, salt=s, octaves=3) for s in (11, 12, 13)], -1)
    veins = np.abs(noise.fractal(warped, 5.0, salt=noise.salt(identity.seed, "veins"), octaves=3))
    thin = smoothstep(0.035, 0.0, veins) * smoothstep(1.25, 1.9, radius) * 0.35
    yellow = smoothstep(1.2, 2.6, radius) * (0.35 + 0.4 * min(1.0, identity.age / 70.0))
    white = np.array([0.66, 0.63, 0.60]) * (1 - yellow[..., None] * np.array([0.05, 0.16, 0.26]))
    white = white * (1 - thin[..., None] * np.array([0.15, 0.65, 0.6]))

    edge = smoothstep(1.10, 0.94, radius)[..., None]
    albedo = white * (1 - edge) + iris * edge
    albedo = albedo * smoothstep(PUPIL - 0.05, PUPIL + 0.05, radius)[..., None] + 0.003
    return EyeMap(np.clip(albedo, 0.0, 0.9).astype(np.float32))
