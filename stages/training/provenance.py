"""What a model was made by: the hash of the code, and versions."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

import torch

from stages.artifacts.files import sha256_of, sha256_of_all
from stages.training.settings import LossSettings

_PACKAGES = ("torch", "numpy", "opencv-python", "onnx", "onnxscript", "onnxruntime", "safetensors", "scipy")


def code_hash() -> str:
    """SHA-256 over this stage's own code."""
    return sha256_of_all(sorted(Path(__file__).parent.rglob("*.py")))


def packs_hash() -> str:
    """SHA-256 over what the chart's goal and its triangles come from: the code of packs, topology, the open pack.

    Raises:
        Problem: the pack is missing or damaged.
    """
    # here, as insightface comes with it, which takes seconds to import
    from stages import packs, topology

    code = [*sorted(Path(packs.__file__).parent.rglob("*.py")), Path(topology.__file__)]
    return sha256_of_all([*code, *(path for _, path in sorted(packs.open_pack().files.items()))])


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
