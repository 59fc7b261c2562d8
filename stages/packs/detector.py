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

    def detect(self, frames: Sequence[NDArray[np.uint8]]) -> list[Found]:
        """The faces of each frame, (h, w, 3) uint8 RGB.

        insightface's SCRFD takes one picture at a time; its box suppression (IoU 0.4) also joins what the fine and
        the coarse look both found.
        """
        return [self._one(frame) for frame in frames]

    def _one(self, frame: NDArray[np.uint8]) -> Found:
        height, width = frame.shape[:2]
        looks = [self._look(frame, self._scale)]
        if max(height, width) * self._scale > LARGEST_SEEN:
            looks.append(self._look(frame, self._scale * COARSE))
        boxes = np.concatenate([box for box, _ in looks])
        points = np.concatenate([point for _, point in looks])
        order = np.argsort(-boxes[:, 4], kind="stable")
        boxes, points = boxes[order], points[order]
        kept = self._model.nms(boxes) if len(boxes) else []
        return Found(boxes[kept, 4], boxes[kept, :4], points[kept])

    def _look(self, frame: NDArray[np.uint8], scale: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes with scores (k, 5) and points (k, 5, 2) in frame pixels, found at one scale."""
        height, width = (max(1, round(extent * scale)) for extent in frame.shape[:2])
        shrunk = frame if scale == 1.0 else cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
        canvas = np.zeros((-(-height // MULTIPLE) * MULTIPLE, -(-width // MULTIPLE) * MULTIPLE, 3), np.uint8)
        canvas[:height, :width] = shrunk[:, :, ::-1]  # insightface takes BGR
        boxes, points = self._model.detect(canvas, input_size=canvas.shape[1::-1], det_thresh=self._score)
        there = np.array([frame.shape[1] / width, frame.shape[0] / height], np.float32)
        boxes[:, :4] *= np.tile(there, 2)
        return boxes.astype(np.float32), (points * there).astype(np.float32)
