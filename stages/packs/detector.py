"""Finds faces: boxes and five points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from insightface.model_zoo.scrfd import SCRFD
from numpy.typing import NDArray

from stages.onnx import Device
from stages.packs.insight import open_model
from stages.packs.pack import Pack

SMALLEST_SEEN: Final = 28.0
"""Height in pixels, in the picture the detector is given, of the smallest face whose points it still places well."""

LARGEST_SEEN: Final = 320.0
"""Above this height it begins to miss faces: larger ones need a second look at a coarser scale."""

COARSE: Final = 0.25
MULTIPLE: Final = 32

TILTS: Final = 8
"""Looks evenly around the circle: upright faces are found surely up to 25 degrees of tilt, some no further than 30."""

TILTED: Final = 0.5
"""Scale of the looks at tilted faces to that of the upright one: seven of them cost three times as much as that."""


@dataclass(frozen=True)
class Found:
    """The faces of one frame, the surest first.

    Attributes:
        scores: (k,) float32 in 0..1.
        boxes: (k, 4) float32, x0, y0, x1, y1 in frame pixels.
        points: (k, 5, 2) float32, x, y in frame pixels: the eyes, the nose, the corners of the mouth, each pair from
            left to right in the picture.
    """

    scores: NDArray[np.float32]
    boxes: NDArray[np.float32]
    points: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scores)


class Detector:
    """A pack's detector, at the resolution at which it finds the smallest face asked for.

    Args:
        pack: the pack.
        score: the least score of a face, 0..1.
        minimum_face: height in frame pixels of the smallest face to be found.
        device: where it runs.
        threads: on the CPU.

    Raises:
        Problem: the pack's detector can not be opened.
    """

    def __init__(
        self,
        pack: Pack,
        *,
        score: float = 0.6,
        minimum_face: float = 48.0,
        device: Device = "auto",
        threads: int = 2,
    ) -> None:
        model = open_model(pack, "detection", device=device, threads=threads)
        assert isinstance(model, SCRFD)
        self._model = model
        self._score = score
        self._scale = min(1.0, SMALLEST_SEEN / minimum_face)

    def detect(self, frames: Sequence[NDArray[np.uint8]], *, tilted: bool = False) -> list[Found]:
        """The faces of each frame, (h, w, 3) uint8 RGB.

        insightface's SCRFD takes one picture at a time; its box suppression (IoU 0.4) also joins what the fine and
        the coarse look both found, and of one face upright and tilted looks it keeps the surest.

        Args:
            frames: to look at.
            tilted: look for faces on their side and upside down, too, from twice the height on. Their points are in
                the order in which an upright face has them; their boxes hold the ellipse that the detector's box does.
        """
        return [self._one(frame, tilted) for frame in frames]

    def _one(self, frame: NDArray[np.uint8], tilted: bool) -> Found:
        looks = self._looks(frame, self._scale)
        if tilted:
            scale = TILTED * self._scale
            shrunk = _shrunk(frame, scale)
            there = np.array([frame.shape[1] / shrunk.shape[1], frame.shape[0] / shrunk.shape[0]], np.float32)
            for step in range(1, TILTS):
                turned, back = _turned(shrunk, 360.0 * step / TILTS)
                looks += [_in_frame(*found, back, there) for found in self._looks(turned, 1.0)]
        boxes = np.concatenate([box for box, _ in looks])
        points = np.concatenate([point for _, point in looks])
        order = np.argsort(-boxes[:, 4], kind="stable")
        boxes, points = boxes[order], points[order]
        kept = self._model.nms(boxes) if len(boxes) else []
        return Found(boxes[kept, 4], boxes[kept, :4], points[kept])

    def _looks(self, frame: NDArray[np.uint8], scale: float) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """What is found at one scale, and at a coarser one if faces may be too large for that."""
        coarse = [COARSE] if max(frame.shape[:2]) * scale > LARGEST_SEEN else []
        return [self._look(frame, scale * share) for share in (1.0, *coarse)]

    def _look(self, frame: NDArray[np.uint8], scale: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes with scores (k, 5) and points (k, 5, 2) in frame pixels, found at one scale."""
        shrunk = _shrunk(frame, scale)
        height, width = shrunk.shape[:2]
        canvas = np.zeros((-(-height // MULTIPLE) * MULTIPLE, -(-width // MULTIPLE) * MULTIPLE, 3), np.uint8)
        canvas[:height, :width] = shrunk[:, :, ::-1]  # insightface takes BGR
        boxes, points = self._model.detect(canvas, input_size=canvas.shape[1::-1], det_thresh=self._score)
        there = np.array([frame.shape[1] / width, frame.shape[0] / height], np.float32)
        boxes[:, :4] *= np.tile(there, 2)
        return boxes.astype(np.float32), (points * there).astype(np.float32)


def _shrunk(frame: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """A frame (h, w, 3) with each extent ``scale`` (0..1) as long, at least a pixel."""
    if scale == 1.0:
        return frame
    height, width = (max(1, round(extent * scale)) for extent in frame.shape[:2])
    return np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _turned(frame: NDArray[np.uint8], degrees: float) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A frame turned about its middle, all of it, black around it, and the affine map (2, 3) of its pixels back."""
    height, width = frame.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    across, up = np.abs(matrix[0, :2])
    wide, high = (int(np.ceil(extent)) for extent in (across * width + up * height, up * width + across * height))
    matrix[:, 2] += [(wide - width) / 2, (high - height) / 2]
    back = np.asarray(cv2.invertAffineTransform(matrix), np.float64)
    return np.asarray(cv2.warpAffine(frame, matrix, (wide, high)), np.uint8), back


def _in_frame(
    boxes: NDArray[np.float32], points: NDArray[np.float32], back: NDArray[np.float64], there: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What was found in a turned, shrunk frame as it lies in the frame.

    A box is that of the ellipse in the box which was found, turned: a face is one, and its corners are no part of it.

    Args:
        boxes: (k, 5) with scores.
        points: (k, 5, 2).
        back: (2, 3), from the turned frame's pixels to the shrunk one's.
        there: (2,) from those to the frame's.
    """
    linear, offset = back[:, :2], back[:, 2]
    middles = (boxes[:, :2] + boxes[:, 2:4]) / 2 @ linear.T + offset
    halves = np.sqrt((((boxes[:, 2:4] - boxes[:, :2]) / 2) ** 2) @ (linear**2).T)
    placed = np.hstack([(middles - halves) * there, (middles + halves) * there, boxes[:, 4:]])
    return placed.astype(np.float32), ((points @ linear.T + offset) * there).astype(np.float32)
