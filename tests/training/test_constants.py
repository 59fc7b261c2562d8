"""What every batch is computed with is made once for a device, and holds the numbers that it should."""

from __future__ import annotations

import pytest
import torch

from stages.training.augment import _LUMA
from stages.training.chart import mirrored_places
from stages.training.constants import Numbers, constant
from stages.training.degrade import _LUMA_STEPS, _YCC, _cosines
from stages.training.losses.identity import _rows
from stages.training.losses.structure import _gaussian_rows

CPU = torch.device("cpu")


@pytest.mark.parametrize("numbers", [_LUMA, _YCC, _LUMA_STEPS])
def test_a_constant_is_what_a_new_tensor_would_be(numbers: Numbers) -> None:
    made = constant(numbers, torch.float32, CPU)
    assert torch.equal(made, torch.zeros(1).new_tensor(numbers))
    assert made.dtype == torch.float32
    assert constant(numbers, torch.float32, CPU) is made


def test_matrices_and_places_are_made_once_for_a_device() -> None:
    kind = torch.float32, CPU
    assert _cosines(*kind) is _cosines(*kind)
    assert _rows(32, 0.1, *kind) is _rows(32, 0.1, *kind)
    assert _gaussian_rows(32, 1.5, 5, *kind) is _gaussian_rows(32, 1.5, 5, *kind)
    assert mirrored_places(CPU) is mirrored_places(CPU)
    assert _gaussian_rows(32, 1.5, 5, torch.float64, CPU).dtype == torch.float64
