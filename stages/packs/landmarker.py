"""Places 478 dense landmarks on a face (MediaPipe's face mesh with irises)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stages.onnx import Device, open_session
from stages.packs.pack import Pack

SIZE: Final = 256
POINTS: Final = 478
BATCH: Final = 16


class Landmarker:
    """The landmark network.

    Args:
        pack: the pack.
        device: where it runs.
        threads: on the CPU.

    Raises:
        Problem: the network can not be opened.
    """

    def __init__(self, pack: Pack, *, device: Device = "auto", threads: int = 2) -> None:
        self._session = open_session(pack.files["landmarks"], device=device, threads=threads)
        self._input = self._session.get_inputs()[0].name
        self._outputs = [output.name for output in self._session.get_outputs()[:2]]

    def place(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Landmarks on crops of upright faces that fill about two thirds of them.

        Args:
            crops: (n, 256, 256, 3) uint8 RGB.

        Returns:
            (n, 478, 3) float32: x, y in crop pixels, z in the same scale, smaller towards the camera; and (n,)
            float32: how sure it is that there is a face, 0..1.
        """
        points, sure = [], []
        for start in range(0, len(crops), BATCH):
            batch = crops[start : start + BATCH].astype(np.float32) / 255.0
            mesh, logit = self._session.run(self._outputs, {self._input: batch})
            points.append(mesh.reshape(-1, POINTS, 3))
            sure.append(1.0 / (1.0 + np.exp(-logit.reshape(-1))))
        if not points:
            return np.zeros((0, POINTS, 3), np.float32), np.zeros(0, np.float32)
        return np.concatenate(points).astype(np.float32), np.concatenate(sure).astype(np.float32)
