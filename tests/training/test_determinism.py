"""Training asks torch for what repeats itself; a GPU may be asked for less, a CPU never is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from stages.training.stage import prepare
from tests.training.faces import smoke_settings


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    prepare(smoke_settings())


@pytest.mark.parametrize(
    ("device", "deterministic", "exact"),
    [("cpu", True, True), ("cpu", False, True), ("cuda", True, True), ("cuda", False, False)],
)
def test_only_a_gpu_that_is_asked_for_less_may_differ(
    monkeypatch: pytest.MonkeyPatch, device: str, deterministic: bool, exact: bool
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    asked = smoke_settings().model_copy(update={"device": device, "deterministic": deterministic})
    assert prepare(asked).type == device
    assert torch.are_deterministic_algorithms_enabled() is exact
    assert torch.backends.cudnn.benchmark is not exact
    assert not torch.backends.cudnn.allow_tf32
