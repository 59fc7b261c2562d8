"""Pictures whose figures are known to be good or bad: a figure that does not rank them so says little.

- *copied target*: nothing was swapped.
- *wrong decoder*: the target's own decoder in place of the source's; the face is well drawn, but the wrong one.
- *shuffled frames*: the right decoder's face from another moment; the likeness without the performance.
- *static source*: one face of the source's own footage, pasted with a hard edge; no performance, no finish.
- *oracle*: the right answer itself, as far as the model's resolution can show it.

Which of them must be better than which, each figure says for itself (:mod:`stages.evaluation.catalogue`).
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
import pandas as pd
from numpy.typing import NDArray

from stages import geometry
from stages.artifacts.face_set import FaceSet, clips_of
from stages.artifacts.swap_model import SwapModel
from stages.problems import Problem

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_LOOKS_AWAY = 15.0
"""Degrees that count as much as shut eyes."""

COPIED, WRONG, SHUFFLED, STATIC, ORACLE = (
    "copied_target",
    "wrong_decoder",
    "shuffled_frames",
    "static_source",
    "oracle",
)
DELAYED = "delayed_target"
"""No picture: the target's own performance, two frames late."""
ALTERNATING = "alternating"
"""No picture: the swap's likeness in every second frame, the target's in between."""

DELAY = 2
"""Frames."""


def wrongly_decoded(crop: Picture, session: ort.InferenceSession, model: SwapModel) -> Picture:
    """The target's crop through the target's own decoder.

    Args:
        crop: (c, c, 3) uint8 RGB, c the model's crop size.
        session: on the target's network.
        model: that the network belongs to.

    Returns:
        (r, r, 3) uint8 RGB.
    """
    (rgb,) = session.run(["rgb"], {"crop": model.network_input(crop[None])})
    return np.asarray((rgb[0].transpose(1, 2, 0) * 255.0).round().clip(0, 255), np.uint8)


def pasted(frame: Picture, crop: Picture, transform: NDArray[np.float64], mask: Mask) -> Picture:
    """A crop laid over a frame with a hard edge, no colour matched.

    Args:
        frame: (h, w, 3) uint8 RGB.
        crop: (r, r, 3) uint8 RGB, aligned.
        transform: (2, 3), frame pixels to the unit crop.
        mask: (h, w) bool, where it is laid.
    """
    return np.where(mask[..., None], at_resolution(frame, crop, transform), frame)


def still_face(folder: Path, size: int) -> tuple[Picture, Mask]:
    """The source's face that looks most nearly into the camera with its eyes open, and its mask.

    Args:
        folder: of the identity, with a face set per clip.
        size: of the crop in pixels.

    Returns:
        (size, size, 3) uint8 RGB, (size, size) bool.
    """
    best: tuple[float, FaceSet, pd.DataFrame] | None = None
    for clip in clips_of(folder):
        faces = FaceSet.read(clip)
        shut = 1.0 - faces.index[["eye_open_left", "eye_open_right"]].mean(axis=1).clip(0.0, 0.3) / 0.3
        away = np.hypot(faces.index["yaw"], faces.index["pitch"]) / _LOOKS_AWAY + shut + faces.index["mouth_open"]
        place = int(np.argmin(away.to_numpy()))
        if best is None or float(away.iloc[place]) < best[0]:
            best = float(away.iloc[place]), faces, faces.index.iloc[[place]]
    if best is None:
        raise Problem("there are no faces in it", where=folder, mend="check the clip: is the person to be seen in it?")
    _, faces, row = best
    crop, mask = faces.crops(row)[0], faces.masks(row)[0]
    resized = [cv2.resize(each, (size, size), interpolation=cv2.INTER_AREA) for each in (crop, mask)]
    return np.asarray(resized[0], np.uint8), np.asarray(resized[1] >= 128)


def at_half_resolution(crop: Picture) -> Picture:
    """A crop taken down to half its size and back up, (r, r, 3) uint8."""
    size = crop.shape[0]
    half = cv2.resize(crop, (size // 2, size // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(half, (size, size), interpolation=cv2.INTER_CUBIC), np.uint8)


def another_moment(position: int, count: int) -> int:
    """Which of ``count`` frames stands in for frame ``position``: the one half a clip away."""
    return (position + max(count // 2, 1)) % count


def at_resolution(truth: Picture, crop: Picture, transform: NDArray[np.float64]) -> Picture:
    """The truth's frame with its face as an aligned crop of the model's size would show it.

    Args:
        truth: (h, w, 3) uint8 RGB.
        crop: (r, r, 3), the aligned crop of ``truth``.
        transform: (2, 3), frame pixels to the unit crop.

    Returns:
        (h, w, 3) uint8 RGB; outside the crop it is the truth.
    """
    height, width = truth.shape[:2]
    x0, y0, x1, y1 = geometry.region(transform, width, height)
    result = truth.copy()
    if x1 <= x0 or y1 <= y0:
        return result
    to_frame = geometry.invert(geometry.compose(transform, geometry.to_pixels(crop.shape[0])))
    into_box = geometry.compose(to_frame, np.array([[1.0, 0.0, -x0], [0.0, 1.0, -y0]]))
    result[y0:y1, x0:x1] = geometry.warp(crop, into_box, x1 - x0, y1 - y0)
    return result
