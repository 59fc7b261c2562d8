"""The inner loops of shading: how skin, eyes, teeth and cloth, and how hair, send light back.

Everything is per sample, in camera space, linear RGB. Arrays: position, normal, tangent, relief (N, 3); albedo (N, 3);
finish (N, 4) roughness, specular strength, scattering, occlusion exponent; occlusion, visibility (N,) 0..1; lamps
(3, 6) direction and colour of key, fill and rim; ambient (9, 3) see `light.basis`; scatter (3,) how far light wraps
past the shadow's line; out (N, 3) is written.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]


@numba.njit(cache=True, nogil=True)
def _irradiance(n: F32, c: F32, k: int) -> np.float32:
    """Environment light on a surface with normal n, channel k, see `light.basis`."""
    x, y, z = n[0], n[1], n[2]
    e = c[0, k] + c[1, k] * y + c[2, k] * z + c[3, k] * x + c[4, k] * x * y + c[5, k] * y * z
    e += c[6, k] * (3 * z * z - 1) + c[7, k] * x * z + c[8, k] * (x * x - y * y)
    return np.float32(max(e, 0.02))


@numba.njit(cache=True, nogil=True)
def _unit(x: float, y: float, z: float, out: F32) -> None:
    length = np.sqrt(x * x + y * y + z * z) + 1e-9
    out[0], out[1], out[2] = x / length, y / length, z / length


@numba.njit(cache=True, nogil=True)
def surface(
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
            toward = lamps[lamp]
            reach = shadow if lamp == 0 else 0.35 + 0.65 * open_
            facing = soft[0] * toward[0] + soft[1] * toward[1] + soft[2] * toward[2]
            smooth = g[0] * toward[0] + g[1] * toward[1] + g[2] * toward[2]
            for k in range(3):
                w = scatter[k] * sub
                lit = facing * (1.0 - 0.5 * sub * (scatter[k] / 0.34)) + smooth * 0.5 * sub * (scatter[k] / 0.34)
                wrapped = max((lit + w) / ((1.0 + w) * (1.0 + w)), 0.0)
                out[i, k] += albedo[i, k] * toward[3 + k] * wrapped * reach ** (1.0 - 1.4 * w)
            nl = n[0] * toward[0] + n[1] * toward[1] + n[2] * toward[2]
            if nl <= 0.0 or smooth <= 0.0:
                continue
            _unit(toward[0] + v[0], toward[1] + v[1], toward[2] + v[2], h)
            nh = max(n[0] * h[0] + n[1] * h[1] + n[2] * h[2], 0.0)
            vh = max(v[0] * h[0] + v[1] * h[1] + v[2] * h[2], 0.0)
            d = a2 / (np.pi * (nh * nh * (a2 - 1.0) + 1.0) ** 2)
            kk = (rough + 1.0) ** 2 / 8.0
            g1 = 1.0 / ((nl * (1.0 - kk) + kk) * (nv * (1.0 - kk) + kk))
            fresnel = 0.028 + 0.972 * (1.0 - vh) ** 5
            spec = min(strength * d * g1 * fresnel * 0.25 * nl, 6.0) * reach * min(1.0, 4.0 * smooth)
            for k in range(3):
                out[i, k] += spec * toward[3 + k]
        # the environment's own reflection: a broad sheen that rises at grazing angles
        rim = 0.028 + (1.0 - rough) * 0.55 * (1.0 - nv) ** 5
        r = 2.0 * nv
        _unit(r * n[0] - v[0], r * n[1] - v[1], r * n[2] - v[2], h)
        for k in range(3):
            out[i, k] += strength * rim * _irradiance(h, ambient, k) * open_


@numba.njit(cache=True, nogil=True)
def strand(
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
            toward = lamps[lamp]
            reach = (0.25 + 0.75 * visibility[i]) * open_ if lamp == 0 else open_
            nl = n[0] * toward[0] + n[1] * toward[1] + n[2] * toward[2]
            tl = t[0] * toward[0] + t[1] * toward[1] + t[2] * toward[2]
            across = np.sqrt(max(1.0 - tl * tl, 0.0))
            wrapped = max((nl + 0.35) / 1.82, 0.0)
            diffuse = wrapped * (0.45 + 0.55 * across)
            _unit(toward[0] + v[0], toward[1] + v[1], toward[2] + v[2], h)
            th = t[0] * h[0] + t[1] * h[1] + t[2] * h[2]
            nh = n[0] * h[0] + n[1] * h[1] + n[2] * h[2]
            gate = min(max(nl + 0.25, 0.0), 1.0)
            # scales tilt the first highlight toward the root, the one through the strand toward the tip
            first = _lobe(th - 0.06 * nh, 70.0) * 0.055 * gate
            second = _lobe(th + 0.12 * nh, 14.0) * 0.42 * gate
            for k in range(3):
                out[i, k] += toward[3 + k] * reach * (albedo[i, k] * (diffuse + second) + first)


@numba.njit(cache=True, nogil=True)
def _lobe(cosine: float, sharpness: float) -> np.float32:
    """Kajiya and Kay's highlight: the sine between strand and half vector, to a power."""
    return np.float32(max(1.0 - cosine * cosine, 0.0) ** (0.5 * sharpness))
