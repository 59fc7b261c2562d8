"""The skin of a performer: colour, relief and gloss, painted on the template head from the identity alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.rendering import anatomy, brows, lips, noise, pigments
from stages.rendering.anatomy import blob, height_on, smoothstep
from stages.rendering.colour import to_linear
from stages.rendering.identity import Identity
from stages.rendering.mesh import Head, Part
from stages.rendering.relief import relief
from stages.rendering.texels import Texels, bake

Floats = NDArray[np.float32]

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
    height, crease = relief(identity, points)
    albedo = pigments.colour(identity, points) * (1.0 - crease)[:, None] ** np.array([0.75, 1.0, 1.1])
    roughness, gloss = _gloss(identity, points)
    cover = _hair_cover(identity, points) * (1.0 - texels.sample(head.faces[body], head.masks["ears"]))
    gloss = np.asarray(gloss * (1.0 - 0.8 * cover), np.float32)

    albedo = _stubble(identity, points, albedo)
    albedo = _hair_roots(identity, points, albedo, cover)
    on_lips = anatomy.lip_mask(points, 0.09, lips.fullness(identity))
    albedo, height, roughness, gloss = lips.paint(identity, points, on_lips, albedo, height, roughness, gloss)
    albedo = _lids(identity, points, albedo)
    inside = np.array([0.28, 0.075, 0.065])
    albedo = albedo * (1.0 - cavity[:, None]) + inside * cavity[:, None]
    roughness, gloss = roughness * (1 - cavity) + 0.25 * cavity, gloss * (1 - cavity) + 1.2 * cavity

    colour = np.concatenate([np.clip(albedo, 0.002, 0.95), roughness[:, None]], 1)
    slope = np.concatenate([texels.surface_gradient(height), gloss[:, None]], 1)
    return SkinMaps(texels.spread(colour), texels.spread(slope))


def _cavity(texels: Texels, head: Head, body: NDArray[np.bool_]) -> Floats:
    """1 on texels inside the mouth."""
    inside = np.zeros(len(head.rest), np.float32)
    inside[head.faces[head.parts == Part.MOUTH].ravel()] = 1.0
    inside[head.faces[np.isin(head.parts, (Part.LIPS, Part.SKIN))].ravel()] = 0.0
    return texels.sample(head.faces[body], inside)


def _gloss(identity: Identity, points: Floats) -> tuple[Floats, Floats]:
    """Roughness 0..1 and relative specular strength: forehead, nose and cheekbones shine first."""
    t_zone = (
        blob(points, (0.0, 4.0), (2.8, 1.6))
        + blob(points, (0.0, -2.6), (0.8, 1.6))
        + 0.7 * blob(points, (4.0, -1.8), (1.2, 0.8))
    ).clip(0, 1)
    patches = noise.fractal(points, 1.3, salt=noise.salt(identity.seed, "oil"), octaves=3)
    oil = identity.oiliness * (0.45 + 0.75 * t_zone) * (1.0 + 0.5 * patches)
    roughness = np.clip(0.54 - 0.22 * oil, 0.28, 0.7)
    return roughness.astype(np.float32), np.clip(0.75 + 1.0 * oil, 0.4, 1.9).astype(np.float32)


def _stubble(identity: Identity, points: Floats, albedo: NDArray[np.floating]) -> NDArray[np.floating]:
    """Shadow of shaven or short beard hair: bluish-grey in fair skin, with single dark roots."""
    amount = _beard_area(identity, points)
    if not amount.any():
        return albedo
    distance, value = noise.cells(points, 9.0, salt=noise.salt(identity.seed, "stubble"))
    dots = smoothstep(0.5, 0.2, distance) * (value < 0.4 + 0.6 * identity.beard_density)
    # below a full beard nearly all light is lost
    full = 1.0 if identity.beard_style == "full" else 0.0
    cover = amount * (0.40 + 0.25 * full + (0.45 - 0.15 * full) * dots) * (0.35 + 0.65 * identity.beard_density)
    hair = to_linear(np.array(identity.beard_colour)) * 0.8 + albedo * np.array([0.16, 0.2, 0.24]) * (1.0 - 0.5 * full)
    return np.asarray(albedo * (1.0 - cover[:, None]) + hair * cover[:, None])


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


def _hair_roots(
    identity: Identity, points: Floats, albedo: NDArray[np.floating], cover: Floats
) -> NDArray[np.floating]:
    """Scalp seen through hair, and the soft shadow of the brows."""
    hair = to_linear(np.array(identity.hair_colour)) * (0.7 if identity.hair_style == "buzz" else 0.3)
    albedo = albedo * (1.0 - cover[:, None]) + hair * cover[:, None]
    brow = 0.45 * identity.brow_density * brows.brow_mask(identity, points)[:, None]
    return albedo * (1.0 - brow) + to_linear(np.array(identity.brow_colour)) * 0.8 * brow


def _hair_cover(identity: Identity, points: Floats) -> Floats:
    """How much of the skin the roots of scalp hair hide, 0..1 (n,), with a ragged hairline."""
    jag = 0.35 * noise.fractal(points, 2.0, salt=noise.salt(identity.seed, "hairline"), octaves=3)
    shifted = points + np.stack([np.zeros_like(jag), jag, np.zeros_like(jag)], 1)
    most = {"bald": 0.10, "buzz": 0.965}.get(identity.hair_style, 0.95)
    return np.asarray(most * anatomy.scalp_mask(shifted, identity.hairline), np.float32)


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
    return np.asarray(albedo * (1.0 - corner) + np.array([0.55, 0.22, 0.19]) * corner)
