"""The promise that nothing outside the face was changed, checked sample by sample."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from stages import geometry
from stages.artifacts.frames import Frames
from stages.video import NativeFrame


def changed(target: NativeFrame, finished: NativeFrame) -> NDArray[np.bool_]:
    """Where any sample of a finished frame differs from the target's, (h, w) bool."""
    width, height = target.facts.width, target.facts.height
    result = np.zeros((height, width), dtype=bool)
    for before, after in zip(target.planes(), finished.planes(), strict=True):
        different = (before != after).astype(np.uint8)
        if different.shape[1] > width:  # interleaved channels: any of a pixel's
            different = different.reshape(height, width, -1).any(axis=2).astype(np.uint8)
        result |= cv2.resize(different, (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)
    return result


def changed_outside(target: NativeFrame, finished: NativeFrame, transforms: Sequence[NDArray[np.float64]]) -> int:
    """How many samples of a finished frame differ from the target's outside the crops of its faces.

    Args:
        target, finished: the same frame before and after compositing.
        transforms: (2, 3) of each face, frame pixels to the unit crop.

    Returns:
        samples over all planes; 0 if the promise holds.
    """
    width, height = target.facts.width, target.facts.height
    boxes = [geometry.region(transform, width, height, multiple=4) for transform in transforms]
    count = 0
    for before, after in zip(target.planes(), finished.planes(), strict=True):
        different = before != after
        across, down = different.shape[1] / width, different.shape[0] / height
        for x0, y0, x1, y1 in boxes:
            rows = slice(int(y0 * down), int(np.ceil(y1 * down)))
            different[rows, int(x0 * across) : int(np.ceil(x1 * across))] = False
        count += int(different.sum())
    return count


def frames_passed_exactly(target: Frames, finished: Frames) -> bool:
    """Whether every frame that is said to be unchanged has the target's own hash, and no frame is missing."""
    if len(target) != len(finished):
        return False
    same = target.index["hash"].to_numpy() == finished.index["hash"].to_numpy()
    return bool((same | finished.index["changed"].to_numpy().astype(bool)).all())
