"""What is settled before the first iteration: the batch, and how many iterations there are."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from stages.artifacts.files import read_facts, write_facts
from stages.atomic import whole_file
from stages.training.faces import Faces
from stages.training.forecast import snapshot_bytes, tell_needs, try_out
from stages.training.memory import largest_batch
from stages.training.processes import ALONE, Processes
from stages.training.settings import PresetSettings, TrainingSettings
from stages.training.state import State

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """Numbers that a preset may leave to the machine. Kept with the checkpoint: a resumed run must have the same ones.

    Attributes:
        batch: crops of each identity an iteration.
        iterations: at most those of the preset; fewer if a budget allows no more.
    """

    batch: int
    iterations: int

    def settle(self, preset: PresetSettings) -> PresetSettings:
        """The preset with these numbers; the learning rate falls to zero over these iterations."""
        return preset.model_copy(update=asdict(self))


def settle(
    state: State,
    faces: Mapping[str, Faces],
    settings: TrainingSettings,
    folder: Path,
    processes: Processes = ALONE,
    *,
    done: int = 0,
    mapped: int = 0,
) -> PresetSettings:
    """Try out some iterations, tell what training needs, and settle what the settings leave open.

    Args:
        state: fresh; is as before at the end.
        faces: to train on.
        settings: which preset, and the budget.
        folder: of the checkpoint, where an earlier run may have left its plan and where this one's is left.
        processes: who trains together; all follow the first one's plan.
        done: iterations of an earlier run that this one goes on from, to tell what is left.
        mapped: bytes on the disk that faces are mapped from, to be told.

    Returns:
        The chosen preset with batch and iterations in numbers.
    """
    preset, path = settings.chosen, folder / "plan.json"
    kept = Plan(**read_facts(path)) if path.is_file() else None
    batch = kept.batch if kept is not None else _batch(state, faces, preset, settings.seed)
    trial = try_out(state, faces, preset.model_copy(update={"batch": batch}), settings.seed, processes=processes)
    each = trial.seconds_of(0, preset.iterations, preset) / preset.iterations
    plan = kept or Plan(batch, iterations_within(settings.budget_minutes, each, preset.iterations))
    device = next(state.network.parameters()).device
    plan = Plan(*processes.of_first([plan.batch, plan.iterations], device))
    if processes.first and plan != kept:
        with whole_file(path) as scratch:
            write_facts(scratch, asdict(plan))
    settled = plan.settle(preset)
    tell_needs(state, faces, settled, trial, done=done, mapped=mapped)
    return settled


def iterations_within(minutes: float | None, seconds_each: float, wanted: int) -> int:
    """How many iterations to do: as many as are wanted, or as many as the budget has time for, but one at least."""
    if minutes is None:
        return wanted
    return min(wanted, max(1, int(minutes * 60 / seconds_each)))


def _batch(state: State, faces: Mapping[str, Faces], preset: PresetSettings, seed: int) -> int:
    if preset.batch != "auto":
        return preset.batch
    device = next(state.network.parameters()).device

    def attempt(batch: int) -> int:
        return try_out(state, faces, preset.model_copy(update={"batch": batch}), seed, steps=1).memory

    batch = largest_batch(attempt, device, snapshot_bytes(state))
    log.info("batch: %d, the largest power of two that fits", batch)
    return batch
