"""What a model was made by: the hash of the code, and versions."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

import torch

from stages.artifacts.files import sha256_of_all

_PACKAGES = ("torch", "numpy", "opencv-python", "onnx", "onnxscript", "onnxruntime", "safetensors")


def code_hash() -> str:
    """SHA-256 over this stage's own code."""
    return sha256_of_all(sorted(Path(__file__).parent.rglob("*.py")))


def versions() -> dict[str, str]:
    """Of what the numbers come from; the CPU's instruction set too, as it decides how sums are grouped."""
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in _PACKAGES},
        "cpu": torch.backends.cpu.get_cpu_capability(),
    }
