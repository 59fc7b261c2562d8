"""The light on a performance: a key, a fill and a rim lamp, and a soft environment around them, chosen by a seed.

All directions are in camera space (x to the picture's right, y down, z away from the camera) and point from the
subject toward the light, so light stays put while the head turns. Colours are linear RGB.

The environment is kept as spherical harmonics to the second order, which hold 99% of what a diffuse surface sees
(Ramamoorthi and Hanrahan, "An efficient representation for irradiance environment maps", 2001).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stages.rendering import noise

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Lamp:
    """A distant light: `direction` (3,) unit, toward it; `colour` (3,) linear irradiance on a surface that faces it."""

    direction: Floats
    colour: Floats


@dataclass(frozen=True)
class Light:
    """Everything that lights a scene.

    key: the main lamp, the one that casts the shadow. fill: from the other side, large and soft. rim: from behind.
    harmonics: (9, 3) float64, irradiance coefficients of the environment in the order of :func:`basis`.
    exposure: factor on the linear picture before the film curve. window: (3,) unit, toward the bright shape that shows
        in the eyes.
    """

    key: Lamp
    fill: Lamp
    rim: Lamp
    harmonics: Floats
    exposure: float
    window: Floats

    @property
    def direction(self) -> NDArray[np.float32]:
        """Unit vector (3,) float32 from the subject toward the key, for its shadow map."""
        return self.key.direction.astype(np.float32)

    @classmethod
    def from_seed(cls, seed: int) -> Light:
        """An interior: a key from 20 to 60 degrees aside, warm or cool, hard or soft against its fill."""
        rng = noise.generator(seed, "light")
        side = 1.0 if rng.random() < 0.5 else -1.0
        warmth = rng.uniform(-1.0, 1.0)
        key = Lamp(_direction(side * rng.uniform(18, 52), rng.uniform(18, 45)), rng.uniform(1.05, 1.5) * _tint(warmth))
        fill_strength = rng.uniform(0.10, 0.34)
        fill = Lamp(_direction(-side * rng.uniform(30, 65), rng.uniform(0, 20)), fill_strength * _tint(-0.7 * warmth))
        rim = Lamp(
            _direction(-side * rng.uniform(125, 160), rng.uniform(20, 45)), rng.uniform(0.15, 0.9) * _tint(-warmth)
        )
        ambient = rng.uniform(0.17, 0.32)
        walls = [
            (np.array([0.0, -1.0, 0.0]), 0.35 * _tint(0.3 * warmth)),  # ceiling
            (np.array([0.0, 1.0, 0.1]), -0.20 * _tint(0.0)),  # floor, darker
            (key.direction, 0.45 * _tint(warmth)),
            (_direction(rng.uniform(-180, 180), rng.uniform(-10, 30)), 0.35 * _tint(rng.uniform(-1, 1))),
        ]
        harmonics = np.zeros((9, 3))
        harmonics[0] = ambient * _tint(-0.2 * warmth)
        for direction, colour in walls:
            harmonics += 0.5 * ambient * np.outer(_lobe(direction), colour)
        exposure = float(rng.uniform(0.88, 1.12))
        window = _direction(side * rng.uniform(12, 24), rng.uniform(12, 20))
        return cls(key, fill, rim, harmonics, exposure, window)

    @classmethod
    def by_chance(cls, chance: np.random.Generator, hard: float) -> Light:
        """One of all interiors; a share `hard` of them leaves half of a face in a shadow with an edge."""
        light, share = cls.from_seed(int(chance.integers(2**31))), chance.random()
        angle, fill, room = chance.normal(0.0, 35.0), chance.uniform(0.1, 0.5), chance.uniform(0.4, 0.9)
        return light if share >= hard else light.turned(float(angle)).hardened(1.5, float(fill), float(room))

    def turned(self, degrees: float) -> Light:
        """The key and its window in the eyes gone round the vertical."""
        angle = np.radians(degrees)
        turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
        key = replace(self.key, direction=turn @ self.key.direction)
        return replace(self, key=key, window=turn @ self.window)

    def hardened(self, key: float, fill: float, room: float) -> Light:
        """The same with so much of the key's, the fill's and the environment's light."""
        return replace(
            self,
            key=replace(self.key, colour=key * self.key.colour),
            fill=replace(self.fill, colour=fill * self.fill.colour),
            harmonics=room * self.harmonics,
        )


def basis(normals: NDArray[np.floating]) -> Floats:
    """The nine real spherical harmonics at unit vectors (n, 3), scaled so that the first is 1: (n, 9)."""
    x, y, z = normals.T.astype(np.float64)
    one = np.ones_like(x)
    return np.stack([one, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], 1)


def _lobe(direction: Floats) -> Floats:
    """Irradiance coefficients of a distant spot of light, by the clamped cosine's band weights 1, 2/3 and 1/4."""
    band = np.array([1.0, *[2.0 / 3.0 * 3.0] * 3, *[0.25 * 15.0] * 2, 0.25 * 5.0 / 4.0, 0.25 * 15.0, 0.25 * 15.0 / 4.0])
    return np.asarray(band * basis(direction[None] / np.linalg.norm(direction))[0] * 0.5, np.float64)


def _direction(aside: float, up: float) -> Floats:
    """Unit vector toward a light `aside` degrees to the picture's right of the camera and `up` degrees above it."""
    a, u = np.radians(aside), np.radians(up)
    return np.array([np.sin(a) * np.cos(u), -np.sin(u), -np.cos(a) * np.cos(u)])


def _tint(warmth: float) -> Floats:
    """Colour of unit luminance between cool daylight (-1) and a warm lamp (1)."""
    colour = np.array([1.0 + 0.11 * warmth, 1.0, 1.0 - 0.17 * warmth])
    return np.asarray(colour / (colour @ [0.2126, 0.7152, 0.0722]), np.float64)
