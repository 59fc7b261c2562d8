"""The swap model of a pair: weights, how they were made, and one ONNX network per identity."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.artifacts.files import missing, read_facts, sha256_of


@dataclass(frozen=True)
class SwapModel:
    """``facts`` is model.json: architecture, identities, sizes, seed, versions, hashes of the data."""

    folder: Path
    facts: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> SwapModel:
        """Raises: Problem if model.json is missing or damaged."""
        return cls(folder, read_facts(folder / "model.json"))

    def network(self, identity: str, precision: Literal["fp32", "fp16"] = "fp32") -> Path:
        """The ONNX network that puts on ``identity``.

        Input ``crop`` float32 (n, 3, S, S) RGB 0..1; outputs ``rgb`` (n, 3, R, R) and ``mask`` (n, 1, R, R), 0..1;
        the same in both precisions, of which the lower one only computes otherwise.

        Raises:
            Problem: the model has no decoder for that identity.
        """
        path = self.folder / f"{identity}{'' if precision == 'fp32' else '.fp16'}.onnx"
        if not path.is_file():
            raise missing(path)
        return path

    @property
    def crop_size(self) -> int:
        """Side of the crops that :meth:`network_input` takes, pixels: that of the face sets it was trained on."""
        return int(self.facts["crop_size"])

    @property
    def output_size(self) -> int:
        """Side of the pictures that a network gives, pixels."""
        return int(self.facts["output_size"])

    def network_input(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What a network takes, from aligned crops as a face set has them; scaled in the same steps as in training.

        Args:
            crops: (n, C, C, 3) uint8 RGB, C = :attr:`crop_size`.

        Returns:
            (n, 3, S, S) float32 RGB 0..1.
        """
        stored, size = int(self.facts["stored_size"]), int(self.facts["input_size"])
        kept = [cv2.resize(crop, (stored, stored), interpolation=cv2.INTER_AREA) for crop in crops]
        small = [cv2.resize(crop.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA) for crop in kept]
        return np.ascontiguousarray(np.stack(small).transpose(0, 3, 1, 2) / np.float32(255.0))

    @property
    def weights(self) -> Path:
        """All weights, safetensors."""
        return self.folder / "model.safetensors"

    def network_sha256(self, identity: str) -> str:
        """SHA-256 of the ONNX file, in hexadecimal."""
        return sha256_of(self.network(identity))
