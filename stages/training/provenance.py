"""What a model was made from and by: hashes of data and code, and versions."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path

import torch

from stages.artifacts.face_set import clips_of
from stages.artifacts.files import sha256_of
from stages.training.settings import LossSettings

_PACKAGES = ("torch", "numpy", "opencv-python", "onnx", "onnxscript", "onnxruntime", "safetensors")


def data_hashes(folder: Path) -> dict[str, str]:
    """A SHA-256 for each face set under an identity's folder, over its index and shards."""
    return {
        clip.name: _hash_of(sorted([clip / "index.parquet", *clip.glob("shard-*.safetensors")]))
        for clip in clips_of(folder)
    }


def code_hash() -> str:
    """SHA-256 over this stage's own code."""
    return _hash_of(sorted(Path(__file__).parent.rglob("*.py")))


def recogniser_hash(losses: LossSettings) -> str | None:
    """SHA-256 of the recogniser that the identity term is learnt through; None if it has no weight.

    Raises:
        Problem: the pack is missing or damaged.
    """
    if not losses.identity:
        return None
    # here, as insightface comes with it, which takes seconds to import
    from stages.packs import open_pack

    return sha256_of(open_pack().files["recognition"])


def versions() -> dict[str, str]:
    """Of what the numbers come from; the CPU's instruction set too, as it decides how sums are grouped."""
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in _PACKAGES},
        "cpu": torch.backends.cpu.get_cpu_capability(),
    }


def _hash_of(files: list[Path]) -> str:
    joined = hashlib.sha256()
    for file in files:
        joined.update(f"{file.name} {sha256_of(file)}\n".encode())
    return joined.hexdigest()
