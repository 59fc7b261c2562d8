"""Lips: colour, fine vertical lines and moisture over the vermilion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stages.rendering import anatomy, noise
from stages.rendering.anatomy import smoothstep
from stages.rendering.colour import to_linear
from stages.rendering.identity import Identity

Floats = NDArray[np.float32]


def fullness(identity: Identity) -> float:
    """How far the painted border lies outside the mesh's own, cm; small, from the identity's seed."""
    return float(noise.generator(identity.seed, "lip border").uniform(-0.10, 0.10))


def paint(
    identity: Identity,
    points: Floats,
    mask: Floats,
    albedo: NDArray[np.floating],
    height: Floats,
    roughness: Floats,
    gloss: Floats,
) -> tuple[NDArray[np.floating], Floats, Floats, Floats]:
    """Lay the lips over painted skin.

    Args:
        identity: whose.
        points: (n, 3) face frame, cm.
        mask: (n,) 0..1 from :func:`anatomy.lip_mask`.
        albedo: (n, 3) linear.
        height: (n,) cm; roughness, gloss: (n,).

    Returns:
        albedo, height, roughness and gloss with lips.
    """
    x, y = points[:, 0], points[:, 1]
    wander = noise.fractal(points, 2.0, salt=noise.salt(identity.seed, "lips"), octaves=3)
    ridges = np.sin(x * 26.0 + 5.0 * wander) * np.exp(-((x / 2.2) ** 2))
    shade = 1.0 + 0.10 * wander + 0.05 * ridges
    # darker toward the mouth's line, where moisture and shadow gather
    shade = shade * (1.0 - 0.45 * np.exp(-(((y - anatomy.MOUTH_LINE) / 0.16) ** 2)))
    # the skin's own tone with more blood in it, under the identity's lip colour
    natural = albedo * np.array([0.86, 0.50, 0.52])
    colour = (0.45 * natural + 0.55 * to_linear(np.array(identity.lip_colour))) * shade[:, None]
    cover = (mask * 0.95)[:, None]
    painted = albedo * (1.0 - cover) + colour * cover
    rim = smoothstep(0.5, 0.2, np.abs(mask - 0.35))[:, None] * 0.06
    painted = painted * (1.0 - rim) + rim * np.minimum(painted * 1.35, 1.0)
    height = height * (1.0 - 0.6 * mask) + mask * 0.010 * ridges
    roughness = roughness * (1.0 - mask) + (0.48 - 0.26 * identity.lip_gloss) * mask
    gloss = gloss * (1.0 - mask) + (0.6 + 0.9 * identity.lip_gloss) * mask
    return painted, height.astype(np.float32), roughness.astype(np.float32), gloss.astype(np.float32)
