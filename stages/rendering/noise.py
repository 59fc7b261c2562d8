"""Procedural noise over points in space: the same point always gives the same value, on every machine.

Patterns are functions of a 3-D position, not of a texture coordinate, so that they cross texture seams unseen. The
lattice is hashed with integers only and the arithmetic is plain IEEE float64 without fast-math, in a fixed order.

References: Perlin, "Improving noise" (2002); Worley, "A cellular texture basis function" (1996).
"""

from __future__ import annotations

import zlib

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def generator(seed: int, purpose: str) -> np.random.Generator:
    """A random generator of its own for each (seed, purpose), so that adding a feature never moves another."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(purpose.encode())])))


def salt(seed: int, purpose: str) -> int:
    """A 31-bit lattice salt for :func:`fractal` and :func:`cells`, independent for each (seed, purpose)."""
    return int(generator(seed, purpose).integers(1, 2**31 - 1))


def fractal(points: Floats, frequency: float, *, salt: int, octaves: int = 3, gain: float = 0.5) -> Floats:
    """Fractal gradient noise: octaves of doubling frequency and falling weight.

    Args:
        points: (n, 3) float32 positions.
        frequency: cycles per unit of length of the first octave.
        salt: from :func:`salt`.
        octaves: how many are summed.
        gain: weight of each octave relative to the one before.

    Returns:
        (n,) float32, mean 0, standard deviation about 0.25, within about +-1.
    """
    flat = np.ascontiguousarray(points, np.float32).reshape(-1, 3)
    return _fractal(flat, float(frequency), int(salt), int(octaves), float(gain)).reshape(points.shape[:-1])


def cells(points: Floats, frequency: float, *, salt: int) -> tuple[Floats, Floats]:
    """Cellular noise: distance to the nearest of randomly scattered centres, and that centre's own random value.

    Args:
        points: (n, 3) float32 positions.
        frequency: cells per unit of length.
        salt: from :func:`salt`.

    Returns:
        (n,) float32 distance in cell widths (0 at a centre, mostly below 1), and (n,) float32 value 0..1 of the cell.
    """
    flat = np.ascontiguousarray(points, np.float32).reshape(-1, 3)
    distance, value = _cells(flat, float(frequency), int(salt))
    return distance.reshape(points.shape[:-1]), value.reshape(points.shape[:-1])


@numba.njit(cache=True, nogil=True)
def _hash(x: int, y: int, z: int, salt: int) -> int:
    """A well-mixed 32-bit integer for a lattice point (PCG-style multiply and xorshift)."""
    h = (x * 73856093) ^ (y * 19349663) ^ (z * 83492791) ^ salt
    h &= 0xFFFFFFFF
    h = ((h ^ (h >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
    h = ((h ^ (h >> 15)) * 0x846CA68B) & 0xFFFFFFFF
    return h ^ (h >> 16)


@numba.njit(cache=True, nogil=True)
def _slope(h: int, x: float, y: float, z: float) -> float:
    """Dot product of (x, y, z) with one of Perlin's twelve edge directions."""
    k = h % 12
    if k < 4:
        return (x if k & 1 else -x) + (y if k & 2 else -y)
    if k < 8:
        return (x if k & 1 else -x) + (z if k & 2 else -z)
    return (y if k & 1 else -y) + (z if k & 2 else -z)


@numba.njit(cache=True, nogil=True)
def _gradient(x: float, y: float, z: float, salt: int) -> float:
    ix, iy, iz = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
    fx, fy, fz = x - ix, y - iy, z - iz
    u = fx * fx * fx * (fx * (fx * 6 - 15) + 10)
    v = fy * fy * fy * (fy * (fy * 6 - 15) + 10)
    w = fz * fz * fz * (fz * (fz * 6 - 15) + 10)
    total = 0.0
    for dz in range(2):
        for dy in range(2):
            for dx in range(2):
                weight = (u if dx else 1 - u) * (v if dy else 1 - v) * (w if dz else 1 - w)
                total += weight * _slope(_hash(ix + dx, iy + dy, iz + dz, salt), fx - dx, fy - dy, fz - dz)
    return total


@numba.njit(cache=True, nogil=True)
def _fractal(points: Floats, frequency: float, salt: int, octaves: int, gain: float) -> Floats:
    out = np.empty(points.shape[0], np.float32)
    for i in range(points.shape[0]):
        total, weight, f = 0.0, 1.0, frequency
        for octave in range(octaves):
            total += weight * _gradient(points[i, 0] * f, points[i, 1] * f, points[i, 2] * f, salt + octave * 1013)
            weight *= gain
            f *= 2.0
        out[i] = total
    return out


@numba.njit(cache=True, nogil=True)
def _cells(points: Floats, frequency: float, salt: int) -> tuple[Floats, Floats]:
    distance = np.empty(points.shape[0], np.float32)
    value = np.empty(points.shape[0], np.float32)
    for i in range(points.shape[0]):
        x, y, z = points[i, 0] * frequency, points[i, 1] * frequency, points[i, 2] * frequency
        ix, iy, iz = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
        best, own = 1e9, 0
        for dz in range(-1, 2):
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    h = _hash(ix + dx, iy + dy, iz + dz, salt)
                    cx = ix + dx + (h & 1023) / 1023.0 - x
                    cy = iy + dy + ((h >> 10) & 1023) / 1023.0 - y
                    cz = iz + dz + ((h >> 20) & 1023) / 1023.0 - z
                    d = cx * cx + cy * cy + cz * cz
                    if d < best:
                        best, own = d, h
        distance[i] = np.sqrt(best)
        value[i] = (_hash(own, 1, 2, salt) & 0xFFFF) / 65535.0
    return distance, value
