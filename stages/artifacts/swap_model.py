"""The swap model of a pair: weights, how they were made, and one ONNX network per identity."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

    def network(self, identity: str) -> Path:
        """The ONNX network that puts on ``identity``.

        Input ``crop`` float32 (n, 3, S, S) RGB 0..1; outputs ``rgb`` (n, 3, R, R) and ``mask`` (n, 1, R, R), 0..1.

        Raises:
            Problem: the model has no decoder for that identity.
        """
        path = self.folder / f"{identity}.onnx"
        if not path.is_file():
            raise missing(path)
        return path

    @property
    def weights(self) -> Path:
        """All weights, safetensors."""
        return self.folder / "model.safetensors"

    def network_sha256(self, identity: str) -> str:
        """SHA-256 of the ONNX file, in hexadecimal."""
        return sha256_of(self.network(identity))
