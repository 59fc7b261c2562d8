"""Pictures that a good figure must beat, and one that no figure can: without them a number says little.

- *copied target*: nothing was swapped.
- *wrong decoder*: the target's own decoder in place of the source's; the face is well drawn, but the wrong one.
- *shuffled frames*: the right decoder's face from another moment; the likeness without the performance.
- *resolution ceiling*: the truth itself, taken down to the model's resolution and back up.
"""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from stages import geometry
from stages.artifacts.swap_model import SwapModel

Picture = NDArray[np.uint8]

NAMES = {
    "copied_target": "copied target",
    "wrong_decoder": "wrong decoder",
    "shuffled_frames": "shuffled frames",
}
"""The controls that are compared in the crop, and what people read."""


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
