"""What a model was made by: the hash of the code, and versions."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

import torch

from stages.artifacts.files import sha256_of, sha256_of_all
from stages.training.settings import LossSettings

_NOT_OF_STATE = frozenset({"ablation.py", "bench.py", "plain.py", "exam.py", "bundle.py", "card.py", "export.py"})
_PACKAGES = ("torch", "numpy", "opencv-python", "onnx", "onnxscript", "onnxruntime", "safetensors", "scipy")


def code_hash(*, of_state: bool = False) -> str:
    """SHA-256 over this stage's own code.

    Args:
        of_state: leave out what only benchmarks use, or what is written once training is over: a mend of that is no
            reason to begin anew, and must be able to reach a run that ended in its fault.
    """
    here = Path(__file__).parent
    return sha256_of_all(sorted(path for path in here.rglob("*.py") if not (of_state and path.name in _NOT_OF_STATE)))


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


def versions(device: str = "cpu") -> dict[str, str]:
    """Of what the numbers come from; the processor's kind too, as it decides how sums are grouped.

    Args:
        device: where it is computed; of ``cuda`` the GPU and cuDNN are told besides.
    """
    told = {
        "python": platform.python_version(),
        **{package: version(package) for package in _PACKAGES},
        "cpu": torch.backends.cpu.get_cpu_capability(),
    }
    if device != "cuda":
        return told
    major, minor = torch.cuda.get_device_capability()
    gpu = f"{torch.cuda.get_device_name()}, {major}.{minor}"
    return told | {"gpu": gpu, "cudnn": str(torch.backends.cudnn.version())}  # type: ignore[no-untyped-call]  # torch's has no types
