"""How much melanin, haemoglobin and carotene the skin holds at each point, and the colour that they give it.

Light that comes back from skin is the dermis' colour, dimmed exponentially by melanin above and haemoglobin within it
(after Jimenez et al., "A practical appearance model for dynamic facial color", 2010). Everything that varies over the
face varies the amounts of the pigments, so that all tones between very fair and very dark stay skin-like.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stages.rendering import anatomy, noise
from stages.rendering.anatomy import blob, distance_to, height_on, smoothstep
from stages.rendering.identity import Identity

Floats = NDArray[np.float32]


_DERMIS = np.array([0.90, 0.77, 0.67])
_MELANIN = np.array([0.80, 1.20, 1.58])  # absorbance per unit of melanin, linear R, G, B
_BLOOD = np.array([0.11, 0.78, 0.66])
_CAROTENE = np.array([0.0, 0.07, 0.38])


def colour(identity: Identity, points: Floats) -> Floats:
    """Linear albedo (n, 3) of bare skin at points (n, 3) of the face frame."""
    melanin, blood, carotene = _pigments(identity, points)
    absorbed = melanin[:, None] * _MELANIN + blood[:, None] * _BLOOD + carotene[:, None] * _CAROTENE
    return np.asarray((_DERMIS * np.exp(-absorbed)).astype(np.float32), np.float32)


def _pigments(identity: Identity, points: Floats) -> tuple[Floats, Floats, Floats]:
    """Amounts of melanin, haemoglobin and carotene at each point."""
    seed = identity.seed

    def mottle(name: str, frequency: float, octaves: int = 3) -> Floats:
        return noise.fractal(points, frequency, salt=noise.salt(seed, name), octaves=octaves)

    base = 0.20 + 1.95 * identity.skin_melanin**1.4
    redness = (0.20 + 0.36 * identity.skin_redness) * (1.0 - 0.35 * identity.skin_melanin)
    x, y = np.abs(points[:, 0]), points[:, 1]

    # haemoglobin: cheeks, nose, ears, chin, eyelids; paler round the mouth and on the forehead
    flush = (
        0.75 * blob(points, (4.1, -2.9), (1.5, 1.5))
        + 0.65 * blob(points, (0.0, -3.6), (1.1, 0.9))
        + 0.45 * blob(points, (1.4, -4.2), (0.5, 0.6))
        + 0.35 * blob(points, (0.0, -10.0), (1.3, 0.8))
        + 0.40 * blob(points, (3.1, 0.3), (1.4, 0.5))
        + 0.30 * blob(points, (0.0, 1.6), (0.8, 0.9))
        - 0.30 * blob(points, (2.0, -5.6), (1.2, 0.7))
        - 0.25 * blob(points, (0.0, 5.0), (3.5, 1.8))
    )
    rng = noise.generator(seed, "flush")
    flush *= 0.6 + 0.8 * rng.random()
    blood = redness * (1.0 + flush + 0.9 * anatomy.ear_mask(points))
    blood *= 1.0 + identity.blotch * (0.65 * mottle("blotch", 0.55, 4) + 0.35 * mottle("mottle", 2.6, 3))
    blood += (
        0.05 * identity.blotch * smoothstep(0.30, 0.12, noise.cells(points, 1.6, salt=noise.salt(seed, "spots"))[0])
    )

    # melanin: blotches, freckles, moles, shade round the eyes and mouth of darker skin
    melanin = base * (1.0 + 0.30 * identity.blotch * mottle("tone", 0.35, 4) + 0.10 * mottle("grain", 5.0, 4))
    ring = blob(points, (2.7, -0.3), (1.7, 1.0))
    melanin *= 1.0 + 0.25 * identity.skin_melanin * (ring + blob(points, (0.0, -6.9), (2.6, 1.3)) * 0.6)
    melanin += _freckles(identity, points) + _moles(identity, points)

    # dark circles: veins below the thin skin between lid and tear trough
    away, along = distance_to(anatomy.TEAR_TROUGH, points)
    below_lid = smoothstep(-0.35, -0.75, y - height_on(anatomy.LOWER_LID, points) + 0.2) * (y > -2.2)
    trough = np.exp(-((away / 0.55) ** 2)) * (1.0 - 0.6 * along) + 0.5 * blob(points, (2.5, -1.0), (0.9, 0.5))
    circles = identity.dark_circles * np.maximum(
        trough, 0.3 * below_lid * (x < 4.5) * blob(points, (3.0, -1.0), (1.3, 0.6))
    )
    melanin += circles * (0.16 + 0.16 * base)
    blood += circles * 0.17

    carotene = (
        0.32
        + 0.30 * identity.skin_undertone
        + 0.25 * blob(points, (0.0, 4.5), (4.0, 2.0))
        + 0.2 * mottle("carotene", 0.5)
    )
    blood -= 0.07 * identity.skin_undertone
    return melanin.clip(0.01), blood.clip(0.02).astype(np.float32), carotene.clip(0.0).astype(np.float32)


def _freckles(identity: Identity, points: Floats) -> Floats:
    """Extra melanin of freckles: three sizes, denser on nose and cheeks."""
    if identity.freckles < 0.02:
        return np.zeros(len(points), np.float32)
    where = 0.35 + 0.9 * blob(points, (2.6, -2.2), (2.4, 1.5)) + 0.6 * blob(points, (0.0, -2.2), (1.0, 1.6))
    where = where + 0.2 * blob(points, (0.0, 4.0), (4.0, 2.0))
    total = np.zeros(len(points), np.float32)
    for name, frequency, size in (("freckles-a", 2.4, 0.20), ("freckles-b", 3.8, 0.26), ("freckles-c", 6.0, 0.30)):
        distance, value = noise.cells(points, frequency, salt=noise.salt(identity.seed, name))
        present = smoothstep(0.0, 0.25, identity.freckles * where * 1.1 - value)
        total += present * smoothstep(size * 1.5, size * 0.5, distance) * (0.25 + 0.5 * np.mod(value * 37.0, 1.0))
    return total * 0.75 * (0.35 + identity.freckles)


def _moles(identity: Identity, points: Floats) -> Floats:
    """Extra melanin of single moles, at places of the identity's own."""
    rng = noise.generator(identity.seed, "moles")
    total = np.zeros(len(points), np.float32)
    front = points[points[:, 2] > -2.0]
    for _ in range(identity.moles):
        centre = np.array([rng.uniform(-5.5, 5.5), rng.uniform(-10.0, 5.0)])
        radius = rng.uniform(0.07, 0.20)
        near = front[np.argmin(((front[:, :2] - centre) ** 2).sum(1))]
        distance = np.linalg.norm(points - near, axis=1)
        total += smoothstep(radius * 1.25, radius * 0.6, distance) * np.float32(rng.uniform(0.9, 1.9))
    return total
