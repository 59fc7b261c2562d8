"""From the visible surface to light: what every sample of a performer sends to the camera.

Skin is lit by wrapped diffuse light whose wrap and shadow edges are wider in red, as light scatters farther in blood
than in melanin (after d'Eon and Luebke, "Advanced techniques for realistic real-time skin rendering", 2007), under a
GGX specular lobe (Walter et al., 2007) with Schlick's Fresnel term. Hair has a diffuse term and two shifted strand
highlights (Kajiya and Kay 1989; Marschner et al. 2003).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from stages.rendering import atlas, eyes, noise, skin
from stages.rendering.anatomy import smoothstep
from stages.rendering.colour import to_linear
from stages.rendering.eyes import EyeMap
from stages.rendering.gbuffer import GBuffer
from stages.rendering.identity import Identity
from stages.rendering.light import Lamp, Light
from stages.rendering.mesh import Head, Part
from stages.rendering.skin import SkinMaps

F32 = NDArray[np.float32]

_SKIN_PARTS = (Part.SKIN, Part.LIPS, Part.EAR, Part.NECK, Part.MOUTH)
_ENAMEL = np.array([0.66, 0.60, 0.48], np.float32)
_TONGUE = np.array([0.36, 0.12, 0.11], np.float32)
# how far light wraps past the shadow line, R, G, B
_SCATTER = np.array([0.34, 0.13, 0.07], np.float32)


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
            small = [cv2.resize(m, (half, half), interpolation=cv2.INTER_AREA) for m in (levels[-1].colour, levels[-1].relief)]
            levels.append(SkinMaps(*small))
        lash = np.array([0.012, 0.009, 0.008])
        colours = [to_linear(np.array(c)) for c in (identity.hair_colour, identity.brow_colour, identity.beard_colour)]
        stain = noise.generator(identity.seed, "enamel").uniform(0.0, 0.25)
        return cls(
            tuple(levels),
            eyes.paint(identity),
            np.maximum(np.stack([*colours, lash]), 0.009).astype(np.float32),
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
    lamps = _pack(light)
    out = np.empty((len(gbuffer.index), 3), np.float32)
    is_hair = gbuffer.part == Part.HAIR
    ambient = light.harmonics.astype(np.float32)
    _surface(
        gbuffer.position, gbuffer.normal, material.relief, material.albedo, material.finish,
        gbuffer.occlusion, gbuffer.visibility, is_hair, lamps, ambient, _SCATTER, out,
    )  # fmt: skip
    _strand(
        gbuffer.position, gbuffer.normal, gbuffer.tangent, material.albedo,
        gbuffer.occlusion, gbuffer.visibility, is_hair, lamps, ambient, out,
    )  # fmt: skip
    return out * np.float32(light.exposure)


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
    finish[rows] = np.array([0.09, 1.0, 0.25, 0.7], np.float32)

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
    size = level.colour.shape[0]
    xy = (atlas.to_atlas(uv) * size - 0.5).astype(np.float32)
    # cv2.remap wants pictures of at most 32767 a side: fold the list into rows
    width = 4096
    height = -(-len(xy) // width)
    folded = np.zeros((height * width, 2), np.float32)
    folded[: len(xy)] = xy
    maps = folded.reshape(height, width, 2)
    found = [
        cv2.remap(m, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).reshape(-1, 4)[: len(xy)]
        for m in (level.colour, level.relief)
    ]
    return found[0], found[1]


def _teeth(uv: F32, maps: Maps) -> F32:
    """Enamel: yellower at the gum, a little translucent at the tip, dark between teeth."""
    across = np.abs(np.mod(uv[:, 0] * 14.0, 1.0) - 0.5) * 2.0
    v = uv[:, 1]
    colour = maps.enamel * (1.0 - 0.16 * smoothstep(0.5, 0.0, v)[:, None] * np.array([0.4, 0.9, 1.6], np.float32))
    colour = colour * (1.0 - 0.12 * smoothstep(0.85, 1.0, v)[:, None])
    # the back teeth lie in the shade of the cheeks
    back = smoothstep(0.16, 0.42, np.abs(uv[:, 0] - 0.5))
    return (colour * (1.0 - 0.35 * smoothstep(0.82, 1.0, across) - 0.0)[:, None] * (1.0 - 0.55 * back)[:, None]).astype(np.float32)


def _cloth(rest: F32, maps: Maps) -> tuple[F32, F32]:
    """Knitted cloth: albedo and relief (n, 3)."""
    weave = noise.fractal(rest * np.array([1.0, 2.5, 1.0], np.float32), 5.0, salt=noise.salt(maps.seed, "cloth"), octaves=2)
    folds = noise.fractal(rest, 0.25, salt=noise.salt(maps.seed, "folds"), octaves=2)
    albedo = maps.clothes * (1.0 + 0.18 * weave + 0.12 * folds)[:, None]
    relief = 0.18 * np.stack([weave, folds, 0.0 * weave], 1)
    return albedo.astype(np.float32), relief.astype(np.float32)


def _pack(light: Light) -> F32:
    """Key, fill and rim as (3, 6) float32: direction, colour."""
    lamps: tuple[Lamp, ...] = (light.key, light.fill, light.rim)
    return np.array([[*lamp.direction, *lamp.colour] for lamp in lamps], np.float32)


@numba.njit(cache=True, nogil=True)
def _irradiance(n: F32, c: F32, k: int) -> float:
    """Environment light on a surface with normal n, channel k, see `light.basis`."""
    x, y, z = n[0], n[1], n[2]
    e = c[0, k] + c[1, k] * y + c[2, k] * z + c[3, k] * x + c[4, k] * x * y + c[5, k] * y * z
    e += c[6, k] * (3 * z * z - 1) + c[7, k] * x * z + c[8, k] * (x * x - y * y)
    return max(e, 0.02)


@numba.njit(cache=True, nogil=True)
def _unit(x: float, y: float, z: float, out: F32) -> None:
    length = np.sqrt(x * x + y * y + z * z) + 1e-9
    out[0], out[1], out[2] = x / length, y / length, z / length


@numba.njit(cache=True, nogil=True)
def _surface(
    position: F32, normal: F32, relief: F32, albedo: F32, finish: F32, occlusion: F32, visibility: F32,
    is_hair: NDArray[np.bool_], lamps: F32, ambient: F32, scatter: F32, out: F32,
) -> None:  # fmt: skip
    """Everything but hair."""
    v, n, soft, h = np.empty(3, np.float32), np.empty(3, np.float32), np.empty(3, np.float32), np.empty(3, np.float32)
    for i in range(position.shape[0]):
        if is_hair[i]:
            continue
        _unit(-position[i, 0], -position[i, 1], -position[i, 2], v)
        g = normal[i]
        _unit(g[0] - relief[i, 0], g[1] - relief[i, 1], g[2] - relief[i, 2], n)
        # light scatters sideways below the skin, which evens out its fine relief for diffuse light
        ease = 1.0 - 0.45 * finish[i, 2]
        _unit(g[0] - ease * relief[i, 0], g[1] - ease * relief[i, 1], g[2] - ease * relief[i, 2], soft)
        rough, strength, sub = finish[i, 0], finish[i, 1], finish[i, 2]
        # interpolation and filtering may leave the range by a rounding error
        open_ = min(max(occlusion[i], 0.0), 1.0) ** finish[i, 3]
        shadow = min(max(visibility[i], 0.0), 1.0)
        nv = max(n[0] * v[0] + n[1] * v[1] + n[2] * v[2], 0.05)
        a2 = rough**4
        for k in range(3):
            # bounces inside a cavity take on the surface's colour (Jimenez et al. 2016, simplified)
            tinted = open_ ** (1.0 - 0.6 * albedo[i, k])
            out[i, k] = albedo[i, k] * _irradiance(soft, ambient, k) * tinted
        for lamp in range(3):
            l = lamps[lamp]
            reach = shadow if lamp == 0 else 0.35 + 0.65 * open_
            facing = soft[0] * l[0] + soft[1] * l[1] + soft[2] * l[2]
            smooth = g[0] * l[0] + g[1] * l[1] + g[2] * l[2]
            for k in range(3):
                w = scatter[k] * sub
                lit = facing * (1.0 - 0.5 * sub * (scatter[k] / 0.34)) + smooth * 0.5 * sub * (scatter[k] / 0.34)
                wrapped = max((lit + w) / ((1.0 + w) * (1.0 + w)), 0.0)
                out[i, k] += albedo[i, k] * l[3 + k] * wrapped * reach ** (1.0 - 1.4 * w)
            nl = n[0] * l[0] + n[1] * l[1] + n[2] * l[2]
            if nl <= 0.0 or smooth <= 0.0:
                continue
            _unit(l[0] + v[0], l[1] + v[1], l[2] + v[2], h)
            nh = max(n[0] * h[0] + n[1] * h[1] + n[2] * h[2], 0.0)
            vh = max(v[0] * h[0] + v[1] * h[1] + v[2] * h[2], 0.0)
            d = a2 / (np.pi * (nh * nh * (a2 - 1.0) + 1.0) ** 2)
            kk = (rough + 1.0) ** 2 / 8.0
            g1 = 1.0 / ((nl * (1.0 - kk) + kk) * (nv * (1.0 - kk) + kk))
            fresnel = 0.028 + 0.972 * (1.0 - vh) ** 5
            spec = min(strength * d * g1 * fresnel * 0.25 * nl, 6.0) * reach * min(1.0, 4.0 * smooth)
            for k in range(3):
                out[i, k] += spec * l[3 + k]
        # the environment's own reflection: a broad sheen that rises at grazing angles
        rim = 0.028 + (1.0 - rough) * 0.55 * (1.0 - nv) ** 5
        r = 2.0 * nv
        _unit(r * n[0] - v[0], r * n[1] - v[1], r * n[2] - v[2], h)
        for k in range(3):
            out[i, k] += strength * rim * _irradiance(h, ambient, k) * open_


@numba.njit(cache=True, nogil=True)
def _strand(
    position: F32, normal: F32, tangent: F32, albedo: F32, occlusion: F32, visibility: F32,
    is_hair: NDArray[np.bool_], lamps: F32, ambient: F32, out: F32,
) -> None:  # fmt: skip
    """Hair."""
    v, t, h = np.empty(3, np.float32), np.empty(3, np.float32), np.empty(3, np.float32)
    for i in range(position.shape[0]):
        if not is_hair[i]:
            continue
        _unit(-position[i, 0], -position[i, 1], -position[i, 2], v)
        n = normal[i]
        _unit(tangent[i, 0], tangent[i, 1], tangent[i, 2], t)
        deep = min(max(occlusion[i], 0.0), 1.0)
        open_ = 0.15 + 0.85 * deep * deep
        for k in range(3):
            out[i, k] = albedo[i, k] * _irradiance(n, ambient, k) * open_
        for lamp in range(3):
            l = lamps[lamp]
            reach = (0.25 + 0.75 * visibility[i]) * open_ if lamp == 0 else open_
            nl = n[0] * l[0] + n[1] * l[1] + n[2] * l[2]
            tl = t[0] * l[0] + t[1] * l[1] + t[2] * l[2]
            across = np.sqrt(max(1.0 - tl * tl, 0.0))
            wrapped = max((nl + 0.35) / 1.82, 0.0)
            diffuse = wrapped * (0.45 + 0.55 * across)
            _unit(l[0] + v[0], l[1] + v[1], l[2] + v[2], h)
            th = t[0] * h[0] + t[1] * h[1] + t[2] * h[2]
            nh = n[0] * h[0] + n[1] * h[1] + n[2] * h[2]
            gate = min(max(nl + 0.25, 0.0), 1.0)
            # scales tilt the first highlight toward the root, the one through the strand toward the tip
            first = _lobe(th - 0.06 * nh, 70.0) * 0.055 * gate
            second = _lobe(th + 0.12 * nh, 14.0) * 0.42 * gate
            for k in range(3):
                out[i, k] += l[3 + k] * reach * (albedo[i, k] * (diffuse + second) + first)


@numba.njit(cache=True, nogil=True)
def _lobe(cosine: float, sharpness: float) -> float:
    """Kajiya and Kay's highlight: the sine between strand and half vector, to a power."""
    return max(1.0 - cosine * cosine, 0.0) ** (0.5 * sharpness)
