"""The chart of a face: one place for every spot of skin, whatever the face does; a learnt texture is laid out by it.

Height on the face is one coordinate, the angle about an upright axis inside the head the other (a cylinder laid open),
so that cheeks have room. Landmarks tell where on the chart some places of a picture are.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import Delaunay
from torch import Tensor
from torch.nn import functional as F

from stages.packs import open_pack
from stages.packs.canonical import VERTICES, read_canonical
from stages.topology import mirror_of

PLACES = VERTICES
"""Landmarks that have a place on the chart: all but the irises, which are on no skin."""

_CPU = torch.device("cpu")

_AXIS = 7.0
"""How far behind the face's mean depth the axis stands, cm."""
_ARC = 1.6
"""Radians to either side that the chart shows."""
_HALF_HEIGHT = 12.0
"""Centimetres to above and below that it shows."""


def chart_of(face: NDArray[np.float64]) -> NDArray[np.float32]:
    """Places of a face that looks straight ahead on the chart, (n, 2) float32, mostly within -1..1, right and down.

    Args:
        face: (n, 3) cm, see :func:`stages.packs.canonical.read_canonical`.
    """
    angle = np.arctan2(face[:, 0], _AXIS - face[:, 2])
    return np.stack([angle / _ARC, face[:, 1] / _HALF_HEIGHT], axis=1).astype(np.float32)


def chart_distance(chart: Tensor, places: Tensor) -> Tensor:
    """How far a chart is, on average, from what it should be where landmarks are, a scalar in half sides of the chart.

    Landmarks that the face hides itself do not count: those about which the skin is seen from within.

    Args:
        chart: (n, 2, r, r): for each pixel, its place on the chart.
        places: (n, ``PLACES``, 2) landmarks in the unit crop; n = 0 for nothing to say.
    """
    if not len(places):
        return chart.new_zeros(())
    goal, seen = _goal(chart.device), _seen(places)
    found = (gathered if chart.is_cuda else sampled)(chart, places)
    off = (found.transpose(1, 2) - goal).abs().sum(dim=2)
    return (seen * off).sum() / seen.sum().clamp_min(1)


def sampled(chart: Tensor, places: Tensor) -> Tensor:
    """A picture (n, c, r, r) between its pixels, at places (n, k, 2) of the unit crop; past its edge, as there."""
    return F.grid_sample(chart, (2 * places - 1)[:, :, None], padding_mode="border", align_corners=False)[..., 0]


def gathered(chart: Tensor, places: Tensor) -> Tensor:
    """The same by way of ``gather``, whose gradient a GPU can repeat exactly; that of ``grid_sample`` it can not."""
    channels, height, width = chart.shape[1:]
    x = (places[..., 0] * width - 0.5).clamp(0, width - 1)
    y = (places[..., 1] * height - 0.5).clamp(0, height - 1)
    left, top = x.floor().clamp(max=width - 2), y.floor().clamp(max=height - 2)
    first = (top * width + left).long()

    def corner(step: int) -> Tensor:
        return chart.flatten(2).gather(2, (first + step)[:, None].expand(-1, channels, -1))

    across, down = (x - left)[:, None], (y - top)[:, None]
    above = torch.lerp(corner(0), corner(1), across)
    below = torch.lerp(corner(width), corner(width + 1), across)
    return torch.lerp(above, below, down)


@cache
def mirrored_places(device: torch.device = _CPU) -> Tensor:
    """Which landmark a mirror shows where another one was, (``PLACES``,) int64."""
    return torch.from_numpy(mirror_of(_face())[:PLACES].astype(np.int64)).to(device)


def _seen(places: Tensor) -> Tensor:
    """Landmarks all of whose triangles are wound as on a face from the front, (n, ``PLACES``) of 0 and 1."""
    triangles = _triangles(places.device)
    a, b, c = (places[:, corner] for corner in triangles.T)
    turned = ((b - a)[..., 0] * (c - a)[..., 1] - (b - a)[..., 1] * (c - a)[..., 0] <= 0).to(places.dtype)
    hidden = places.new_zeros(len(places), PLACES)
    for corner in triangles.T:
        hidden.index_add_(1, corner, turned)
    return (hidden == 0).to(places.dtype)


@cache
def _face() -> NDArray[np.float64]:
    return read_canonical(open_pack().files["canonical_face"])


@cache
def _goal(device: torch.device) -> Tensor:
    return torch.from_numpy(chart_of(_face())).to(device)


@cache
def _triangles(device: torch.device) -> Tensor:
    """(t, 3) int64: landmarks that are neighbours on the chart, each triangle wound clockwise in the picture."""
    goal = chart_of(_face()).astype(np.float64)
    triangles = Delaunay(goal).simplices.astype(np.int64)
    a, b, c = (goal[triangles[:, corner]] for corner in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    triangles[area < 0] = triangles[area < 0][:, [0, 2, 1]]
    return torch.from_numpy(triangles).to(device)
