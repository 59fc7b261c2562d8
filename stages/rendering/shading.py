"""From the visible surface to light: what every sample of a performer sends to the camera.

Skin is lit by wrapped diffuse light whose wrap and shadow edges are wider in red, as light scatters farther in blood
than in melanin (after d'Eon and Luebke, "Advanced techniques for realistic real-time skin rendering", 2007), under a
GGX specular lobe (Walter et al., 2007) with Schlick's Fresnel term. Hair has a diffuse term and two shifted strand
highlights (Kajiya and Kay 1989; Marschner et al. 2003).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.rendering import atlas, eyes, noise, reflectance, skin
from stages.rendering.anatomy import smoothstep
from stages.rendering.colour import to_linear
from stages.rendering.eyes import EyeMap
from stages.rendering.gbuffer import GBuffer
from stages.rendering.identity import Identity
from stages.rendering.light import Light
from stages.rendering.mesh import COVERS, Head, Part
from stages.rendering.skin import SkinMaps

F32 = NDArray[np.float32]

_SKIN_PARTS = (Part.SKIN, Part.LIPS, Part.EAR, Part.NECK, Part.MOUTH)
_ENAMEL = np.array([0.66, 0.60, 0.48], np.float32)
_TONGUE = np.array([0.36, 0.12, 0.11], np.float32)
# even black hair sends some light back, and the skin shows between the hairs of a brow
_DARKEST = np.array([0.011, 0.022, 0.014, 0.009])
_GRAIN = 1789  # lattice of the unevenness of things that come before a face
# how far light wraps past the shadow line, R, G, B
_SCATTER = np.array([0.27, 0.11, 0.06], np.float32)


@dataclass(frozen=True)
class Maps:
    """Everything that is painted for one identity.

    skin: levels of the skin maps, each half the size of the one before. eyes: the eyeballs'. hair: (4, 3) float32
    linear colours of scalp, brows, beard and lashes. clothes, enamel: (3,) float32 linear.
    """

    skin: tuple[SkinMaps, ...]
    eyes: EyeMap
    hair: F32
    clothes: F32
    enamel: F32
    seed: int

    @classmethod
    def paint(cls, identity: Identity, head: Head, size: int = 1024) -> Maps:
        """Paint an identity; the same identity always gives the same bytes."""
        levels = [skin.paint(identity, head, size)]
        while len(levels) < 3:
            half = levels[-1].colour.shape[0] // 2
            colour, relief = (
                cv2.resize(picture, (half, half), interpolation=cv2.INTER_AREA).astype(np.float32)
                for picture in (levels[-1].colour, levels[-1].relief)
            )
            levels.append(SkinMaps(colour, relief))
        lash = np.array([0.012, 0.009, 0.008])
        colours = [to_linear(np.array(c)) for c in (identity.hair_colour, identity.brow_colour, identity.beard_colour)]
        stain = noise.generator(identity.seed, "enamel").uniform(0.0, 0.25)
        return cls(
            tuple(levels),
            eyes.paint(identity),
            np.maximum(np.stack([*colours, lash]), _DARKEST[:, None]).astype(np.float32),
            to_linear(np.array(identity.clothes_colour)).astype(np.float32),
            _ENAMEL * np.array([1.0 - 0.3 * stain, 1.0 - 0.6 * stain, 1.0 - stain], np.float32),
            identity.seed,
        )


def shade(gbuffer: GBuffer, maps: Maps, light: Light) -> F32:
    """Light that each sample sends to the camera.

    Args:
        gbuffer: the N visible samples.
        maps: the identity's.
        light: the scene's, camera space.

    Returns:
        (N, 3) float32 linear RGB, exposed, before the film curve.
    """
    material = _materials(gbuffer, maps)
    lamps = np.array([[*lamp.direction, *lamp.colour] for lamp in (light.key, light.fill, light.rim)], np.float32)
    out = np.empty((len(gbuffer.index), 3), np.float32)
    is_hair = gbuffer.part == Part.HAIR
    ambient = light.harmonics.astype(np.float32)
    # the shadow map is too coarse for lids: a lamp always shows a little in the eye
    visibility = np.where(gbuffer.part == Part.EYE, np.maximum(gbuffer.visibility, 0.5), gbuffer.visibility)
    reflectance.surface(
        gbuffer.position, gbuffer.normal, material.relief, material.albedo, material.finish,
        gbuffer.occlusion, visibility, is_hair, lamps, ambient, _SCATTER, out,
    )  # fmt: skip
    reflectance.strand(
        gbuffer.position, gbuffer.normal, gbuffer.tangent, material.albedo,
        gbuffer.occlusion, visibility, is_hair, lamps, ambient, out,
    )  # fmt: skip
    rows = np.flatnonzero(gbuffer.part == Part.EYE)
    out[rows] += _catchlight(gbuffer.position[rows], gbuffer.normal[rows], light)
    return out * np.float32(light.exposure)


def _catchlight(position: F32, normal: F32, light: Light) -> F32:
    """The window mirrored in the wet cornea: a soft disc about 14 degrees wide."""
    view = -position / np.linalg.norm(position, axis=1, keepdims=True)
    mirrored = 2.0 * (normal * view).sum(1, keepdims=True) * normal - view
    inside = smoothstep(np.cos(np.radians(9.0)), np.cos(np.radians(5.0)), mirrored @ light.window.astype(np.float32))
    return np.asarray(0.55 * inside[:, None] * light.key.colour, np.float32)


@dataclass(frozen=True)
class _Material:
    """albedo (N, 3); finish (N, 4): roughness, specular strength, scattering, occlusion exponent; relief (N, 3) a
    gradient in camera space."""

    albedo: F32
    finish: F32
    relief: F32


def _materials(gbuffer: GBuffer, maps: Maps) -> _Material:
    count = len(gbuffer.index)
    albedo = np.full((count, 3), 0.02, np.float32)
    finish = np.tile(np.array([0.6, 0.5, 0.0, 1.0], np.float32), (count, 1))
    relief = np.zeros((count, 3), np.float32)
    part = gbuffer.part

    rows = np.flatnonzero(np.isin(part, _SKIN_PARTS))
    level = maps.skin[_level(gbuffer, rows, maps.skin[0].colour.shape[0])]
    colour, slope = _sample(level, gbuffer.uv[rows])
    albedo[rows], finish[rows, 0], finish[rows, 1] = colour[:, :3], colour[:, 3], slope[:, 3]
    finish[rows, 2] = 1.0
    relief[rows] = slope[:, :3] @ gbuffer.rotation.T.astype(np.float32)

    rows = np.flatnonzero(part == Part.EYE)
    albedo[rows] = maps.eyes.at(gbuffer.rest[rows])
    # the upper lid and its lashes shade the ball below them
    upward = gbuffer.normal[rows] @ gbuffer.rotation[:, 1].astype(np.float32)
    sideways = np.abs(gbuffer.normal[rows] @ gbuffer.rotation[:, 0].astype(np.float32))
    lid = (1.0 - 0.55 * smoothstep(0.02, 0.42, upward)) * (1.0 - 0.30 * smoothstep(0.35, 0.75, sideways))
    albedo[rows] *= lid[:, None] * np.array([1.0, 0.97, 0.95], np.float32)
    # as rough as a window is wide: a lamp in a room is no point
    finish[rows] = np.array([0.27, 1.5, 0.25, 0.7], np.float32)

    rows = np.flatnonzero(part == Part.TEETH)
    albedo[rows] = _teeth(gbuffer.uv[rows], maps)
    finish[rows] = np.array([0.22, 1.0, 0.5, 1.0], np.float32)
    rows = np.flatnonzero(part == Part.TONGUE)
    albedo[rows] = _TONGUE * (1.0 + 0.3 * noise.fractal(gbuffer.rest[rows], 3.0, salt=7)[:, None])
    finish[rows] = np.array([0.35, 0.9, 0.8, 1.3], np.float32)
    rows = np.flatnonzero(part == Part.CLOTHES)
    albedo[rows], relief[rows] = _cloth(gbuffer.rest[rows], maps)
    finish[rows] = np.array([0.85, 0.3, 0.0, 1.0], np.float32)
    finish[part == Part.MOUTH, 3] = 2.2

    rows = np.flatnonzero(np.isin(part, COVERS))
    if len(rows):
        grain, slope = (
            noise.fractal(gbuffer.rest[rows], 6.0, salt=_GRAIN + k, octaves=3) * gbuffer.paint[:, 7] for k in range(2)
        )
        albedo[rows] = gbuffer.paint[:, :3] * (1.0 + grain[:, None])
        finish[rows] = gbuffer.paint[:, 3:7]
        relief[rows, :2] = 0.5 * np.stack([grain, slope], 1)

    rows = np.flatnonzero(part == Part.HAIR)
    growth = np.clip((gbuffer.uv[rows, 1] * 4).astype(np.int32), 0, 3)
    tone = np.mod(gbuffer.uv[rows, 1] * 4, 1.0)
    # roots are darker than tips; each strand has its own tone
    shade_ = (0.50 + 0.95 * tone * tone) * (0.82 + 0.34 * gbuffer.uv[rows, 0])
    albedo[rows] = maps.hair[growth] * shade_[:, None]
    finish[rows, 2] = growth
    return _Material(albedo, finish, relief)


def _level(gbuffer: GBuffer, rows: NDArray[np.intp], size: int) -> int:
    """Which level of the skin maps has about one texel a sample."""
    if len(rows) < 2:
        return 0
    xy = atlas.to_atlas(gbuffer.uv[rows]) * size
    # neighbours along a row: whole pixels lie two samples apart
    together = np.diff(gbuffer.index[rows]) == np.where(gbuffer.whole[rows[1:]], 2, 1)
    step = np.linalg.norm(np.diff(xy, axis=0)[together], axis=1)
    typical = float(np.median(step)) if len(step) else 1.0
    return int(np.clip(np.floor(np.log2(max(typical, 1e-6)) + 0.3), 0, 2))


def _sample(level: SkinMaps, uv: F32) -> tuple[F32, F32]:
    """Bilinear samples (n, 4) of both maps at MakeHuman texture coordinates (n, 2)."""
    if not len(uv):
        return np.zeros((0, 4), np.float32), np.zeros((0, 4), np.float32)
    size = level.colour.shape[0]
    xy = (atlas.to_atlas(uv) * size - 0.5).astype(np.float32)
    # cv2.remap wants pictures of at most 32767 a side: fold the list into rows
    width = 4096
    height = -(-len(xy) // width)
    folded = np.zeros((height * width, 2), np.float32)
    folded[: len(xy)] = xy
    x, y = np.ascontiguousarray(folded.T).reshape(2, height, width)
    colour, relief = (
        cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).reshape(-1, 4)[: len(xy)]
        for picture in (level.colour, level.relief)
    )
    return colour.astype(np.float32, copy=False), relief.astype(np.float32, copy=False)


def _teeth(uv: F32, maps: Maps) -> F32:
    """Enamel: yellower at the gum, a little translucent at the tip, dark between teeth."""
    across = np.abs(np.mod(uv[:, 0] * 14.0, 1.0) - 0.5) * 2.0
    v = uv[:, 1]
    colour = maps.enamel * (1.0 - 0.16 * smoothstep(0.5, 0.0, v)[:, None] * np.array([0.4, 0.9, 1.6], np.float32))
    colour = colour * (1.0 - 0.12 * smoothstep(0.85, 1.0, v)[:, None])
    # the back teeth lie in the shade of the cheeks
    back = smoothstep(0.16, 0.42, np.abs(uv[:, 0] - 0.5))
    gap = 1.0 - 0.35 * smoothstep(0.82, 1.0, across)
    return np.asarray(colour * (gap * (1.0 - 0.55 * back))[:, None], np.float32)


def _cloth(rest: F32, maps: Maps) -> tuple[F32, F32]:
    """Knitted cloth: albedo and relief (n, 3)."""
    weave = noise.fractal(
        rest * np.array([1.0, 2.5, 1.0], np.float32), 5.0, salt=noise.salt(maps.seed, "cloth"), octaves=2
    )
    folds = noise.fractal(rest, 0.25, salt=noise.salt(maps.seed, "folds"), octaves=2)
    albedo = maps.clothes * (1.0 + 0.18 * weave + 0.12 * folds)[:, None]
    relief = 0.18 * np.stack([weave, folds, 0.0 * weave], 1)
    return albedo.astype(np.float32), relief.astype(np.float32)
