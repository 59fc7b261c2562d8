"""Flicker: what changes from frame to frame beyond what moves.

The target's optical flow says where each place of the face was a frame before; what the picture shows there, moved
along, is compared with what it shows now (warping error, Lai et al. 2018, section 4.2). Places that the flow can not
follow do not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from stages import geometry

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]

SIZE: Final = 256
"""Longest side of what is looked at, pixels; larger faces are made smaller first."""

_SQUARED, _SLACK = 0.01, 0.5
"""A place is hidden if the way there and back ends farther away than this share of its length, both squared, and the
slack in square pixels (Sundaram et al. 2010; Ruder et al. 2016)."""


@dataclass(frozen=True)
class Motion:
    """How the target's face moved from one frame to the next, within a box.

    Attributes:
        box: of frame pixels: x0, y0, x1, y1.
        width, height: of what is looked at.
        back: (height, width, 2) float32, from now to the frame before, pixels.
        seen: (height, width), where the way there and back ends where it began.
    """

    box: tuple[int, int, int, int]
    width: int
    height: int
    back: NDArray[np.float32]
    seen: Mask

    @classmethod
    def between(cls, before: Picture, now: Picture, box: tuple[int, int, int, int]) -> Self:
        """By dense inverse search (Kroeger et al. 2016), (h, w, 3) uint8 RGB frames both."""
        x0, y0, x1, y1 = box
        scale = min(1.0, SIZE / max(x1 - x0, y1 - y0, 1))
        width, height = max(16, round((x1 - x0) * scale)), max(16, round((y1 - y0) * scale))
        empty = cls(box, width, height, np.zeros((height, width, 2), np.float32), np.ones((height, width), bool))
        old, new = (cv2.cvtColor(empty.part(picture), cv2.COLOR_RGB2GRAY) for picture in (before, now))
        search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        back = np.asarray(search.calc(new, old, empty.back.copy()), np.float32)
        forth = np.asarray(search.calc(old, new, empty.back.copy()), np.float32)
        returned = _moved(forth, back)
        missed = np.square(back + returned).sum(axis=2)
        length = np.square(back).sum(axis=2) + np.square(returned).sum(axis=2)
        x, y = _grid(width, height)
        inside = (x + back[..., 0] >= 0) & (x + back[..., 0] <= width - 1)
        inside &= (y + back[..., 1] >= 0) & (y + back[..., 1] <= height - 1)
        return cls(box, width, height, back, inside & (missed <= _SQUARED * length + _SLACK))

    def part(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What is looked at of a frame, or of a mask of it, (height, width[, 3])."""
        x0, y0, x1, y1 = self.box
        cut = picture[y0:y1, x0:x1]
        return np.asarray(cv2.resize(cut, (self.width, self.height), interpolation=cv2.INTER_AREA), np.uint8)

    def error(self, before: Picture, now: Picture, mask: Mask) -> float:
        """Mean squared difference of a picture now and itself a frame before, moved along, in squared code values.

        Args:
            before, now: (h, w, 3) uint8 RGB frames.
            mask: (h, w), where it counts.

        Returns:
            NaN if no place of the mask could be followed.
        """
        counts = self.seen & (self.part(mask.astype(np.uint8) * 255) > 127)
        if not counts.any():
            return float("nan")
        old = _moved(self.part(before).astype(np.float32), self.back)
        difference = self.part(now).astype(np.float32)[counts] - old[counts]
        return float(np.mean(np.square(difference)))


def face_box(transforms: list[NDArray[np.float64]], width: int, height: int) -> tuple[int, int, int, int]:
    """The box of a frame that holds a face's crop at several moments; the whole frame if they lie outside of it."""
    boxes = np.array([geometry.region(transform, width, height) for transform in transforms])
    (x0, y0), (x1, y1) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return (int(x0), int(y0), int(x1), int(y1)) if x1 > x0 and y1 > y0 else (0, 0, width, height)


def _grid(width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return x, y


def _moved(values: NDArray[np.float32], flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values (h, w, c) looked up where the flow (h, w, 2) leads."""
    x, y = _grid(flow.shape[1], flow.shape[0])
    moved = cv2.remap(values, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)
