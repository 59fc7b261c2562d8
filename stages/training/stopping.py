"""When training ends: after its iterations, or before, when held-out faces no longer gain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from stages.training.settings import PresetSettings, StopSettings
from stages.training.state import Progress

Reason = Literal["iterations", "budget", "plateau"]
"""Why training ended: all were done, as many as the time allowed were done, held-out faces gained no more."""


def reason_to_end(progress: Progress, preset: PresetSettings) -> Reason | None:
    """Why training should end now; None to go on. Looks at what a checkpoint holds, so a resumed run ends alike."""
    if progress.iteration >= preset.iterations:
        return "iterations"
    if is_plateau(progress.curve, preset.stop):
        return "plateau"
    return None


def is_plateau(curve: Sequence[Mapping[str, float]], settings: StopSettings) -> bool:
    """Whether the last ``patience`` looks at held-out faces brought no improvement (early stopping, Prechelt 1998).

    Args:
        curve: rows in order; those of a look have a ``held_out_<identity>`` for each identity, whose mean is judged.
        settings: patience, and what counts as an improvement.
    """
    if settings.patience == 0:
        return False
    least, fruitless = float("inf"), 0
    for row in curve:
        losses = [loss for name, loss in row.items() if name.startswith("held_out_")]
        if not losses:
            continue
        loss = sum(losses) / len(losses)
        fruitless = 0 if loss < least * (1 - settings.improvement) else fruitless + 1
        least = min(least, loss)
    return fruitless >= settings.patience
