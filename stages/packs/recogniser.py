"""Describes a face by a vector that is alike for one person and unlike for two."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from insightface.model_zoo.arcface_onnx import ArcFaceONNX
from insightface.utils.face_align import arcface_dst
from numpy.typing import NDArray

from stages.geometry import Floats, crop, umeyama
from stages.onnx import Device
from stages.packs.insight import open_model, open_recogniser
from stages.packs.pack import Pack

BATCH: Final = 16


def arcface_transform(points: NDArray[np.floating], size: int) -> Floats:
    """The similarity from frame pixels to insightface's crop, as a unit crop, (2, 3) float64.

    The template is insightface's own: five points in a square of 112 pixels, or, for sizes that are multiples of 128
    but not of 112, the same with 8 more on the left and the right and 16 more below.

    Args:
        points: (5, 2), in the order of :class:`stages.packs.Found`.
        size: of the crop in pixels.
    """
    template = np.asarray(arcface_dst, np.float64)
    wide = (template + np.array([8.0, 0.0])) / 128.0
    return umeyama(points, wide if size % 112 else template / 112.0)


class Recogniser:
    """A pack's recogniser, or one that comes alone.

    Args:
        source: the pack, or the file of an ArcFace-style network.
        device: where it runs.
        threads: on the CPU.

    Raises:
        Problem: it can not be opened.
    """

    def __init__(self, source: Pack | Path, *, device: Device = "auto", threads: int = 2) -> None:
        if isinstance(source, Path):
            model = open_recogniser(source, device=device, threads=threads)
        else:
            model = open_model(source, "recognition", device=device, threads=threads)
        assert isinstance(model, ArcFaceONNX)
        self._model = model
        self._batch = BATCH if not isinstance(model.input_shape[0], int) else model.input_shape[0]

    def embed(self, frame: NDArray[np.uint8], points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Embeddings of faces in one frame.

        Args:
            frame: (h, w, 3) uint8 RGB.
            points: (n, 5, 2) in frame pixels, in the order of :class:`stages.packs.Found`.

        Returns:
            (n, d) float32 of length 1: their dot products are cosine similarities.
        """
        size = int(self._model.input_size[0])
        crops = [crop(frame, arcface_transform(five, size), size) for five in points]
        return self.embed_crops(np.asarray(crops, np.uint8).reshape(-1, size, size, 3))

    def embed_crops(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As :meth:`embed`, for crops (n, size, size, 3) uint8 RGB made with :func:`arcface_transform`."""
        vectors = [
            self._model.get_feat([crop[:, :, ::-1] for crop in crops[start : start + self._batch]])
            for start in range(0, len(crops), self._batch)
        ]
        if not vectors:
            return np.zeros((0, int(self._model.output_shape[1])), np.float32)
        stacked = np.concatenate(vectors).astype(np.float32)
        lengths = np.maximum(np.linalg.norm(stacked, axis=1, keepdims=True), 1e-12)
        return np.asarray(stacked / lengths, np.float32)
