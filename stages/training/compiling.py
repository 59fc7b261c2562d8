"""A network's passes through torch.compile (Ansel et al. 2024), which fuses what eager torch computes one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch._dynamo.exc import TorchDynamoException

from stages.problems import Problem


def compiled(passes: Callable[..., Any]) -> Callable[..., Any]:
    """The same passes, compiled when they are first called; once for each shape of the inputs.

    If torch is asked for what repeats itself, no kernel is chosen by the clock: another run would choose another one,
    whose sums have other last digits.
    """
    options: dict[str, Any] = {"deterministic": torch.are_deterministic_algorithms_enabled()}
    compiled_passes: Callable[..., Any] = torch.compile(passes, dynamic=False, options=options)
    return compiled_passes


def require_compiler(device: torch.device) -> None:
    """Compile a sum, to know that it can be done.

    Raises:
        Problem: there is no compiler for the device.
    """
    try:
        compiled(_sum)(torch.zeros(8, device=device))
    except TorchDynamoException as error:
        raise Problem(
            f"torch can not compile here ({str(error).strip().splitlines()[0]})",
            where="params.yaml, training.compile",
            mend="install a C++ compiler (g++) and, for a GPU, Triton, or set it to false",
        ) from error


def _sum(values: torch.Tensor) -> torch.Tensor:
    return values.sum()
