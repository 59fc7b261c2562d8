"""The skin of a performer: colour, relief and gloss, painted on the template head's surface from the identity alone.

Colour follows a two-pigment model: light that comes back from skin is the dermis' colour, dimmed exponentially by
melanin above and haemoglobin within it (after Jimenez et al., "A practical appearance model for dynamic facial
color", 2010). Everything that varies over the face (flush, freckles, shadows of stubble) varies the amounts of the
two pigments, so that all tones between very fair and very dark stay skin-like.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.rendering import anatomy, brows, lips, noise
from stages.rendering.anatomy import blob, distance_to, height_on, smoothstep
from stages.rendering.colour import to_linear
from stages.rendering.identity import Identity
from stages.rendering.mesh import Head, Part
from stages.rendering.texels import Texels, bake

Floats = NDArray[np.float32]

_DERMIS = np.array([0.90, 0.77, 0.67])
_MELANIN = np.array([0.80, 1.20, 1.58])  # absorbance per unit of melanin, linear R, G, B
_BLOOD = np.array([0.11, 0.78, 0.66])
_CAROTENE = np.array([0.0, 0.07, 0.38])
_BODY_PARTS = (Part.SKIN, Part.LIPS, Part.EAR, Part.NECK, Part.MOUTH)


@dataclass(frozen=True)
class SkinMaps:
    """The painted skin, as pictures in texture space (v down).

    colour: (size, size, 4) float32, linear albedo R, G, B 0..1 and roughness 0..1.
    relief: (size, size, 4) float32, gradient of the skin's height (x, y, z, head space; a normal n becomes
        n - gradient) and the strength of the specular reflection relative to plain skin.
    """

    colour: Floats
    relief: Floats


def paint(identity: Identity, head: Head, size: int = 1024) -> SkinMaps:
    """Paint an identity's skin maps; same identity, same bytes.

    Args:
        identity: whose.
        head: any identity's head: only what all heads share is used.
        size: texels along a side; 1024 serves faces of about 400 px.
    """
    body = np.isin(head.parts, _BODY_PARTS)
    texels = bake(head.rest, head.uv, head.faces[body], size)
    cavity = _cavity(texels, head, body)
    points = anatomy.face_frame(texels.points)
    melanin, blood, carotene = _pigments(identity, points)
    absorbed = melanin[:, None] * _MELANIN + blood[:, None] * _BLOOD + carotene[:, None] * _CAROTENE
    albedo = _DERMIS * np.exp(-absorbed)
    height, crease = _relief(identity, points)
    albedo *= (1.0 - crease)[:, None] ** np.array([0.75, 1.0, 1.1])
    roughness, gloss = _gloss(identity, points)

    albedo = _stubble(identity, points, albedo)
    albedo = _hair_roots(identity, points, albedo)
    on_lips = anatomy.lip_mask(points, 0.09, lips.fullness(identity))
    albedo, height, roughness, gloss = lips.paint(identity, points, on_lips, albedo, height, roughness, gloss)
    albedo = _lids(identity, points, albedo)
    inside = np.array([0.28, 0.075, 0.065])
    albedo = albedo * (1.0 - cavity[:, None]) + inside * cavity[:, None]
    roughness, gloss = roughness * (1 - cavity) + 0.25 * cavity, gloss * (1 - cavity) + 1.2 * cavity

    colour = np.concatenate([np.clip(albedo, 0.002, 0.95), roughness[:, None]], 1)
    relief = np.concatenate([texels.surface_gradient(height), gloss[:, None]], 1)
    return SkinMaps(texels.spread(colour), texels.spread(relief))


def _cavity(texels: Texels, head: Head, body: NDArray[np.bool_]) -> Floats:
    """1 on texels inside the mouth."""
    inside = np.zeros(len(head.rest), np.float32)
    inside[head.faces[head.parts == Part.MOUTH].ravel()] = 1.0
    inside[head.faces[np.isin(head.parts, (Part.LIPS, Part.SKIN))].ravel()] = 0.0
    return texels.sample(head.faces[body], inside)


def _pigments(identity: Identity, points: Floats) -> tuple[Floats, Floats, Floats]:
    """Amounts of melanin, haemoglobin and carotene at each point."""
    seed = identity.seed

    def mottle(name: str, frequency: float, octaves: int = 3) -> Floats:
        return noise.fractal(points, frequency, salt=noise.salt(seed, name), octaves=octaves)

    base = 0.12 + 2.0 * identity.skin_melanin**1.45
    redness = (0.12 + 0.36 * identity.skin_redness) * (1.0 - 0.35 * identity.skin_melanin)
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
    blood += 0.05 * identity.blotch * smoothstep(0.30, 0.12, noise.cells(points, 1.6, salt=noise.salt(seed, "spots"))[0])

    # melanin: blotches, freckles, moles, shade round the eyes and mouth of darker skin
    melanin = base * (1.0 + 0.30 * identity.blotch * mottle("tone", 0.35, 4) + 0.10 * mottle("grain", 5.0, 4))
    ring = blob(points, (2.7, -0.3), (1.7, 1.0))
    melanin *= 1.0 + 0.25 * identity.skin_melanin * (ring + blob(points, (0.0, -6.9), (2.6, 1.3)) * 0.6)
    melanin += _freckles(identity, points) + _moles(identity, points)

    # dark circles: veins below the thin skin between lid and tear trough
    away, along = distance_to(anatomy.TEAR_TROUGH, points)
    below_lid = smoothstep(-0.35, -0.75, y - height_on(anatomy.LOWER_LID, points) + 0.2) * (y > -2.2)
    trough = np.exp(-((away / 0.55) ** 2)) * (1.0 - 0.6 * along) + 0.5 * blob(points, (2.5, -1.0), (0.9, 0.5))
    circles = identity.dark_circles * np.maximum(trough, 0.3 * below_lid * (x < 4.5) * blob(points, (3.0, -1.0), (1.3, 0.6)))
    melanin += circles * (0.16 + 0.16 * base)
    blood += circles * 0.17

    carotene = 0.32 + 0.30 * identity.skin_undertone + 0.25 * blob(points, (0.0, 4.5), (4.0, 2.0)) + 0.2 * mottle("carotene", 0.5)
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


def _relief(identity: Identity, points: Floats) -> tuple[Floats, Floats]:
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
    fold = np.exp(-(((away + 0.12 * warp) / (0.10 + 0.12 * age)) ** 2)) * np.sin(np.pi * np.clip(along * 0.85 + 0.12, 0, 1))
    away, along = distance_to(anatomy.TEAR_TROUGH, points)
    bag = np.exp(-((away / 0.16) ** 2)) * np.sin(np.pi * along)
    frown = blob(points, (0.42 + 0.0, 1.9), (0.09, 0.55)) * np.float32(max(0.0, age - 0.2))
    marionette = np.exp(-(((x - 2.75 - 0.05 * (-7.0 - y)) / 0.12) ** 2)) * smoothstep(-9.0, -8.0, y) * smoothstep(-6.8, -7.4, y)
    marionette = marionette * smoothstep(-2.0, 0.0, points[:, 2]) * np.float32(age)
    neck = np.sin(y * 3.3 + 2.2 * warp) ** 16 * smoothstep(-11.5, -13.0, y) * np.float32(0.3 + age)
    folds = (0.12 + 0.75 * age) * fold + 0.55 * age * bag + 0.8 * frown + 0.7 * marionette + 0.4 * neck
    total = age * lines + folds
    return (height - 0.045 * total).astype(np.float32), np.clip(crease + 0.20 * total, 0.0, 0.6).astype(np.float32)


def _forehead_lines(identity: Identity, points: Floats, warp: Floats) -> Floats:
    rng = noise.generator(identity.seed, "forehead")
    x, y = np.abs(points[:, 0]), points[:, 1]
    total = np.zeros(len(points), np.float32)
    for k in range(4):
        level = 2.9 + 0.75 * k + rng.uniform(-0.15, 0.15)
        line = y - level - 0.25 * np.cos(x * rng.uniform(0.5, 0.9)) - 0.35 * warp
        total += np.exp(-((line / 0.085) ** 2)) * np.float32(rng.uniform(0.4, 1.0))
    return total * smoothstep(5.2, 3.4, x) * smoothstep(-1.0, 0.5, points[:, 2])


def _eye_lines(identity: Identity, points: Floats, warp: Floats) -> Floats:
    """Crow's feet and fine lines below the eye."""
    x, y = np.abs(points[:, 0]), points[:, 1]
    angle = np.arctan2(y + 0.1, x - 4.2) + 0.35 * warp
    radius = np.hypot(x - 4.2, y + 0.1)
    feet = np.cos(angle * 9.0) ** 8 * smoothstep(0.35, 0.7, radius) * smoothstep(2.0, 1.0, radius) * (np.abs(angle) < 0.9)
    below = np.sin((y - 0.12 * x + 0.2 * warp) * 16.0) ** 6 * blob(points, (3.2, -1.05), (0.9, 0.3))
    return ((0.8 * feet + 0.45 * below) * (points[:, 2] > -4.0)).astype(np.float32)


def _gloss(identity: Identity, points: Floats) -> tuple[Floats, Floats]:
    """Roughness 0..1 and relative specular strength: forehead, nose and cheekbones shine first."""
    t_zone = (
        blob(points, (0.0, 4.0), (2.8, 1.6)) + blob(points, (0.0, -2.6), (0.8, 1.6)) + 0.7 * blob(points, (4.0, -1.8), (1.2, 0.8))
    ).clip(0, 1)
    patches = noise.fractal(points, 1.3, salt=noise.salt(identity.seed, "oil"), octaves=3)
    oil = identity.oiliness * (0.45 + 0.75 * t_zone) * (1.0 + 0.5 * patches)
    roughness = np.clip(0.58 - 0.24 * oil, 0.28, 0.7)
    return roughness.astype(np.float32), np.clip(0.55 + 0.9 * oil, 0.3, 1.6).astype(np.float32)


def _stubble(identity: Identity, points: Floats, albedo: NDArray[np.floating]) -> NDArray[np.floating]:
    """Shadow of shaven or short beard hair: bluish-grey in fair skin, with single dark roots."""
    amount = _beard_area(identity, points)
    if not amount.any():
        return albedo
    distance, value = noise.cells(points, 9.0, salt=noise.salt(identity.seed, "stubble"))
    dots = smoothstep(0.5, 0.2, distance) * (value < 0.4 + 0.6 * identity.beard_density)
    cover = amount * (0.40 + 0.45 * dots) * (0.35 + 0.65 * identity.beard_density)
    hair = to_linear(np.array(identity.beard_colour)) * 0.8 + albedo * np.array([0.16, 0.2, 0.24])
    return albedo * (1.0 - cover[:, None]) + hair * cover[:, None]


def _beard_area(identity: Identity, points: Floats) -> Floats:
    patch = 1.0 + 0.8 * noise.fractal(points, 0.7, salt=noise.salt(identity.seed, "beard"), octaves=3)
    style = identity.beard_style
    shaven = np.float32(0.22 * identity.masculinity * (identity.masculinity > 0.5))
    area = anatomy.beard_mask(points) * shaven
    if style == "stubble":
        area = anatomy.beard_mask(points) * 0.9
    elif style == "full":
        area = anatomy.beard_mask(points) * 1.25
    elif style == "goatee":
        area = np.maximum(area, np.maximum(anatomy.goatee_mask(points), anatomy.moustache_mask(points)) * 0.9)
    elif style == "moustache":
        area = np.maximum(area, anatomy.moustache_mask(points) * 0.9)
    return (area * patch).clip(0.0, 1.0).astype(np.float32)


def _hair_roots(identity: Identity, points: Floats, albedo: NDArray[np.floating]) -> NDArray[np.floating]:
    """Scalp seen through hair, and the soft shadow of the brows."""
    hair = to_linear(np.array(identity.hair_colour)) * (0.7 if identity.hair_style == "buzz" else 0.3)
    jag = 0.35 * noise.fractal(points, 2.0, salt=noise.salt(identity.seed, "hairline"), octaves=3)
    shifted = points + np.stack([np.zeros_like(jag), jag, np.zeros_like(jag)], 1)
    scalp = anatomy.scalp_mask(shifted, identity.hairline)
    cover = scalp * np.float32({"bald": 0.10, "buzz": 0.86}.get(identity.hair_style, 0.88))
    albedo = albedo * (1.0 - cover[:, None]) + hair * cover[:, None]
    brow = 0.45 * identity.brow_density * brows.brow_mask(identity, points)[:, None]
    return albedo * (1.0 - brow) + to_linear(np.array(identity.brow_colour)) * 0.8 * brow


def _lids(identity: Identity, points: Floats, albedo: NDArray[np.floating]) -> NDArray[np.floating]:
    """Line of the lashes' roots, eyeliner, and the moist inner corner."""
    x, y = np.abs(points[:, 0]), points[:, 1]
    over = y - height_on(anatomy.UPPER_LID, points)
    under = height_on(anatomy.LOWER_LID, points) - y
    near = smoothstep(1.5, 2.0, x) * smoothstep(4.9, 4.35, x) * (points[:, 2] > -3.0)
    width = 0.07 + 0.10 * identity.eyeliner
    dark = 0.45 + 0.2 * identity.lash_length + 0.35 * identity.eyeliner
    upper = dark * smoothstep(width * 1.6, width * 0.4, over) * (over > -0.5)
    lower = (0.25 + 0.6 * identity.eyeliner) * smoothstep(0.14, 0.02, under) * (under > -0.3)
    line = (np.maximum(upper, lower) * near).clip(0.0, 1.0)[:, None]
    ink = np.array([0.018, 0.012, 0.010]) + 0.12 * albedo * (1.0 - identity.eyeliner)
    albedo = albedo * (1.0 - line) + ink * line
    corner = blob(points, (1.72, -0.18), (0.16, 0.12))[:, None] * 0.7
    return albedo * (1.0 - corner) + np.array([0.55, 0.22, 0.19]) * corner
