"""The skin's fine shape: pores, and the lines and folds that age and habit draw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stages.rendering import anatomy, noise
from stages.rendering.anatomy import blob, distance_to, smoothstep
from stages.rendering.identity import Identity

Floats = NDArray[np.float32]


def relief(identity: Identity, points: Floats) -> tuple[Floats, Floats]:
    """Height of the skin in cm and how much its creases darken it (0..1)."""
    seed, age = identity.seed, identity.wrinkles
    x, y = np.abs(points[:, 0]), points[:, 1]
    nose = blob(points, (0.0, -3.3), (1.3, 1.1)) + blob(points, (2.4, -2.8), (1.4, 1.2))
    distance, value = noise.cells(points, 7.5, salt=noise.salt(seed, "pores"))
    pore = smoothstep(0.42, 0.05, distance) * (0.3 + 0.7 * value) * (0.35 + 0.9 * nose).clip(0, 1.2)
    fine = noise.fractal(points, 9.0, salt=noise.salt(seed, "fine"), octaves=3)
    coarse = noise.fractal(points, 2.2, salt=noise.salt(seed, "coarse"), octaves=3)
    height = identity.pores * (-0.012 * pore + 0.0075 * fine) + (0.006 + 0.006 * age) * coarse
    crease = identity.pores * 0.14 * pore

    warp = noise.fractal(points, 0.8, salt=noise.salt(seed, "wander"), octaves=2)
    lines = _forehead_lines(identity, points, warp) + _eye_lines(identity, points, warp)
    away, along = distance_to(anatomy.NASOLABIAL, points)
    fold = np.exp(-(((away + 0.12 * warp) / (0.10 + 0.12 * age)) ** 2)) * np.sin(
        np.pi * np.clip(along * 0.85 + 0.12, 0, 1)
    )
    away, along = distance_to(anatomy.TEAR_TROUGH, points)
    bag = np.exp(-((away / 0.16) ** 2)) * np.sin(np.pi * along)
    frown = blob(points, (0.42 + 0.0, 1.9), (0.09, 0.55)) * np.float32(max(0.0, age - 0.2))
    marionette = (
        np.exp(-(((x - 2.75 - 0.05 * (-7.0 - y)) / 0.12) ** 2)) * smoothstep(-9.0, -8.0, y) * smoothstep(-6.8, -7.4, y)
    )
    marionette = marionette * smoothstep(-2.0, 0.0, points[:, 2]) * np.float32(age)
    neck = np.sin(y * 3.3 + 2.2 * warp) ** 16 * smoothstep(-11.5, -13.0, y) * np.float32(0.3 + age)
    folds = (0.12 + 0.75 * age) * fold + 0.55 * age * bag + 0.8 * frown + 0.7 * marionette + 0.4 * neck
    total = age * lines + folds
    return (height - 0.045 * total).astype(np.float32), np.clip(crease + 0.15 * total, 0.0, 0.6).astype(np.float32)


def _forehead_lines(identity: Identity, points: Floats, warp: Floats) -> Floats:
    rng = noise.generator(identity.seed, "forehead")
    x, y = np.abs(points[:, 0]), points[:, 1]
    total = np.zeros(len(points), np.float32)
    for k in range(4):
        level = 2.9 + 0.75 * k + rng.uniform(-0.15, 0.15)
        line = y - level - 0.25 * np.cos(x * rng.uniform(0.5, 0.9)) - 0.22 * warp
        total += np.exp(-((line / 0.085) ** 2)) * np.float32(rng.uniform(0.4, 1.0))
    return total * smoothstep(5.2, 3.4, x) * smoothstep(-1.0, 0.5, points[:, 2])


def _eye_lines(identity: Identity, points: Floats, warp: Floats) -> Floats:
    """Crow's feet and fine lines below the eye."""
    x, y = np.abs(points[:, 0]), points[:, 1]
    angle = np.arctan2(y + 0.1, x - 4.2) + 0.35 * warp
    radius = np.hypot(x - 4.2, y + 0.1)
    feet = (
        np.cos(angle * 9.0) ** 8 * smoothstep(0.35, 0.7, radius) * smoothstep(2.0, 1.0, radius) * (np.abs(angle) < 0.9)
    )
    below = np.sin((y - 0.12 * x + 0.2 * warp) * 16.0) ** 6 * blob(points, (3.2, -1.05), (0.9, 0.3))
    return np.asarray(((0.8 * feet + 0.45 * below) * (points[:, 2] > -4.0)).astype(np.float32), np.float32)
