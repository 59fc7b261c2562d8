"""The layout of a performer's skin texture.

MakeHuman's texture coordinates spread one body over the square and leave the inner face a few per cent of it. The
atlas keeps that one-to-one unwrapping but gives the head island most of the square and, by a smooth monotone warp of
each axis (an inverse hyperbolic sine about the nose), the inner face most of the head. The warp
is applied to each pixel's interpolated coordinate, so it needs no mesh of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# MakeHuman's coordinates (u right, v up): the islands as (u0, u1, v0, v1)
_HEAD = (0.63, 1.0, 0.14, 0.83)
_SOCKETS = (0.005, 0.16, 0.535, 0.645)
_MOUTH = (0.75, 0.93, 0.0, 0.139)
_BODY = (0.0, 0.76, 0.64, 1.0)
# where each goes in the atlas, as (x0, x1, y0, y1), y down
_HEAD_BOX = (0.0, 0.84, 0.0, 1.0)
_SOCKETS_BOX = (0.85, 1.0, 0.01, 0.12)
_MOUTH_BOX = (0.85, 1.0, 0.14, 0.26)
_BODY_BOX = (0.85, 1.0, 0.28, 0.40)
# centre and width of the warp of either axis of the head island
_WARP_U = (0.880, 0.075)
_WARP_V = (0.4826, 0.055)


def to_atlas(uv: Floats) -> Floats:
    """Move MakeHuman texture coordinates into the atlas.

    Args:
        uv: (..., 2) float32, u to the right and v up, 0..1.

    Returns:
        (..., 2) float32, x to the right and y down, 0..1.
    """
    u, v = uv[..., 0], uv[..., 1]
    head = (u > _HEAD[0]) & (v > _HEAD[2]) & (v < _HEAD[3]) & ~((u < 0.77) & (v > 0.79))
    sockets = (u < _SOCKETS[1]) & (v > _SOCKETS[2]) & (v < _SOCKETS[3])
    mouth = (u > _MOUTH[0]) & (u < _MOUTH[1]) & (v < _MOUTH[3])
    x = _linear(u, _BODY[:2], _BODY_BOX[:2])
    y = _linear(v, _BODY[3:1:-1], _BODY_BOX[2:])
    for inside, island, box in ((sockets, _SOCKETS, _SOCKETS_BOX), (mouth, _MOUTH, _MOUTH_BOX)):
        x = np.where(inside, _linear(u, island[:2], box[:2]), x)
        y = np.where(inside, _linear(v, island[3:1:-1], box[2:]), y)
    # the head lies on its side in MakeHuman's layout: u grows downward on the face, v to the person's right
    down = _linear(_warp(u, _WARP_U), tuple(_warp(np.array(_HEAD[:2]), _WARP_U)), _HEAD_BOX[2:])
    across = _linear(_warp(v, _WARP_V), tuple(_warp(np.array(_HEAD[2:]), _WARP_V)), _HEAD_BOX[:2])
    return np.stack([np.where(head, across, x), np.where(head, down, y)], -1).astype(np.float32)


def from_atlas(xy: Floats) -> Floats:
    """The MakeHuman texture coordinates of places in the atlas: the inverse of :func:`to_atlas`, box by box."""
    x, y = xy[..., 0], xy[..., 1]
    u = np.full(x.shape, -1.0)
    v = np.full(x.shape, -1.0)
    for island, box in ((_SOCKETS, _SOCKETS_BOX), (_MOUTH, _MOUTH_BOX), (_BODY, _BODY_BOX)):
        inside = (x >= box[0]) & (x <= box[1]) & (y >= box[2]) & (y <= box[3])
        u = np.where(inside, _linear(x, box[:2], island[:2]), u)
        v = np.where(inside, _linear(y, box[2:], island[3:1:-1]), v)
    head = x <= _HEAD_BOX[1]
    down = _linear(y, _HEAD_BOX[2:], tuple(_warp(np.array(_HEAD[:2]), _WARP_U)))
    across = _linear(x, _HEAD_BOX[:2], tuple(_warp(np.array(_HEAD[2:]), _WARP_V)))
    u = np.where(head, _WARP_U[0] + _WARP_U[1] * np.sinh(down), u)
    v = np.where(head, _WARP_V[0] + _WARP_V[1] * np.sinh(across), v)
    return np.stack([u, v], -1).astype(np.float32)


def _warp(t: NDArray[np.floating], centre_width: tuple[float, float]) -> NDArray[np.floating]:
    centre, width = centre_width
    return np.asarray(np.arcsinh((t - centre) / width))


def _linear(t: NDArray[np.floating], source: tuple[float, ...], target: tuple[float, ...]) -> NDArray[np.floating]:
    return target[0] + (t - source[0]) / (source[1] - source[0]) * (target[1] - target[0])
