"""Numbers that every batch is computed with, kept where they are needed: a copy to a GPU waits for all that it does."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

Numbers = tuple[float, ...] | tuple[tuple[float, ...], ...]


@cache
def constant(numbers: Numbers, dtype: torch.dtype, device: torch.device) -> Tensor:
    """A vector or a matrix of the numbers. It is the same tensor every time, so nobody may change it."""
    return torch.tensor(numbers, dtype=dtype, device=device)
