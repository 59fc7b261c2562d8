"""Which pixels of an aligned crop show the face, and which show what comes before it: a small network of our own.

It learnt from performers rendered behind glasses, hands and things (:mod:`stages.visibility`). It answers for the face
and for what covers it; what lies beside both (background, neck, ears) is left open, so only look where a face would be.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Self

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from stages.onnx import Device, open_session

PLACE: Final = Path("data/visibility")
NETWORK: Final = "visible.onnx"


class VisibleFace:
    """The network, ready to look.

    Args:
        session: on its file.
    """

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session

    @classmethod
    def open(cls, folder: Path = PLACE, *, device: Device = "cpu", threads: int = 1) -> Self:
        """Raises: Problem if the file is missing or no network."""
        return cls(open_session(folder / NETWORK, device=device, threads=threads))

    def look(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """How surely each pixel shows the face.

        Args:
            crops: (n, SIZE, SIZE, 3) uint8 RGB, aligned; SIZE is :data:`stages.artifacts.visibility.SIZE`.

        Returns:
            (n, SIZE, SIZE) float32, 1 the visible face, 0 what comes before it.
        """
        planes = np.ascontiguousarray(crops.transpose(0, 3, 1, 2), np.float32) / np.float32(255.0)
        (visible,) = self._session.run(["visible"], {"crop": planes})
        return np.asarray(visible, np.float32)[:, 0]
