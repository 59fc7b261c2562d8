"""Motion blur: a face that moves while the shutter is open is smeared along its way, and so must be the one put there.

A decoder paints a moving face sharper than the camera saw it. How far a face moves in a frame is known from its
landmarks; what is not known is for how much of the frame the shutter was open. It is one number for a shot, and it is
measured: smearing weakens a picture's gradients along the way and leaves those across, so the ratio of the two falls
with the length of the smear. (Yitzhaky and Kopeika 1997 find a blur's direction so: derivatives along it are the
weakest.) The shutter is the one at which the converted faces of a shot come to the ratio of their targets. Both
people's faces are aligned, and in a still one their ratios are nearly the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.artifacts.frames import Frames
from stages.compositing.focus import reduced
from stages.compositing.sharpness import detail_of_luma
from stages.compositing.steadiness import runs

Floats = NDArray[np.float32]

SHARES: Final = (0.0, 0.35, 0.7, 1.0)
"""Of a frame for which the shutter may have been open: at these, what it does to a face is measured."""

WIDTH: Final = 2 * len(SHARES) + 1
"""Of what is measured of a face: see :func:`smeared`."""

SAMPLES: Final = 64
"""Of so many of a shot's faces, the fastest ones, the shutter is told."""

_LEAST: Final = 1.5
"""Pixels of the crop that a face must move in a frame for its smear to tell anything."""

_SHORTEST: Final = 0.3
"""Pixels; a shorter smear is none."""

_LONGEST: Final = 0.25
"""Share of the crop; a face that moves further in a frame was found wrongly, or is not to be told from its smear."""

_RIM: Final = 0.04
"""Share of the crop by which the mask is drawn in: the edge of a face is a gradient too, but none of its own."""

_STEPS: Final = 41
"""Shutters that are tried, evenly from closed to open for the whole frame."""


def motions(faces: pd.DataFrame, middles: NDArray[np.float64], frames: Frames) -> NDArray[np.float64]:
    """How far each face moves in the time of its frame, (n, 2) in frame pixels; 0 where it is alone in its run.

    Its middle, between the frames before and after in its run, at the ends between it and its neighbour.

    Args:
        faces: a table with ``shot``, ``track`` and ``frame``.
        middles: of each, the mean of its landmarks, (n, 2) in frame pixels.
        frames: that they are in.
    """
    result = np.zeros((len(faces), 2))
    if len(faces) == 0:
        return result
    base = Fraction(frames.facts.time_base)
    numbers = faces["frame"].to_numpy()
    times = np.array([float(int(pts) * base) for pts in frames.index["pts"].to_numpy()[numbers]])
    lasts = np.array([float(int(each) * base) for each in frames.index["duration"].to_numpy()[numbers]])
    for run in runs(faces):
        before, after = np.maximum(np.arange(len(run)) - 1, 0), np.minimum(np.arange(len(run)) + 1, len(run) - 1)
        passed = times[run[after]] - times[run[before]]
        ways = middles[run[after]] - middles[run[before]]
        known = passed > 0
        result[run[known]] = ways[known] * (lasts[run[known]] / passed[known])[:, None]
    return result


def in_crop(motion: NDArray[np.float64], transform: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """A motion (2,) of frame pixels in those of a crop of ``size``.

    ``transform`` is (2, 3), frame pixels to the unit crop.
    """
    return np.asarray(size * (transform[:, :2] @ motion), np.float64)


def smear(picture: Floats, way: NDArray[np.float64]) -> Floats:
    """A picture (h, w[, c]) float32 whose every point is smeared evenly along a way (2,) in pixels, about its place.

    The picture itself if the way is shorter than a few tenths of a pixel.
    """
    length = float(np.hypot(*way))
    if length < _SHORTEST:
        return picture
    reach = int(np.ceil(length / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float64)
    # the middles of many short pieces, each shared among the four pixels around it
    pieces = 8 * (reach + 1)
    for part in (np.arange(pieces) + 0.5) / pieces - 0.5:
        x, y = reach + part * way
        column, row = int(np.floor(x)), int(np.floor(y))
        right, down = x - column, y - row
        kernel[row : row + 2, column : column + 2] += np.outer([1 - down, down], [1 - right, right])
    flat = (kernel / kernel.sum()).astype(np.float32)
    return np.asarray(cv2.filter2D(picture, cv2.CV_32F, flat, borderType=cv2.BORDER_REPLICATE), np.float32)


def smeared(layer: Floats, target: Floats, mask: Floats, way: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """What each shutter of :data:`SHARES` does to a moving face, and what was done to its target.

    Args:
        layer, target: luma (r, r) float32 0..1, aligned.
        mask: (r, r) float32 0..1, what is face in both.
        way: (2,), how far it moves in the frame, in pixels of the crop.
        side: pixels across the crop at which detail is told, see :func:`stages.compositing.focus.side_of`.

    Returns:
        (WIDTH,): for each shutter the logarithm of the layer's gradients along the way to those across; for each the
        layer's fine detail (see :func:`stages.compositing.sharpness.detail_of_luma`); and that logarithm of the target.
        All 0 if it moves too little, or too far, to tell.
    """
    length = float(np.hypot(*way))
    if not _LEAST <= length <= _LONGEST * len(mask):
        return np.zeros(WIDTH)
    rim = 2 * round(_RIM * len(mask)) + 1
    inner = np.asarray(cv2.erode(mask, np.ones((rim, rim), np.uint8), borderValue=0), np.float32)
    if not inner.any():
        return np.zeros(WIDTH)
    lumas = [smear(layer, share * way) for share in SHARES]
    ratios = [_along_to_across(luma, inner, way / length) for luma in (*lumas, target)]
    weights = reduced(mask, side)
    details = [detail_of_luma(reduced(luma, side), weights) for luma in lumas]
    return np.array([*ratios[:-1], *details, ratios[-1]])


def too_far(length: float) -> bool:
    """Whether a face moves too far in its frame to tell a shutter by; ``length`` is a share of the crop."""
    return length > _LONGEST


def _along_to_across(luma: Floats, mask: Floats, along: NDArray[np.float64]) -> float:
    right, down = (cv2.Sobel(luma, cv2.CV_32F, *order, scale=0.125) for order in ((1, 0), (0, 1)))
    parts = (along[0] * right + along[1] * down, along[0] * down - along[1] * right)
    ahead, aside = (float((mask * part**2).sum()) + 1e-12 for part in parts)
    return 0.5 * float(np.log(ahead / aside))


def samples_of(run: NDArray[np.intp], motion: NDArray[np.float64]) -> NDArray[np.intp]:
    """The rows of a run by whose faces its shutter is told: the fastest, in their order.

    Args:
        run: rows.
        motion: (n, 2) of all faces.
    """
    lengths = np.hypot(*motion[run].T)
    return np.sort(run[np.argsort(-lengths, kind="stable")[:SAMPLES]])


def shutters(
    found: NDArray[np.float64], lengths: NDArray[np.float64], samples: Sequence[NDArray[np.intp]]
) -> list[float]:
    """For how much of a frame the shutter was open in each run, 0..1.

    The one at which the layers' logarithms of ratios differ least from their targets', in sum of absolute differences,
    where a face counts by how far it moves.

    Args:
        found: (n, WIDTH), see :func:`smeared`.
        lengths: (n,), how far each moves.
        samples: of each run, the rows that tell.
    """
    tried = np.linspace(0.0, 1.0, _STEPS)
    result = []
    for rows in samples:
        rows = rows[found[rows].any(axis=1)]
        if len(rows) == 0:
            result.append(0.0)
            continue
        count = len(SHARES)
        layers = np.stack([np.interp(tried, SHARES, row[:count]) for row in found[rows]])
        off = np.abs(layers - found[rows, -1:])
        result.append(float(tried[int(np.argmin((lengths[rows, None] * off).sum(axis=0)))]))
    return result


def detail_left(found: NDArray[np.float64], shutter: float) -> float | None:
    """The share of its fine detail that a layer keeps under a shutter; None where nothing was measured.

    ``found`` is (WIDTH,), see :func:`smeared`.
    """
    details = found[len(SHARES) : 2 * len(SHARES)]
    return float(np.interp(shutter, SHARES, details) / details[0]) if found.any() and details[0] > 0 else None
