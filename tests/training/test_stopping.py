"""Training ends when held-out faces no longer gain, and not before."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as some

from stages.training.settings import StopSettings
from stages.training.state import Progress
from stages.training.stopping import is_plateau, reason_to_end
from tests.training.faces import smoke_preset

LOSSES = some.lists(some.floats(0.01, 10.0), max_size=12)


def curve(losses: Sequence[float]) -> list[dict[str, float]]:
    """A look at every second row, the mean of two identities."""
    rows: list[dict[str, float]] = []
    for loss in losses:
        rows.append({"train_ada": 9.0, "train_ben": 9.0})
        rows.append({"train_ada": 9.0, "held_out_ada": loss - 0.005, "held_out_ben": loss + 0.005})
    return rows


@pytest.mark.parametrize(
    ("losses", "ended"),
    [
        ([], False),
        ([1.0, 0.9, 0.8, 0.7], False),
        ([1.0, 0.9, 0.9, 0.9], True),
        ([1.0, 0.8, 0.9, 0.85], True),
        ([1.0, 0.9, 0.9, 0.7], False),
        ([1.0, 0.995, 0.991], True),
        ([1.0, 0.995, 0.985], False),
    ],
)
def test_two_looks_without_a_hundredth_less_are_a_plateau(losses: list[float], ended: bool) -> None:
    assert is_plateau(curve(losses), StopSettings(patience=2, improvement=0.01)) is ended


@given(LOSSES)
def test_without_patience_set_there_is_no_plateau(losses: list[float]) -> None:
    assert not is_plateau(curve(losses), StopSettings())


@given(LOSSES, some.integers(1, 4))
def test_more_patience_never_ends_sooner(losses: list[float], patience: int) -> None:
    if is_plateau(curve(losses), StopSettings(patience=patience + 1)):
        assert is_plateau(curve(losses), StopSettings(patience=patience))


def test_whichever_reason_comes_first_ends_it() -> None:
    preset = smoke_preset(iterations=20, stop={"patience": 1})
    assert reason_to_end(Progress(iteration=15, curve=curve([1.0, 0.5])), preset) is None
    assert reason_to_end(Progress(iteration=15, curve=curve([1.0, 1.0])), preset) == "plateau"
    assert reason_to_end(Progress(iteration=20, curve=curve([1.0, 0.5])), preset) == "iterations"
